"""Every door of two machines that share one Redis and one store: begun at one, finished at the other, and at the end nothing is left.

Each test runs with the bytes in S3, and with them in a folder that both machines see. When it is over, the store holds what lives and
nothing else; and when that is deleted, nothing. Sweeps are done here, as a third machine's keeper does them; the work is the workers'.
"""

import contextlib
import http.client
import shutil
import signal
import socket
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
import redis
import requests
from celery import Celery
from kombu import Consumer

from app.core import keys, timing
from app.core.policy import DAY, Principal
from app.core.renditions import renditions_ref, resting
from app.core.requeue import Requeue
from app.settings import from_env
from app.wiring import House, build
from tests.fetching.servers import END, Server, always
from tests.live.conftest import CLOCK
from tests.services.pictures import photo
from tests.services.redis_server import RedisServer
from tests.services.seaweed import Seaweed
from tests.services.up import Up, eventually

pytestmark = pytest.mark.live

MIB = 1024 * 1024
PART = 8 * MIB
LARGEST = 32_000_000  # of Contentful, in place of its thousand million
WHO = Principal("demo", "")
FAR = "127.0.0.2"  # may be fetched from
SPACE = "/contentful/spaces/demo"
MASTER = f"{SPACE}/environments/master"
NOMAD = "/nomad/api/asset/upload"
SQUIDEX = "/squidex/api/apps/demo/assets"
BYTES = "application/octet-stream"
RAW = {"Content-Type": BYTES}
PLACES, PAPERS = ("nomad", "squidex"), ("contentful", "backoffice", "nomad", "squidex")  # doors that keep folders, and documents


def bytes_of(size, seed=0):
    """No two runs of it are alike."""
    return b"".join((seed << 56 | at).to_bytes(8, "big") for at in range(0, size, 8))[:size]


# ---------------------------------------------------------------- where the bytes are


class Bucket:
    """In S3."""

    def __init__(self, seaweed: Seaweed) -> None:
        self.name, self.s3 = seaweed.bucket(), seaweed.client()
        self.url, self.environment = seaweed.store_url(self.name), seaweed.environment
        self.direct = seaweed.endpoint

    def keys(self, prefix: str = "") -> set[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        return {each["Key"] for page in pages for each in page.get("Contents", [])}

    def unfinished(self) -> set[str]:
        pages = self.s3.get_paginator("list_multipart_uploads").paginate(Bucket=self.name)
        return {each["Key"] for page in pages for each in page.get("Uploads", [])}

    def close(self) -> None:
        """It ends with its server."""


class Folder:
    """In a folder of this machine."""

    direct = None
    environment: dict[str, str] = {}  # noqa: RUF012  # nothing is needed to speak to it

    def __init__(self, _: Seaweed) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="pair-", dir="/tmp"))
        self.url = f"file://{self.root}"

    def keys(self, prefix: str = "") -> set[str]:
        files = {path.relative_to(self.root).as_posix() for path in self.root.rglob("*") if path.is_file()}
        return {file for file in files if file.startswith(prefix)}

    def unfinished(self) -> set[str]:
        return set()

    def close(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)


# ---------------------------------------------------------------- the machines


@dataclass(frozen=True)
class Pair:
    """Two machines, and a third without a door: this process."""

    one: Up
    other: Up
    house: House
    store: Bucket | Folder
    clock: redis.Redis

    @property
    def doors(self) -> tuple[Up, Up]:
        return self.one, self.other

    def ask(self, up: Up, method: str, url: str, status: int | None = None, **sent: Any) -> requests.Response:
        """A request to one of the doors, by a path or by a URL that either door gave. Its bearer is the same at both."""
        path = "/" + url.split("//", 1)[1].split("/", 1)[1] if "//" in url else url
        headers = {**self.one.bearer, **sent.pop("headers", {})}
        answer = requests.request(method, up.url + path, headers=headers, timeout=60, **sent)
        assert status in {None, answer.status_code}, answer.text
        return answer

    def at_once(self, calls: list[tuple[Any, ...]], **sent: Any) -> list[requests.Response]:
        """So many requests at the same moment, in turn at one door and at the other."""
        with ThreadPoolExecutor(len(calls)) as pool:
            asked = [pool.submit(self.ask, self.doors[n % 2], *call, **sent) for n, call in enumerate(calls)]
            return [each.result() for each in asked]

    def later(self, seconds: float) -> None:
        self.clock.incrbyfloat(CLOCK, seconds)

    @contextlib.contextmanager
    def at_work(self):
        """A look at who took messages meanwhile, workers and keepers, by the numbers of the processes that tell it with their events."""
        busy: set[int] = set()
        app = Celery(broker=self.house.settings.broker, set_as_current=False)
        with app.connection_for_read() as wire:
            receiver = app.events.Receiver(wire, {"task-started": lambda event: busy.add(event["pid"])})

            def look() -> set[int]:
                with contextlib.suppress(TimeoutError):
                    wire.drain_events(timeout=0.1)
                return busy

            with receiver.get_consumers(partial(Consumer, wire.default_channel), None)[0]:
                look()
                yield look

    @contextlib.contextmanager
    def without_workers(self):
        """What is queued stays queued. Each of the workers waits for a message, and so begins with one of its own."""
        leaders = [up.leader("worker") for up in self.doors]
        held = [process for leader in leaders if leader for process in (leader, *leader.children(recursive=True))]
        for process in held:
            process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            for process in held:
                process.send_signal(signal.SIGCONT)

    # ------------------------------------------------------------ what is left

    def under_way(self) -> set[str]:
        """What is staged."""
        return self.store.keys(keys.STAGING) | self.store.unfinished()

    def swept(self) -> bool:
        for sweep in ("expire_uploads", "purge_assets", "write_manifests", "delete_doomed"):
            getattr(self.house.retention, sweep)()
        return True

    def clean(self) -> None:
        """Nothing is staged any more, and what rests is what lives."""
        eventually(lambda: self.swept() and not self.under_way(), what=f"the end of {self.under_way()}")
        self.later(timing.GRACE + 1)
        eventually(lambda: self.swept() and self.store.keys() == self.living(), what=f"{self.store.keys()} becoming {self.living()}")

    def living(self) -> set[str]:
        assets = self.house.library.assets(WHO, limit=10_000).items
        contents = {key for of in assets for key in of.contents}
        kept = {up.blob for up in self.house.library.uploads(WHO, "contentful") if up.blob}
        known = self.house.records.many([renditions_ref(of.tenant, of.id) for of in assets])
        described = [*assets, *self.places(), *(paper for name in PAPERS for paper in self.house.documents.list(WHO, name, 0, 1000).items)]
        return {keys.manifest(of.ref) for of in described} | contents | kept | {key for each in known for key in resting(each)}

    def places(self, parent: str | None = None) -> list:
        """Every folder."""
        found = [of for name in PLACES for of in self.house.folders.inside(WHO, name, parent).items]
        return list({of.id: of for of in (*found, *(inner for of in found for inner in self.places(of.id)))}.values())

    def emptied(self) -> None:
        """When everything is deleted, the store is empty."""
        for up in self.house.library.uploads(WHO, "contentful"):
            if up.blob and not up.attaching:
                self.house.reception.discard(up)
        for paper in self.house.documents.list(WHO, "contentful", 0, 100).items:
            self.ask(self.one, "DELETE", f"{MASTER}/assets/{paper.id}", 204)
        for of in self.house.library.assets(WHO, limit=100).items:
            self.ask(self.other, "DELETE", f"/v1/assets/{of.id}", 204)
        for paper in (paper for name in PAPERS for paper in self.house.documents.list(WHO, name, 0, 1000).items):
            self.house.documents.delete(paper)
        for name in PLACES:
            for place in self.house.folders.inside(WHO, name).items:
                self.house.folders.delete(place)
        self.house.emptying.empty_folders()
        self.clean()
        assert self.store.keys() == set()


def together(act, of):
    with ThreadPoolExecutor(len(of)) as pool:
        return list(pool.map(act, of))


@pytest.fixture(scope="module", params=[Bucket, Folder], ids=["s3", "local"])
def machines(request, seaweed):
    with contextlib.ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        server, store = stack.enter_context(RedisServer()), stack.enter_context(contextlib.closing(request.param(seaweed)))
        shared = {
            "SLIPWAY_REDIS": server.url_of(1),
            "SLIPWAY_BROKER": server.url_of(0),
            "SLIPWAY_STORE": store.url,
            "SLIPWAY_SECRET": "the same on every machine",
            "SLIPWAY_CLOCK_KEY": CLOCK,
            "SLIPWAY_FETCH_ALLOW": f"{FAR}/32",
            "SLIPWAY_V1_MEDIA_TYPES": "*/*",
            "SLIPWAY_V1_JUDGE": "off",
            "SLIPWAY_CONTENTFUL_MAX_BYTES": str(LARGEST),
        }
        for name, value in store.environment.items():
            patch.setenv(name, value)
        ups = [Up(**shared, **store.environment) for _ in range(2)]
        stack.callback(together, Up.close, ups)
        together(Up.start, ups)
        house = build(from_env({**shared, "SLIPWAY_DATA": str(server.folder)}))
        yield Pair(*ups, house, store, redis.Redis(unix_socket_path=str(server.path), db=1))


@pytest.fixture
def pair(machines):
    yield machines
    machines.clean()
    machines.emptied()


# ---------------------------------------------------------------- v1 and /transfers


def announced(pair, size):
    return pair.ask(pair.one, "POST", "/v1/uploads", 202, json={"filename": "film.bin", "size": size}).json()


def ended(pair, operation):
    """The operation, which is over, as both doors show it."""
    path = f"/v1/operations/{operation}"
    shown = [pair.ask(up, "GET", path, 200, headers={"Prefer": "wait=20"}).json() for up in pair.doors]
    assert {each["status"] for each in shown} == {"completed"}, shown
    return shown[0]


def test_v1_a_stream_in_runs_through_both_doors(pair):
    whole = bytes_of(2 * PART + 5)
    began = announced(pair, len(whole))
    cuts = [(0, 3 * MIB), (3 * MIB, PART + 7), (PART + 7, len(whole))]
    for n, (start, end) in enumerate(cuts):
        span = {"Content-Range": f"bytes {start}-{end - 1}/{len(whole)}"}
        pair.ask(
            pair.doors[n % 2], "PUT", began["upload"]["uploadUrl"], 202 if end == len(whole) else 204, data=whole[start:end], headers=span
        )
    of = ended(pair, began["id"])["resourceUrl"]
    assert all(pair.ask(up, "GET", f"{of}/content", 200).content == whole for up in pair.doors)
    some = pair.ask(pair.other, "GET", f"{of}/content", 206, headers={"Range": f"bytes={PART - 2}-{PART + 1}"})
    assert some.content == whole[PART - 2 : PART + 2]


def sending(up, path, headers, content):
    """A request under way: its head and the beginning of its body."""
    wire = http.client.HTTPConnection(urlsplit(up.url).netloc, timeout=30)
    wire.putrequest("PUT" if "/transfers/" in path else "POST", path)
    for name, value in headers.items():
        wire.putheader(name, value)
    wire.endheaders()
    wire.send(content)
    return wire


def broken_off(wire):
    """The client says no more; when the door hangs up, it has done what it does about that."""
    wire.sock.shutdown(socket.SHUT_WR)
    while wire.sock.recv(4096):
        pass


@pytest.mark.parametrize("size", [MIB, PART + MIB], ids=["below a part", "above a part"])
def test_v1_a_stream_that_is_cancelled_at_the_other_door_while_it_flows(pair, size):
    began = announced(pair, 3 * PART)
    path = "/" + began["upload"]["uploadUrl"].split("/", 3)[3]
    with contextlib.closing(sending(pair.one, path, {"Content-Length": str(3 * PART)}, bytes_of(size))) as wire:
        eventually(lambda: pair.under_way() if size > PART else list(pair.clock.scan_iter("lock:*")), what="the first bytes")
        assert pair.ask(pair.other, "DELETE", f"/v1/operations/{began['id']}", 200).json()["status"] == "cancelled"
        eventually(lambda: not pair.under_way(), what="the end of the bytes")
        broken_off(wire)
    assert pair.under_way() == set()


def test_v1_the_same_bytes_at_both_doors_at_once_rest_once(pair):
    picture = photo(200, 100)
    sent = pair.at_once([("POST", "/v1/uploads", 202)] * 8, data=picture, headers={"Content-Type": "image/jpeg"})
    found = [ended(pair, answer.json()["id"])["resourceUrl"] for answer in sent]
    assert len(set(found)) == 8
    pair.clean()
    assert len(pair.store.keys(keys.BLOBS)) == 1
    for of in found[1:]:
        pair.ask(pair.other, "DELETE", of, 204)
    assert pair.ask(pair.one, "GET", f"{found[0]}/content", 200).content == picture


def test_v1_a_stream_whose_door_dies_is_continued_at_the_other_or_expires(pair):
    whole = bytes_of(2 * PART, 12)
    began, lost = announced(pair, len(whole)), announced(pair, 3 * PART)
    path, lost_path = ("/" + each["upload"]["uploadUrl"].split("/", 3)[3] for each in (began, lost))
    head = {"Content-Length": str(PART + MIB), "Content-Range": f"bytes 0-{PART + MIB - 1}/{len(whole)}"}
    wires = [sending(pair.other, path, head, whole[: PART + 7]), sending(pair.other, lost_path, {"Content-Length": str(3 * PART)}, whole)]
    eventually(lambda: len({key.split(".")[0] for key in pair.under_way()}) == 2, what="the first parts")
    children = pair.other.leader("web").children(recursive=True)
    pair.other.kill("web")
    assert not psutil.wait_procs(children, 20)[1]
    for wire in wires:
        wire.close()
    for lock in list(pair.clock.scan_iter("lock:*")):
        pair.clock.expire(lock, 0)  # of a process of another machine nobody knows that it is gone: they run out
    at = pair.ask(pair.one, "GET", f"/v1/uploads/{began['upload']['id']}", 200).json()["offset"]
    pair.ask(pair.one, "PUT", path, 202, data=whole[at:], headers={"Content-Range": f"bytes {at}-{len(whole) - 1}/{len(whole)}"})
    eventually(lambda: requests.get(f"{pair.other.url}/readyz?for=door", timeout=10).ok, what="the other door")
    assert pair.ask(pair.other, "GET", ended(pair, began["id"])["resourceUrl"] + "/content", 200).content == whole
    pair.later(601)


# ---------------------------------------------------------------- wdesk, backoffice


def test_wdesk_an_image(pair):
    picture = photo(400, 300)
    began = pair.ask(pair.one, "POST", "/wdesk/content/images/upload", 202, json={"fileName": "a.jpg"}).json()
    pair.ask(pair.other, "PUT", began["uploadUrl"], 200, data=picture)
    operation = f"/wdesk/operations/{began['operationId']}"
    for up in pair.doors:
        eventually(lambda up=up: pair.ask(up, "GET", operation, 200).json()["status"] == "completed", what="the end of the operation")
        of = pair.ask(up, "GET", f"{operation}/imageUploadResults", 200).json()["data"][0]["image"]
        shown = pair.ask(up, "GET", f"/wdesk/content/images/{of}", 200).json()
        assert pair.ask(up, "GET", shown["downloadUrl"], 200).content == picture
    assert pair.ask(pair.one, "PUT", began["uploadUrl"], data=picture).status_code == 409
    pair.later(DAY + 1)
    pair.clean()
    assert pair.store.keys() == set()


def test_backoffice_an_image_and_one_that_is_none(pair):
    key = {"x-api-key": pair.one.credentials["api_key"]}
    picture = photo(300, 200, "PNG")
    refused = pair.ask(pair.one, "POST", "/backoffice/upload/image", 400, headers=key, files={"image": ("a.png", picture[:-40])})
    assert refused.json()
    sent = pair.ask(pair.one, "POST", "/backoffice/upload/image", 200, headers=key, files={"image": ("a.png", picture)}).json()
    made = pair.ask(
        pair.other,
        "POST",
        "/backoffice/api/core/v2/assets/images",
        201,
        headers=key,
        json={"file_key": sent["data"]["key"], "file_hash": "h"},
    )
    assert pair.ask(pair.one, "GET", "/backoffice/api/core/v2/assets/images/by-hash/h", 200, headers=key).json() == made.json()
    assert pair.ask(pair.other, "GET", f"/backoffice/{sent['data']['key']}", 200, headers=key).content == picture


# ---------------------------------------------------------------- nomad


def started(pair, up, whole, option="replace", path="films/film.bin"):
    body = {"contentLength": len(whole), "uploadOverwriteOption": option, "chunkSize": 5 * MIB, "relativePath": path, "displayName": None}
    return pair.ask(up, "POST", f"{NOMAD}/start", 200, json=body).json()


def put(pair, part, whole):
    """The bytes to where the part says, without credentials; the ETag, quotes and all."""
    assert pair.store.direct is None or part["url"].startswith(pair.store.direct)
    answer = requests.put(part["url"], data=whole[part["startingPosition"] : part["endingPosition"] + 1], timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.headers["ETag"]


def confirmed(pair, up, part, etag, status=200):
    pair.ask(up, "POST", f"{NOMAD}/part/{part['id']}/complete", status, json={"etag": etag})


def film(pair, up, asset_id):
    return requests.get(pair.ask(up, "GET", f"/nomad/api/admin/asset/{asset_id}", 200).json()["fullUrl"], timeout=60).content


def test_nomad_parts_resumed_at_the_other_door_then_replaced(pair):
    whole, newer = bytes_of(11 * MIB, 1), bytes_of(6 * MIB, 2)
    began = started(pair, pair.one, whole)
    first, *_ = began["parts"]
    etag = put(pair, first, whole)
    confirmed(pair, pair.other, first, '"another"', 400)
    confirmed(pair, pair.other, first, etag)
    pair.ask(pair.other, "POST", f"{NOMAD}/{began['id']}/complete", 400)

    resumed = started(pair, pair.other, whole, "continue")
    assert (resumed["id"], [part["isCompleted"] for part in resumed["parts"]]) == (began["id"], [True, False, False])
    with ThreadPoolExecutor(2) as pool:
        etags = list(pool.map(lambda part: put(pair, part, whole), resumed["parts"][1:]))
    for up, part, tag in zip(pair.doors, resumed["parts"][1:], etags, strict=True):
        confirmed(pair, up, part, tag)
    answers = pair.at_once([("POST", f"{NOMAD}/{began['id']}/complete", 200)] * 4)
    assert [answer.json()["items"] for answer in answers] == [[{"id": began["assetId"]}]] * 4
    assert all(film(pair, up, began["assetId"]) == whole for up in pair.doors)

    again = started(pair, pair.other, newer)
    assert (again["assetId"], again["id"] == began["id"]) == (began["assetId"], False)
    for part in again["parts"]:
        confirmed(pair, pair.one, part, put(pair, part, newer))
        assert film(pair, pair.one, began["assetId"]) == whole
    pair.ask(pair.one, "POST", f"{NOMAD}/{again['id']}/complete", 200)
    assert all(film(pair, up, began["assetId"]) == newer for up in pair.doors)


def test_nomad_what_is_cancelled_at_the_other_door_leaves_nothing(pair):
    whole = bytes_of(6 * MIB, 3)
    began = started(pair, pair.one, whole)
    first, second = began["parts"]
    confirmed(pair, pair.one, first, put(pair, first, whole))
    assert pair.under_way()
    pair.ask(pair.other, "POST", f"{NOMAD}/{began['id']}/cancel", 200)
    assert pair.under_way() == set()
    late = requests.put(second["url"], data=whole[second["startingPosition"] :], timeout=60)
    assert 400 <= late.status_code < 500, late.text
    assert pair.under_way() == set()
    assert started(pair, pair.one, whole, "continue")["id"] != began["id"]
    pair.later(DAY + 1)


def test_nomad_replaced_at_both_doors_at_once(pair):
    """Both are told of the same asset; one cancels the other's session, or neither's is; in the end it has the bytes of one that was completed."""
    wanted = [bytes_of(MIB, seed) for seed in (4, 5)]
    with ThreadPoolExecutor(2) as pool:
        began = list(pool.map(lambda up, whole: started(pair, up, whole, path="b.bin"), pair.doors, wanted))
    assert len({each["assetId"] for each in began}) == 1
    done = []
    for each, whole in zip(began, wanted, strict=True):
        answer = requests.put(each["parts"][0]["url"], data=whole, timeout=60)
        if answer.ok and pair.ask(pair.one, "POST", f"{NOMAD}/{each['id']}/complete").ok:
            done.append(whole)
    assert done
    assert film(pair, pair.other, began[0]["assetId"]) == done[-1]


# ---------------------------------------------------------------- contentful


def uploaded(pair, up, content):
    """In a body whose length is not said."""
    pieces = (content[at : at + MIB] for at in range(0, len(content), MIB))
    return pair.ask(up, "POST", f"{SPACE}/uploads", 201, headers=RAW, data=pieces).json()["sys"]["id"]


def made(pair, up, upload_id, locales):
    """An asset with a file for each locale that is to have the upload's bytes; its path."""
    link = {"sys": {"type": "Link", "linkType": "Upload", "id": upload_id}}
    files = {locale: {"contentType": "application/pdf", "fileName": "a.pdf", "uploadFrom": link} for locale in locales}
    asset = pair.ask(up, "POST", f"{MASTER}/assets", 201, json={"fields": {"file": files}}).json()
    return f"{MASTER}/assets/{asset['sys']['id']}"


def urls(pair, asset):
    """Of all files, when all are processed."""
    found = {}

    def processed():
        file = pair.ask(pair.one, "GET", asset, 200).json()["fields"]["file"]
        found.update({locale: said.get("url") for locale, said in file.items()})
        return all(found.values())

    eventually(processed, 60, "the processing of every locale")
    return found


def test_contentful_a_large_file_for_many_locales_by_the_workers_of_both(pair):
    whole, locales = bytes_of(30_000_000, 6), ["en-US", "de-DE", "fr-FR", "es-ES", "it-IT", "nl-NL"]
    with pair.at_work() as look:
        with pair.without_workers():
            upload = uploaded(pair, pair.one, whole)
            pair.ask(pair.other, "GET", f"{SPACE}/uploads/{upload}", 200)
            asset = made(pair, pair.other, upload, locales)
            pair.at_once([("PUT", f"{asset}/files/{locale}/process", 204) for locale in locales], headers={"X-Contentful-Version": "1"})
        found = urls(pair, asset)
        eventually(lambda: look() >= {up.leader("worker").pid for up in pair.doors}, what="work at both machines")
    assert {pair.ask(up, "HEAD", url, 200).headers["Content-Length"] for url in found.values() for up in pair.doors} == {str(len(whole))}
    assert pair.ask(pair.other, "GET", found["fr-FR"], 200).content == whole
    assert pair.ask(pair.one, "GET", f"{SPACE}/uploads/{upload}", 200, headers={"Accept": BYTES}).content == whole
    assert len(pair.store.keys(keys.BLOBS)) == 1
    pair.ask(pair.other, "DELETE", f"{SPACE}/uploads/{upload}", 204)
    pair.ask(pair.one, "DELETE", asset, 204)
    pair.clean()
    assert pair.store.keys() == set()


def test_contentful_an_upload_that_is_deleted_while_its_asset_waits(pair):
    with pair.without_workers():
        upload = uploaded(pair, pair.one, bytes_of(MIB, 7))
        asset = made(pair, pair.one, upload, ["en-US", "de-DE"])
        pair.ask(pair.other, "PUT", f"{asset}/files/en-US/process", 204)
        pair.ask(pair.other, "DELETE", f"{SPACE}/uploads/{upload}", 204)
        assert [pair.ask(up, "GET", f"{SPACE}/uploads/{upload}").status_code for up in pair.doors] == [404, 404]
        pair.ask(pair.one, "PUT", f"{asset}/files/de-DE/process", 422)
    eventually(lambda: "url" in pair.ask(pair.other, "GET", asset).json()["fields"]["file"]["en-US"], what="the processing")
    url = pair.ask(pair.one, "GET", asset).json()["fields"]["file"]["en-US"]["url"]
    assert pair.ask(pair.other, "GET", url, 200).content == bytes_of(MIB, 7)
    pair.clean()
    assert pair.house.library.uploads(WHO, "contentful")[0].blob is None


def test_contentful_what_is_cut_or_expires_leaves_nothing(pair):
    head = {**pair.one.bearer, **RAW, "Transfer-Encoding": "chunked"}
    piece = b"%x\r\n%s\r\n" % (PART + MIB, bytes_of(PART + MIB, 8))
    with contextlib.closing(sending(pair.other, f"{SPACE}/uploads", head, piece)) as wire:
        eventually(pair.under_way, what="the first part")
        broken_off(wire)
    assert pair.under_way() == set()
    measured = uploaded(pair, pair.one, bytes_of(MIB, 9))
    pair.ask(pair.other, "GET", f"{SPACE}/uploads/{measured}", 200, headers={"Accept": BYTES})
    with pair.without_workers():
        waiting = uploaded(pair, pair.other, bytes_of(MIB, 10))
        pair.later(3 * DAY)
        pair.swept()
        assert [pair.ask(pair.one, "GET", f"{SPACE}/uploads/{each}").status_code for each in (measured, waiting)] == [404, 404]
    pair.clean()
    assert pair.store.keys() == set()


def test_contentful_what_is_too_large_leaves_nothing(pair):
    pieces = (bytes_of(MIB) for _ in range(LARGEST // MIB + 2))
    answer = pair.ask(pair.one, "POST", f"{SPACE}/uploads", headers=RAW, data=pieces)
    assert answer.status_code == 408
    assert pair.under_way() == set()


# ---------------------------------------------------------------- squidex


def form(content, name="a.png", kind="image/png"):
    return {"files": {"file": (name, content, kind)}}


@pytest.mark.parametrize("door", [SQUIDEX, "/backoffice/upload/image"])
def test_a_form_that_is_cut_leaves_nothing(pair, door):
    head = {"Content-Type": "multipart/form-data; boundary=xYz", "Content-Length": str(2 * MIB), **pair.one.bearer}
    key = {"x-api-key": pair.one.credentials["api_key"]}
    part = b'--xYz\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    with contextlib.closing(sending(pair.one, door, {**head, **key}, part + bytes_of(MIB))) as wire:
        eventually(lambda: list(pair.clock.scan_iter("lock:*")), what="the first bytes")
        broken_off(wire)
    assert pair.under_way() == set()


def test_squidex_contents_versions_ranges_and_one_rendition(pair):
    contents = [photo(600, 400, "PNG", seed=seed) for seed in (1, 2, 3)]
    of = pair.ask(pair.one, "POST", SQUIDEX, 201, **form(contents[0])).json()["id"]
    for up, content in zip((pair.other, pair.one), contents[1:], strict=True):
        pair.ask(up, "PUT", f"{SQUIDEX}/{of}/content", 200, **form(content, "b.png"))
    path = f"/squidex/api/assets/demo/{of}"
    for up in pair.doors:
        assert [pair.ask(up, "GET", f"{path}?version={version}", 200).content for version in range(3)] == contents
        some = pair.ask(up, "GET", f"{path}?version=1", 206, headers={"Range": "bytes=100-199"})
        assert some.content == contents[1][100:200]
    pictures = pair.at_once([("GET", f"{path}?width=50&height=40&format=WEBP", 200)] * 8)
    assert {picture.headers["Content-Type"] for picture in pictures} == {"image/webp"}
    assert len({picture.content for picture in pictures}) == len(pair.store.keys(keys.RENDITIONS)) == 1
    pair.clean()
    assert [len(pair.store.keys(prefix)) for prefix in (keys.BLOBS, keys.RENDITIONS)] == [3, 1]
    pair.ask(pair.other, "DELETE", f"{SQUIDEX}/{of}?permanent=true", 204)
    assert [pair.ask(up, "GET", path).status_code for up in pair.doors] == [404, 404]
    pair.clean()
    assert pair.store.keys() == set()


# ---------------------------------------------------------------- fetched


def fetching(pair, url):
    """An asset whose file a worker is asked to fetch, and the operation that does."""
    file = {"en-US": {"contentType": "video/mp4", "fileName": "a.mp4", "upload": url}}
    asset = pair.ask(pair.one, "POST", f"{MASTER}/assets", 201, json={"fields": {"file": file}}).json()
    path = f"{MASTER}/assets/{asset['sys']['id']}"
    begun = pair.ask(pair.other, "PUT", f"{path}/files/en-US/process", 202, headers={"Prefer": "respond-async"})
    return path, begun.headers["Location"]


def connected(up, port):
    """Whether one of the machine's workers speaks to that port."""
    leader = up.leader("worker")
    wires = [wire for child in leader.children(recursive=True) for wire in child.net_connections()] if leader else []
    return any(wire.raddr and wire.raddr.port == port for wire in wires)


def test_fetched_though_the_worker_is_killed_in_the_middle(pair):
    whole = bytes_of(2 * PART + MIB, 11)

    def answer(wire, head, ended):
        """Half of it the first time, and all of it the next."""
        wire.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d" % len(whole) + END)
        if len(server.heads) > 1:
            return whole
        wire.sendall(whole[: PART + MIB])
        return b"" if wire.recv(1) else None

    with contextlib.closing(Server(answer, FAR)) as server:
        asset, _ = fetching(pair, server.url())
        eventually(pair.under_way, what="the first part")
        (doomed,) = [up for up in pair.doors if connected(up, server.port)]
        children = doomed.leader("worker").children(recursive=True)
        doomed.kill("worker")
        assert not psutil.wait_procs(children, 20)[1]
        pair.later(timing.LEASE + 1)
        keeper = Requeue(pair.house.retention, pair.house.jobs, iter(range(0, 10**6, 10)).__next__)
        eventually(lambda: keeper.requeue_stalled().done, what="the end of the lease")
        url = urls(pair, asset)["en-US"]
    assert len(server.heads) == 2
    assert all(pair.ask(up, "GET", url, 200).content == whole for up in pair.doors)
    eventually(lambda: doomed.leader("worker"), what="a new worker")


def test_fetched_and_too_large_or_broken_off_leaves_nothing(pair):
    whole = bytes_of(LARGEST + 1, 13)
    answers = [b"HTTP/1.1 200 OK" + END + whole, b"HTTP/1.1 200 OK\r\nContent-Length: %d" % LARGEST + END + whole[: PART + MIB]]
    for answer in answers:
        with contextlib.closing(Server(always(answer), FAR)) as server:
            asset, location = fetching(pair, server.url())
            eventually(lambda location=location: pair.ask(pair.other, "GET", location).status_code != 202, what="the end of the operation")
        assert "url" not in pair.ask(pair.one, "GET", asset, 200).json()["fields"]["file"]["en-US"]


def test_fetched_though_it_was_cancelled_leaves_nothing(pair):
    """The worker hears of it with its next heartbeat, and has staged a part and a piece by then."""
    whole, cancelled = bytes_of(PART + MIB, 14), Event()

    def answer(wire, head, ended):
        wire.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d" % len(whole) + END + whole[:MIB])
        cancelled.wait(20)
        return whole[MIB:]

    with contextlib.closing(Server(answer, FAR)) as server:
        asset, location = fetching(pair, server.url())
        eventually(lambda: server.heads, what="the request")
        pair.ask(pair.one, "DELETE", f"/v1/operations/{location.rpartition('/')[2]}", 200)
        cancelled.set()
    eventually(lambda: not pair.under_way(), what="the end of the bytes")
    assert "url" not in pair.ask(pair.one, "GET", asset, 200).json()["fields"]["file"]["en-US"]
