"""What only a bucket can show: URLs that clients use without us, a server that is down, a bucket shared with others."""

import os
import time
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
import requests

from app.core import keys
from app.core.errors import Code, StoreDown, UploadError
from app.core.parts import Parts, Slot, plan
from app.core.upload import Staged
from app.stores.address import parse
from app.stores.link import Link
from app.stores.sealing import Sealing
from app.stores.spool import Spool
from tests.conformance.rooms import ENDLESS, PART, Kept, fetched, landed, opened, outcome
from tests.conformance.senders import Beside, Paused, Sender, content, quiet
from tests.services.seaweed import free_ports

WHOLE = content(2 * PART + 1000)
SOON = 600.0


def put_by_url(room, staged, slot, data, *, exact=True):
    url = room.store.part_url(staged, slot, exact=exact, expires=time.time() + SOON)
    return requests.put(url, data=data, timeout=20)


def put_all_by_url(room, data):
    kept = Kept(room.plan(len(data)), len(data))
    for slot in plan(PART, len(data)):
        assert put_by_url(room, kept.staged, slot, data[slot.offset :][: slot.size]).status_code == 200
    kept.parts = room.store.held(kept.staged, kept.parts, PART)
    return kept


# ---------------------------------------------------------------- presigned parts


def test_parts_go_straight_to_s3_and_are_held(s3):
    kept = put_all_by_url(s3, WHOLE)
    assert [(p.number, p.offset, p.size) for p in kept.parts.held.values()] == [
        (s.number, s.offset, s.size) for s in plan(PART, len(WHOLE))
    ]
    assert landed(s3.store, kept.sealed(s3.store)) == WHOLE


@pytest.mark.parametrize(("sent", "exact", "status"), [(100, True, 200), (99, True, 403), (101, True, 403), (99, False, 200)])
def test_a_signed_length_is_the_only_one_taken(s3, sent, exact, status):
    staged = s3.plan(100)
    assert put_by_url(s3, staged, Slot(1, 0, 100), b"x" * sent, exact=exact).status_code == status


def test_a_url_is_good_for_its_part_only(s3):
    staged = s3.plan(200)
    url = s3.store.part_url(staged, Slot(1, 0, 100), exact=True, expires=time.time() + SOON)
    assert requests.put(url.replace("partNumber=1", "partNumber=2"), data=b"x" * 100, timeout=20).status_code == 403


def test_a_url_past_its_deadline_is_refused(s3, monkeypatch):
    staged, past = s3.plan(100), time.time() - 2 * SOON
    with monkeypatch.context() as earlier:
        earlier.setattr("botocore.auth.get_current_datetime", lambda: _utc(past))
        earlier.setattr("app.stores.presign.time.time", lambda: past)
        url = s3.store.part_url(staged, Slot(1, 0, 100), exact=True, expires=past + SOON)
    assert requests.put(url, data=b"x" * 100, timeout=20).status_code == 403


def _utc(moment):
    return datetime.fromtimestamp(moment, UTC)


@pytest.mark.parametrize(
    ("query", "base"),
    [
        ("?endpoint=http://inner:8333", "http://inner:8333/bucket/p/"),
        ("?endpoint=http://inner:8333&public=https://s3.example.com", "https://s3.example.com/bucket/p/"),
        ("?endpoint=http://inner:8333&public=https://example.com/s3", "https://example.com/s3/bucket/p/"),
        ("?region=eu-west-1", "https://bucket.s3.eu-west-1.amazonaws.com/p/"),
    ],
)
def test_a_url_is_signed_for_where_clients_reach_the_bucket(seaweed, query, base):
    store = opened(f"s3://bucket/p{query}")
    staged = Staged("staging/t/an id", session="s")
    url = store.part_url(staged, Slot(1, 0, 1), exact=False, expires=time.time() + SOON)
    assert url.startswith(f"{base}staging/t/an%20id?")
    assert "X-Amz-SignedHeaders=host&" in url


def test_a_default_port_is_signed_as_clients_send_it(seaweed, monkeypatch):
    with monkeypatch.context() as now:
        now.setattr("botocore.auth.get_current_datetime", lambda: _utc(1_800_000_000))
        with_port, without = (
            opened(f"s3://bucket/p?endpoint=https://s3.example.com{port}").part_url(
                Staged("staging/t/u", session="s"), Slot(1, 0, 1), exact=True, expires=1_800_000_000.0
            )
            for port in (":443", "")
        )
    assert urlsplit(with_port).query == urlsplit(without).query


def test_of_a_part_that_came_twice_the_newest_is_held(s3):
    kept = put_all_by_url(s3, WHOLE)
    first, other = kept.parts.held[1], content(PART, seed=5)
    deadline = time.monotonic() + 20
    while (again := _put_again(s3, kept, other)).etag == first.etag:  # listed to the second: until the newer one is told apart
        assert time.monotonic() < deadline
    assert s3.store.held(kept.staged, kept.parts, PART, 1).held == {1: again}
    kept.add(again)
    assert landed(s3.store, kept.sealed(s3.store)) == other + WHOLE[PART:]


def _put_again(s3, kept, data):
    assert put_by_url(s3, kept.staged, Slot(1, 0, PART), data).status_code == 200
    return s3.store.held(kept.staged, kept.parts, PART).held[1]


def test_a_part_that_changed_after_finish_is_not_taken_for_the_finished_one(s3):
    kept = put_all_by_url(s3, WHOLE)
    assert put_by_url(s3, kept.staged, Slot(1, 0, PART), content(PART, seed=5)).status_code == 200
    sealed, refusal = outcome(lambda: kept.sealed(s3.store))
    assert refusal in {None, Code.CHANGED}
    assert sealed is None or landed(s3.store, sealed) == WHOLE


def test_a_part_that_s3_does_not_have_as_finished_is_told(s3):
    kept = put_all_by_url(s3, WHOLE)
    other = s3.store.put_part(s3.plan(PART), Slot(1, 0, PART), Sender(content(PART, seed=5)), quiet)
    kept.add(other)
    with pytest.raises(UploadError) as refusal:
        kept.sealed(s3.store)
    assert refusal.value.code is Code.CHANGED


# ---------------------------------------------------------------- what lies in the bucket


def test_a_body_below_one_part_is_one_object_and_no_multipart(s3):
    kept = Kept(s3.stream())
    kept.write(s3.store, WHOLE[:1000])
    assert (len(s3.objects()), s3.sessions()) == (1, [])
    kept.sealed(s3.store)
    assert (len(s3.objects()), s3.sessions()) == (1, [])


def test_a_stream_begins_a_multipart_with_its_first_full_part(s3):
    kept = Kept(s3.stream())
    written = kept.write(s3.store, WHOLE)
    assert [p.number for p in written.parts] == [1, 2]
    assert (len(s3.sessions()), len(s3.objects())) == (1, 1)
    kept.sealed(s3.store)
    assert s3.sessions() == []


@pytest.mark.parametrize("first", [100, PART + 100])
def test_what_began_again_frees_what_it_replaced(s3, first):
    kept = Kept(s3.stream())
    kept.write(s3.store, WHOLE[:first])
    kept.offset = 0
    kept.write(s3.store, b"short")
    assert (len(s3.objects()), s3.sessions()) == (1, [])


def test_a_refused_write_leaves_no_multipart(s3, monkeypatch):
    monkeypatch.setattr("app.stores.intake.EVERY", 0.0)

    def until(offset):
        if offset > PART + 10:
            raise UploadError(Code.LOCKED)

    with pytest.raises(UploadError):
        s3.store.write(s3.stream(), 0, PART, Sender(WHOLE), ENDLESS, until)
    assert s3.left() == []


def test_a_writer_that_lost_its_lock_disturbs_no_part_that_was_recorded(s3):
    kept = Kept(s3.stream())
    kept.write(s3.store, WHOLE[:PART])
    late = Paused(content(PART, seed=9))
    beside = Beside(lambda: s3.store.write(kept.staged, PART, PART, late, ENDLESS, quiet))
    assert late.begun.wait(30)
    kept.write(s3.again(), WHOLE[PART : PART + 500])
    late.go.set()
    beside.wait()
    kept.write(s3.again(), WHOLE[PART + 500 :])
    assert landed(s3.store, kept.sealed(s3.store)) == WHOLE


def test_foreign_keys_are_neither_seen_nor_touched(s3):
    kept = Kept(s3.stream())
    kept.write(s3.store, b"ours")
    strangers = [f"{s3.prefix}er/{kept.staged.key}", kept.staged.key, f"{s3.prefix}/{kept.staged.key}-more", "other/object"]
    for name in strangers:
        s3.raw.put_object(Bucket=s3.bucket, Key=name, Body=b"theirs")
    begun = {s3.raw.create_multipart_upload(Bucket=s3.bucket, Key=name)["UploadId"]: name for name in (strangers[0], strangers[2])}
    found = {keys.upload_of(staged.key)[1] for staged in s3.store.staged_before(-60)}
    s3.store.discard(kept.staged)
    sessions = {each["UploadId"] for each in s3.raw.list_multipart_uploads(Bucket=s3.bucket).get("Uploads", [])}
    left = [s3.raw.head_object(Bucket=s3.bucket, Key=name)["ContentLength"] for name in strangers]
    for name in strangers:
        s3.raw.delete_object(Bucket=s3.bucket, Key=name)
    for session, name in begun.items():
        s3.raw.abort_multipart_upload(Bucket=s3.bucket, Key=name, UploadId=session)
    own = keys.upload_of(kept.staged.key)[1]
    assert (found, sessions, left) == ({own, f"{own}-more"}, begun.keys(), [6] * 4)


def test_a_truncated_stream_frees_its_pieces(s3):
    kept = Kept(s3.stream())
    kept.write(s3.store, b"one")
    kept.write(s3.store, b"two")
    kept.staged = s3.store.truncate(kept.staged, 3)
    assert s3.objects() == [kept.staged.pieces[0].key]
    assert s3.store.truncate(kept.staged, 0).pieces == ()
    assert s3.objects() == []


def test_pieces_that_are_lost_are_told(s3):
    kept = Kept(s3.stream())
    kept.write(s3.store, b"one")
    kept.write(s3.store, b"two")
    s3.raw.delete_object(Bucket=s3.bucket, Key=f"{s3.prefix}/{kept.staged.pieces[0].key}")
    with pytest.raises(UploadError) as refusal:
        kept.sealed(s3.store)
    assert refusal.value.code is Code.GONE


def test_a_piece_that_became_shorter_is_told(s3):
    kept = Kept(s3.stream())
    kept.write(s3.store, b"one")
    kept.write(s3.store, b"two")
    s3.raw.put_object(Bucket=s3.bucket, Key=f"{s3.prefix}/{kept.staged.pieces[0].key}", Body=b"o")
    with pytest.raises(UploadError) as refusal:
        kept.sealed(s3.store)
    assert refusal.value.code is Code.GONE


def test_a_stream_cannot_go_on_behind_parts_that_nobody_kept(s3):
    body = Sender(b"more")
    with pytest.raises(UploadError) as refusal:
        s3.store.write(s3.stream(), PART, PART, body, ENDLESS, quiet)
    assert (refusal.value.code, body.taken) == (Code.GONE, 0)


@pytest.mark.parametrize("call", ["held", "seal", "put_part", "write"])
def test_a_multipart_that_a_lifecycle_rule_ended_is_gone(s3, call):
    data = WHOLE[:PART]
    kept = Kept(s3.stream())
    kept.write(s3.store, data)
    s3.raw.abort_multipart_upload(Bucket=s3.bucket, Key=f"{s3.prefix}/{kept.staged.key}", UploadId=kept.staged.session)
    calls = {
        "held": lambda: s3.store.held(kept.staged, kept.parts, PART),
        "seal": lambda: kept.sealed(s3.store),
        "put_part": lambda: s3.store.put_part(kept.staged, Slot(2, PART, PART), Sender(data), quiet),
        "write": lambda: kept.write(s3.store, data),
    }
    with pytest.raises(UploadError) as refusal:
        calls[call]()
    assert refusal.value.code is Code.GONE


def test_a_whole_larger_than_one_copy_takes_is_copied_in_runs(s3, tmp_path):
    kept = Kept(s3.stream())
    kept.write(s3.store, WHOLE)
    sealed = kept.sealed(s3.store)
    runs = Sealing(Link(parse(s3.url)), Spool(tmp_path), copy_most=PART, copy_run=PART)
    for _ in range(2):
        runs.promote(sealed, s3.blob_of(sealed))
        assert fetched(s3.store, s3.blob_of(sealed)) == WHOLE
    s3.tamper(sealed)
    with pytest.raises(UploadError) as refusal:
        runs.promote(sealed, s3.blob_of(sealed))
    assert refusal.value.code is Code.CHANGED
    assert s3.sessions() == []


def test_a_copy_that_a_crash_left_is_swept_and_what_rests_stays(s3):
    kept = Kept(s3.stream())
    kept.write(s3.store, b"bytes")
    key = s3.blob_of(kept.staged)
    s3.store.promote(kept.sealed(s3.store), key)
    s3.store.discard(kept.staged)
    s3.raw.create_multipart_upload(Bucket=s3.bucket, Key=f"{s3.prefix}/{key}")
    for staged in list(s3.store.staged_before(-60)):
        s3.store.discard(staged)
    assert s3.left() == [key]


# ---------------------------------------------------------------- faults


CALLS = {
    "stage": lambda s: s.stage("staging/t/u", planned=True, length=10),
    "write": lambda s: s.write(Staged("staging/t/u"), 0, PART, Sender(b"x"), ENDLESS, quiet),
    "write parts": lambda s: s.write(Staged("staging/t/u"), 0, PART, Sender(WHOLE[: PART + 1]), ENDLESS, quiet),
    "put_part": lambda s: s.put_part(Staged("staging/t/u", session="x"), Slot(1, 0, 1), Sender(b"x"), quiet),
    "held": lambda s: s.held(Staged("staging/t/u", session="x"), Parts("t", "u"), PART),
    "seal": lambda s: s.seal(Staged("staging/t/u"), Parts("t", "u"), 10),
    "land": lambda s: landed(s, Staged("staging/t/u", etag="e", size=1)),
    "promote": lambda s: s.promote(Staged("staging/t/u", etag="e", size=1), "blobs/t/u"),
    "discard": lambda s: s.discard(Staged("staging/t/u")),
    "fetch": lambda s: fetched(s, "blobs/t/u"),
    "delete": lambda s: s.delete("blobs/t/u"),
    "save": lambda s: s.save("manifests/t/u.json", b"{}"),
    "load": lambda s: s.load("manifests/t/u.json"),
    "remove": lambda s: s.remove("manifests/t/u.json"),
    "staged_before": lambda s: list(s.staged_before(0)),
    "ping": lambda s: s.ping(),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_bucket_that_nobody_made_is_the_stores_fault(seaweed, nobodys, call):
    with pytest.raises(StoreDown, match=r"NoSuchBucket|404"):
        CALLS[call](nobodys)


@pytest.fixture(scope="module")
def nobodys(seaweed):
    return opened(seaweed.store_url("bucket-that-nobody-made", "p"))


@pytest.mark.timeout(30)
@pytest.mark.parametrize("call", ["ping", "fetch", "write"])
def test_a_server_that_is_down_is_the_stores_fault_and_soon(seaweed, call):
    [port] = free_ports(1)
    with pytest.raises(StoreDown, match=f"127.0.0.1:{port}"):
        CALLS[call](opened(f"s3://bucket/p?endpoint=http://127.0.0.1:{port}&region=us-east-1"))


def test_a_wrong_secret_is_the_stores_fault_and_is_not_told(s3, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush-hush")
    with pytest.raises(StoreDown, match=r"SignatureDoesNotMatch|403") as down:
        opened(s3.url).save("manifests/t/u.json", b"{}")
    assert "hush" not in str(down.value)
    assert s3.server.access_key not in str(down.value)


def test_missing_credentials_are_the_stores_fault(s3, monkeypatch, tmp_path):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    store = opened(s3.url)
    for call in (store.ping, lambda: store.part_url(Staged("staging/t/u", session="s"), Slot(1, 0, 1), exact=True, expires=0)):
        with pytest.raises(StoreDown, match="credentials"):
            call()


def test_a_spool_that_is_full_or_in_the_way_is_the_stores_fault(s3, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreDown, match="file"):
        CALLS["write"](opened(s3.url, tmp_path / "file" / "spool"))


def test_nothing_is_left_in_the_spool(s3, tmp_path):
    store = opened(s3.url, tmp_path / "spool")
    kept = Kept(s3.stream())
    kept.write(store, WHOLE)
    with store.land(kept.sealed(store)):
        assert list((tmp_path / "spool").iterdir()) == []


def test_a_child_of_a_fork_makes_a_client_of_its_own(s3, monkeypatch):
    link = Link(parse(s3.url))
    with link.speaking() as before, link.speaking() as again:
        assert before is again
    monkeypatch.setattr(os, "getpid", lambda: -1)
    with link.speaking() as after:
        assert after is not before
