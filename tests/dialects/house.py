"""A whole house in one process: records on a fake Redis, bytes in memory, workers in the caller's thread, a clock that tests move.

A test of a door is a table of rows: method, path, headers, body → status, headers, body. `Door.run` runs one.
"""

from __future__ import annotations

import base64
import hashlib
import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import fakeredis

from app.access import Access
from app.core.attaching import Attaching
from app.core.carrying import Carrying
from app.core.documents import Documents
from app.core.drawing import Drawing
from app.core.emptying import Emptying
from app.core.errors import Code, UploadError
from app.core.fetched import Fetching
from app.core.folders import Folders
from app.core.library import Library
from app.core.policy import Principal, Scope
from app.core.pressure import Bounds, Pressure
from app.core.processing import Processing
from app.core.recent import Recent
from app.core.reception import Reception
from app.core.rendering import Rendering
from app.core.requeue import Requeue
from app.core.retention import Retention
from app.core.signing import Signer
from app.core.tally import Limits
from app.factory import create_app
from app.imaging import PillowGauge, PillowRenderer
from app.jobs import InlineJobs
from app.records import records_over
from app.settings import from_env
from app.stores import open_store
from app.wiring import House
from tests.core.worlds import Bytes
from tests.dialects import told

SHIFT = "test:shift"
BASE = "http://slipway.test"
DOORS = ("v1", "wdesk", "backoffice", "nomad", "contentful", "squidex")
UNLIMITED = {f"SLIPWAY_{name.upper()}_REQUESTS_PER_SECOND": "0" for name in DOORS}  # for who walks through a whole door


@dataclass(frozen=True)
class Row:
    """A request, and what must come back. Values of `sends` and `shows` that are callables judge; others must be equal, None: not there."""

    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    status: int = 200
    sends: dict[str, Any] = field(default_factory=dict)
    shows: dict[str, Any] = field(default_factory=dict)
    environ: dict[str, Any] = field(default_factory=dict)


class Shelf:
    """A fetcher that has some files: `files[url] = content`."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    @contextmanager
    def fetch(self, url: str, limit: int):
        if url not in self.files:
            raise UploadError(Code.FETCH_FAILED, reason="the server answered 404")
        if len(self.files[url]) > limit:
            raise UploadError(Code.TOO_LARGE, limit=limit)
        yield Bytes(self.files[url])


class Door:
    """The app, the house behind it, and the credentials of those who come."""

    def __init__(self, data, packages=("app.dialects",), **env: str) -> None:
        given = {"SLIPWAY_DATA": str(data), "SLIPWAY_SECRET": "made up for tests", "SLIPWAY_STORE": "memory:", **env}
        self.settings = from_env(given)
        self.packages = packages
        server = fakeredis.FakeServer(version=(6, 2))
        self._redis = lambda: fakeredis.FakeRedis(server=server, decode_responses=True, protocol=2)
        self.room = records_over(self._redis, SHIFT, Limits(self.settings.quota_bytes, self.settings.quota_uploads))
        self.jobs = InlineJobs()
        self.bounded = bool({"SLIPWAY_MAX_WAIT", "SLIPWAY_REDIS_FULL", "SLIPWAY_DISK_RESERVE"} & env.keys())
        self.monotonic = 0.0
        self.fetcher = Shelf()
        self.house = self._build()
        self.jobs.work = self.house.process
        self.app = create_app(self.settings, packages, self.house)
        self.client = self.app.test_client()
        self.access = self.house.access
        self.access.add_tenant("acme")
        self.access.add_tenant("other")

    def _build(self) -> House:
        records, signer = self.room.records, Signer(self.settings.secret)
        store = open_store(self.settings.store, fsync=False, signer=signer)
        self.pressure = Pressure(records, store, self._bounds(), Recent(lambda: self.monotonic))
        retention = Retention(records, store)
        library = Library(records, store)
        return House(
            settings=self.settings,
            records=records,
            locks=self.room.locks,
            signals=self.room.signals,
            pulse=self.room.pulse,
            quota=self.room.quota,
            tallies=self.room.tallies,
            replies=self.room.replies,
            pressure=self.pressure,
            store=store,
            jobs=self.jobs,
            signer=signer,
            access=Access(self.room.keyring),
            reception=Reception(records, store, self.jobs, self.room.locks, self.pressure.require_calm),
            processing=Processing(records, store, PillowGauge(), Attaching(records, self.jobs), Fetching(records, store, self.fetcher)),
            rendering=Rendering(records, store, self.jobs, self.pressure.require_calm),
            drawing=Drawing(records, store, PillowRenderer(), PillowGauge(), Carrying(records)),
            retention=retention,
            requeue=Requeue(retention, self.jobs),
            emptying=Emptying(retention, library),
            library=library,
            folders=Folders(records, library),
            documents=Documents(records, library),
        )

    def _bounds(self) -> Bounds:
        """None unless the test sets one: most move the clock far beyond any wait."""
        s = self.settings
        return Bounds(s.max_wait, s.redis_full, s.disk_reserve) if self.bounded else Bounds()

    def close(self) -> None:
        """Give the fake connections back."""
        self.room.close()

    # ------------------------------------------------------------ time, and who comes

    def pass_time(self, seconds: float) -> None:
        """The clock of the records goes on."""
        self._redis().incrbyfloat(SHIFT, seconds)

    def sweep(self) -> None:
        """One pass of the sweeps that end things."""
        self.house.retention.expire_uploads()
        self.house.emptying.empty_folders()
        self.house.retention.purge_assets()
        self.house.retention.purge_operations()
        self.house.retention.write_manifests()
        self.house.retention.delete_doomed()

    def key(self, tenant: str = "acme", role: str = "editor") -> dict[str, str]:
        """The headers of a new API key."""
        return bearer(self.access.add_key(tenant, role)[0])

    def principal(self, tenant: str = "acme") -> Principal:
        """Somebody of a tenant who may do everything."""
        return Principal(tenant, "somebody", frozenset(Scope))

    def client_of(self, tenant: str = "acme", role: str = "editor", name: str = "default") -> tuple[str, str]:
        """The id and the secret of an OAuth2 client."""
        return f"{tenant}:{name}", self.access.add_client(tenant, f"{tenant}:{name}", role)

    # ------------------------------------------------------------ requests

    def send(self, method: str, path: str, headers=None, body: Any = None, environ=None):
        """The answer to a request; a dict or list is sent as JSON. URLs of ours are cut to their path.

        What the native door answers is held against its document.
        """
        as_json = {"json": body} if isinstance(body, dict | list) else {"data": body}
        place = path.removeprefix(BASE)
        answer = self.client.open(place, method=method, headers=headers, base_url=BASE, environ_overrides=environ, **as_json)
        told.judge(self.app, method, place, answer)
        return answer

    def run(self, row: Row):
        """Send the row, judge the answer, give it back."""
        answer = self.send(row.method, row.path, row.headers, row.body, row.environ)
        said = f"{row.method} {row.path}: {answer.status} {answer.headers} {answer.get_data()[:500]!r}"
        assert answer.status_code == row.status, said
        for name, wanted in row.sends.items():
            assert _fits(answer.headers.get(name), wanted), f"{name}: {said}"
        for name, wanted in row.shows.items():
            assert _fits((answer.get_json(force=True) or {}).get(name), wanted), f"{name}: {said}"
        return answer


def _fits(found: Any, wanted: Any) -> bool:
    return bool(wanted(found)) if callable(wanted) else found == wanted


def bearer(secret: str) -> dict[str, str]:
    """The header of a key or token."""
    return {"Authorization": f"Bearer {secret}"}


def basic(name: str, secret: str) -> dict[str, str]:
    """The header of a name and its secret (RFC 7617)."""
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}


def digest_field(content: bytes, algorithm: str = "sha256") -> str:
    """The value of Content-Digest or Repr-Digest (RFC 9530)."""
    name = {"sha256": "sha-256", "sha512": "sha-512"}[algorithm]
    return f"{name}=:{base64.b64encode(hashlib.new(algorithm, content).digest()).decode()}:"


def has(**wanted: Any):
    """Judges an object: these members have these values."""
    return lambda found: found is not None and all(_fits(found.get(name), value) for name, value in wanted.items())


def says(*words: str):
    """Judges a text: it has all these words."""
    return lambda found: all(word in json.dumps(found) for word in words)


CHUNKED = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True, "CONTENT_LENGTH": ""}  # a body that only its end ends
