"""Bytes through our own doors: the signed PUTs of an upload and of its parts, and an asset's bytes on their way out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import partial

from flask import Blueprint, Response, request
from werkzeug.wsgi import FileWrapper

from app.core.asset import Asset
from app.core.errors import Code, UploadError
from app.core.facts import Facts
from app.core.operation import Operation
from app.core.parts import Part
from app.core.policy import Principal
from app.core.ports import Fetched
from app.core.streams import Verify
from app.core.upload import Upload
from app.web import accel, conditions, digests
from app.web.bodies import Flow, raw_body
from app.web.dialect import doors
from app.web.replies import accepted, monitor_url

TRANSFERS = Blueprint("transfers", __name__, url_prefix="/transfers")

INERT = "application/octet-stream"
SHOWN = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "image/avif", "image/tiff"})
CHUNK = 256 * 1024

Opener = Callable[[int, int], AbstractContextManager[Fetched]]


def upload_path(up: Upload) -> str:
    """Where the whole of an upload is PUT."""
    return f"/transfers/{up.tenant}/{up.id}"


@TRANSFERS.put("/<tenant>/<id>")
def put_whole(tenant: str, id: str) -> Response:
    """The whole file, or with Content-Range (RFC 9110, section 14.5) the next bytes of it."""
    up = _signed(tenant, id)
    part = conditions.content_range(request.headers.get("Content-Range"))
    if part is None:
        return _promised(receive_whole(up), up)
    if part.total is not None and up.length not in {None, part.total}:
        raise UploadError(Code.BAD_REQUEST, reason=f"the upload has {up.length} bytes, Content-Range says {part.total}")
    body, verify = digests.verified(raw_body(request), request.headers)
    if body.length not in {None, part.length}:
        raise UploadError(Code.BAD_REQUEST, reason=f"Content-Range says {part.length} bytes, the body has {body.length}")
    up = doors().reception.streams.declare(up, part.total, digests.whole_file(request.headers))
    kept = doors().reception.append(up, body, part.first, verify)
    if kept.offset == (part.total or up.length):
        return _promised(doors().reception.finish(kept), up)
    return Response(status=204, headers={"Upload-Offset": str(kept.offset)})


def receive_whole(up: Upload) -> Operation:
    """Take the request's body as the whole upload, verified by the digests that the request carries."""
    body, verify = digests.verified(raw_body(request), request.headers)
    return doors().reception.take(up, body, verify)


@TRANSFERS.put("/<tenant>/<id>/parts/<int:number>")
def put_part(tenant: str, id: str, number: int) -> Response:
    """One part of a plan; the ETag is what `complete` may name."""
    up = _signed(tenant, id)
    body, verify = digests.verified(raw_body(request), request.headers)
    part = accept_part(up, number, body, verify)
    return Response(status=200, headers={"ETag": f'"{part.etag}"'})


def accept_part(up: Upload, number: int, body: Flow, verify: Verify | None = None) -> Part:
    """One part of a plan, with the record of its digest where the policy wants it. Raises as `Reception.accept_part`."""
    if not up.policy.part_digests:
        return doors().reception.accept_part(up, number, body, verify)
    hashed = digests.FingerprintedBody(body)
    return doors().reception.accept_part(up, number, hashed, verify, hashed.digest)


def _signed(tenant: str, id: str) -> Upload:
    args = request.args
    doors().signer.verify("PUT", request.path, args.get("expires", ""), args.get("signature", ""), doors().now())
    return doors().library.upload(Principal(tenant, ""), id)


def _promised(op: Operation, up: Upload) -> Response:
    return accepted({"operationId": op.id, "status": op.status.value}, monitor_url(op, up.dialect))


# ---------------------------------------------------------------- out


def send(asset: Asset, facts: Facts, disposition: str = "attachment") -> Response:
    """The bytes of an asset: whole, or the one range asked for; 304 when the client has them.

    Never executable in a browser: only image types that cannot carry a script keep their type, `nosniff` and a closed
    Content-Security-Policy see to the rest.
    """
    return deliver(headers(asset.filename, facts, disposition), facts.size, partial(doors().library.read, asset))


def deliver(head: Mapping[str, str], size: int, opened: Opener) -> Response:
    """What `opened(first, length)` gives of `size` bytes, with the headers of a whole answer, judged by their ETag: whole, a range, or 304."""
    etag = head["ETag"]
    conditions.require_still(request, etag, etag)  # first of all, RFC 9110, section 13.2.2
    if conditions.not_modified(request, etag):  # before the range, RFC 9110, section 13.2.2
        return Response(status=304, headers={k: v for k, v in head.items() if k in {"ETag", "Cache-Control"}})
    span = conditions.span(request, size, etag)
    shown = {**head, "Content-Length": str(span.length)}
    if span.partial:
        shown["Content-Range"] = f"bytes {span.first}-{span.first + span.length - 1}/{size}"
    status = 206 if span.partial else 200
    if request.method == "HEAD" or size == 0:
        return Response(status=status, headers=shown)  # of 0 bytes: nothing to read, and sendfile takes no count of 0
    stack = ExitStack()
    out = Outgoing(stack.enter_context(opened(span.first, span.length)), stack)  # opened now so that a failure still has a status
    if place := accel.place(request, out.fetched, span):
        out.close()
        return Response(headers=accel.headers(head, place))
    response = Response(status=status, headers=shown, direct_passthrough=True)
    response.response = _body(out, whole=span.length == size)
    return response


def headers(filename: str, facts: Facts, disposition: str) -> dict[str, str]:
    """What goes with the bytes of these facts, as this house sends them; a dialect may lay its vendor's over them."""
    return {
        "ETag": f'"{facts.digest.removeprefix("sha256:")}"',
        "Accept-Ranges": "bytes",
        "Content-Type": facts.media_type if facts.media_type in SHOWN else INERT,
        "Content-Disposition": conditions.content_disposition(filename, disposition),
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "same-site",
        "Cache-Control": "private, max-age=0, must-revalidate",
        "Repr-Digest": digests.repr_digest(facts.digest),
    }


def _body(out: Outgoing, *, whole: bool) -> Iterable[bytes]:
    """A whole file goes out through the server's own file wrapper (sendfile under gunicorn) where the store has a file."""
    if out.fetched.file is None or not whole:
        return out
    wrapper: Callable[[Outgoing, int], Iterable[bytes]] = request.environ.get("wsgi.file_wrapper", FileWrapper)
    return wrapper(out, CHUNK)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Bytes on their way out, as a WSGI server wants them: iterated, or read as a file; what lies open behind them closes with them."""

    fetched: Fetched
    stack: ExitStack

    def __iter__(self) -> Iterator[bytes]:
        return self.fetched.chunks

    def read(self, size: int) -> bytes:
        """As a file does."""
        return self.fetched.file.read(size) if self.fetched.file else b""

    def fileno(self) -> int:
        """Of the open file; what sendfile takes."""
        return self.fetched.file.fileno() if self.fetched.file else -1

    def close(self) -> None:
        """Called by the server, however the request ends (PEP 3333)."""
        self.stack.close()
