"""A Slipway over HTTP: where it is, who we are there, and what its answers mean."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from importlib.metadata import version
from pathlib import Path
from typing import Any, ParamSpec, Protocol, cast
from urllib.parse import urlsplit

import click
import urllib3
from urllib3.exceptions import HTTPError, LocationParseError, LocationValueError, MaxRetryError, SSLError

from app.cli.patience import Again, GivenUp, Patience, retry_after
from app.core.errors import Code
from app.settings import SettingsError, readers, some

P = ParamSpec("P")
Json = dict[str, Any]

BLOCK = 128 * 1024  # bytes handed to the socket at once; each must leave within CONNECT seconds
CONNECT, READ = 30.0, 60.0  # seconds
PASSING = frozenset({408, 429, 500, 502, 503, 504})  # statuses that the next try may not meet
HTTP_URL = readers.url("http", "https")
WAITING = 5  # seconds that `Prefer: wait` asks for: short, so that proxies with short patience do not cut it


class Readable(Protocol):
    """A body, read once from front to back."""

    def read(self, limit: int, /) -> bytes:
        """At most `limit` bytes, none at the end."""


class Refused(Exception):
    """The server said no. `code` is the problem's own where it has one; the message is its sentence."""

    def __init__(self, status: int, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.code = status, code


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `document` is empty where it was no JSON object."""

    status: int
    headers: Mapping[str, str]
    document: Json

    @property
    def after(self) -> float:
        """Seconds that it asks to wait."""
        return retry_after(self.headers.get("Retry-After"))

    @property
    def good(self) -> bool:
        """Whether it is what was wanted."""
        return self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def passing(self) -> bool:
        """Whether the same request may be answered otherwise later: a request whose connection broke may still be waited for there."""
        busy = "Retry-After" in self.headers or self.document.get("code") == Code.LOCKED
        return self.status in PASSING or (self.status == HTTPStatus.CONFLICT and busy)

    def refusal(self, host: str) -> Refused:
        """The error that it is."""
        problem = self.document
        sentence = problem.get("detail") or problem.get("title") or f"{host} answered with status {self.status}"
        return Refused(self.status, str(problem.get("code") or f"http_{self.status}"), str(sentence))


class Remote:
    """One Slipway and one key. Used by many threads at once; everything but `once` is tried again in patience."""

    def __init__(self, url: str, key: str, patience: Patience, connections: int = 8) -> None:
        self.url, self.key, self.patience = url.rstrip("/"), key, patience
        self._pool = urllib3.PoolManager(
            maxsize=connections,
            retries=False,  # what is repeated, and when, is ours to say
            timeout=urllib3.Timeout(connect=CONNECT, read=READ),
            blocksize=BLOCK,
        )
        self._agent = {"User-Agent": f"slipway/{version('slipway')}"}

    def ask(self, method: str, path: str, document: Json | None = None, headers: Mapping[str, str] | None = None) -> Answer:
        """The good answer of our own API. Raises Refused, GivenUp, Stopped."""
        body = None if document is None else json.dumps(document).encode()
        kind = {} if body is None else {"Content-Type": "application/json"}
        return self.patience.through(lambda _: self.good(method, path, body, {**kind, **(headers or {})}))

    def good(self, method: str, path: str, body: bytes | Readable | None, headers: Mapping[str, str]) -> Answer:
        """One try at our own API. Raises Again or Refused."""
        answer = self.once(method, self.url + path, body, {"Authorization": f"Bearer {self.key}", **headers})
        if answer.good and (answer.document or answer.status == HTTPStatus.NO_CONTENT):
            return answer
        if answer.good:  # a page of a proxy, or of somebody else
            raise Refused(answer.status, "no_slipway", f"{_host(self.url)} answered with no JSON; is there a Slipway?")
        refusal = answer.refusal(self.url)
        if answer.passing:
            raise Again(str(refusal), answer.after) from refusal
        raise refusal

    def once(self, method: str, url: str, body: bytes | Readable | None, headers: Mapping[str, str]) -> Answer:
        """One request, whatever the status. A signed URL is asked without the key. Raises Again when no answer came, GivenUp when none can."""
        try:
            came = self._pool.request(method, url, body=cast("bytes | None", body), headers={**self._agent, **headers}, redirect=False)
        except (LocationParseError, LocationValueError, SSLError) as wrong:
            raise GivenUp(f"{_host(url)}: {_plainly(wrong)}") from wrong
        except HTTPError as broken:
            raise Again(f"{_host(url)}: {_plainly(broken)}") from broken
        self.patience.reached = True
        return Answer(came.status, came.headers, _object(came.data))

    def path(self, url: str) -> str:
        """The path and query of one of the server's own URLs: a proxy in between may know it by another name than we do."""
        parts = urlsplit(url)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    def operation(self, id: str, wait: float = 0.0) -> Json:
        """An operation as it stands, or after at most `wait` seconds as soon as it is final."""
        headers = {"Prefer": f"wait={max(1, int(min(wait, WAITING)))}"} if wait > 0 else {}
        answer = self.ask("GET", f"/v1/operations/{id}", headers=headers)
        return answer.document | ({} if final(answer.document) else {"after": answer.after})


def final(operation: Json) -> bool:
    """Whether an operation came to an end."""
    return operation.get("status") in {"completed", "failed", "cancelled"}


def _host(url: str) -> str:
    return urlsplit(url).netloc or url


def _plainly(fault: Exception) -> str:
    """What a person wants to know of a fault of the library's."""
    inner = fault.reason if isinstance(fault, MaxRetryError) and fault.reason else fault
    return str(inner).rpartition("): ")[2].rpartition("> ")[2] or type(inner).__name__


def _object(content: bytes) -> Json:
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


# ---------------------------------------------------------------- whom to speak to


def somebody(url: str | None, key: str | None) -> tuple[str, str]:
    """The address and the key: as said, else of the environment, else of the data folder, whose key goes to its own address only.

    Raises click.UsageError when that leaves one open.
    """
    try:
        told, secret, data = some("remote_url", "remote_key", "data")
    except SettingsError as fault:
        raise click.UsageError(str(fault)) from fault
    kept = _kept(data / "credentials.json")
    where = (url or told or kept.get("url", "")).rstrip("/")
    who = key or secret or (kept.get("api_key", "") if where == kept.get("url", "").rstrip("/") else "")
    if not where or not who:
        missing = "which Slipway: say --url or SLIPWAY_URL" if not where else f"the key for {where}: say --key or SLIPWAY_KEY"
        raise click.UsageError(f"It is not known {missing} (in the folder of a running `slipway up` nothing needs to be said).")
    try:
        HTTP_URL(where)
    except ValueError as wrong:
        raise click.UsageError(f"{where!r} is no http:// or https:// URL.") from wrong
    if not who.isascii() or not who.isprintable() or " " in who:
        raise click.UsageError("That is no key: keys have printable ASCII letters only.")
    return where, who


def _kept(file: Path) -> dict[str, str]:
    try:
        found = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return {name: text for name, text in found.items() if isinstance(text, str)} if isinstance(found, dict) else {}


def speaking(command: Callable[P, None]) -> Callable[P, None]:
    """A command that speaks to a Slipway: --url and --key."""
    for option in (
        click.option("--key", metavar="KEY", help="The API key. Default: SLIPWAY_KEY (others on a machine may see options), or as --url."),
        click.option("--url", metavar="URL", help="The Slipway. Default: SLIPWAY_URL, or what `slipway up` keeps in the data folder."),
    ):
        command = option(command)
    return command


def aloud(command: Callable[P, None]) -> Callable[P, None]:
    """What a server or the network refuses is said in a line; the exit status is 1."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except (Refused, GivenUp) as fault:
            raise click.ClickException(str(fault)) from fault

    return run
