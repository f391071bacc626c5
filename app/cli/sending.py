"""How one file gets there: small ones in one request, large ones in parallel parts that can be gone on with."""

from __future__ import annotations

import base64
import threading
import uuid
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote

from app.cli.notes import Note, Notes
from app.cli.patience import Again
from app.cli.progress import Board
from app.cli.remote import Answer, Json, Refused, Remote
from app.cli.sources import Changed, Slice, Source, Stream, Tick, legible
from app.core.errors import Code

SMALL = 16 * 1024 * 1024  # bytes up to which a file is one request
ROUNDS = 3  # how often the server may find parts missing after all were sent
RENEWALS = 3  # how often a part's URL may be refused before that is the answer
OVER = frozenset({403, 404, 410})  # an upload that cannot be gone on with: another's, unknown, expired
OCTETS = "application/octet-stream"  # what it is gets measured there
FRESH = "Idempotency-Key"  # a POST that is sent again with the same key makes nothing twice


@dataclass(slots=True)
class Plan:
    """An upload in parts: what is still to be sent, and where to."""

    id: str
    operation: str
    urls: dict[int, str] = field(default_factory=dict)
    places: dict[int, tuple[int, int]] = field(default_factory=dict)  # number -> offset and size
    stop: threading.Event = field(default_factory=threading.Event)  # one part cannot be sent, so the others need not be


class Sender:
    """Sends files, at most `parallel` requests with bytes at a time."""

    def __init__(self, remote: Remote, notes: Notes, board: Board, *, parallel: int, digests: bool) -> None:
        self._remote, self._notes, self._board = remote, notes, board
        self._parallel, self._digests = parallel, digests
        self._lanes = threading.Semaphore(parallel)
        self._large = threading.Lock()  # one at a time: two would both come nearer to their deadlines at half the speed

    def send(self, source: Source, number: int) -> str:
        """The id of the operation. `number`: the file's on the board. Raises Refused, GivenUp, Changed, Stopped."""
        if source.size <= SMALL:
            return self._whole(source, self._tick(number))
        with self._large:
            return self._planned(source, number)

    def stream(self, filename: str, number: int) -> str:
        """Standard input, once: nothing is tried again. The id of the operation. Raises as `send`."""
        headers = {"Content-Type": OCTETS, FRESH: str(uuid.uuid4())}
        body = Stream(self._remote.patience, self._tick(number))
        try:
            return _operation(self._remote.good("POST", _named(filename), body, headers))
        except Again as broken:
            raise Changed(f"{broken}; what comes through a pipe cannot be sent again") from broken

    def _tick(self, number: int) -> Tick:
        return lambda size: self._board.tick(number, size)

    # ------------------------------------------------------------ in one request

    def _whole(self, source: Source, tick: Tick) -> str:
        headers = {"Content-Type": OCTETS, "Content-Length": str(source.size), FRESH: str(uuid.uuid4())}
        if self._digests:
            headers["Repr-Digest"] = repr_digest(source.digest(lambda _: None))

        def attempt(_: int) -> Answer:
            body = Slice(source, 0, source.size, tick)
            try:
                with self._lanes:
                    return self._remote.good("POST", _named(source.path.name), body, headers)
            except (Again, Refused):
                body.back()
                source.check()  # bytes that are refused because they changed are not the server's fault
                raise

        return _operation(self._remote.patience.through(attempt))

    # ------------------------------------------------------------ in parts

    def _planned(self, source: Source, number: int) -> str:
        place = self._notes.place(self._remote.url, self._remote.key, source.path, source.size, source.changed)
        note = self._notes.read(place)
        if note.finished and note.operation:
            self._board.tick(number, source.size)
            return note.operation
        plan, note = self._resumed(note) or self._announced(source, note, place, number)
        try:
            self._board.tick(number, source.size - sum(size for _, size in plan.places.values()))
            self._completed(source, plan, self._tick(number))
        except Changed:
            self._withdraw(plan, place)
            raise
        except Refused as refusal:
            if not Answer(refusal.status, {}, {}).passing:
                self._notes.drop(place)
            raise
        self._notes.write(place, replace(note, finished=True))
        return plan.operation

    def settled(self, source: Source) -> None:
        """The result is known: there is nothing to go on with."""
        self._notes.drop(self._notes.place(self._remote.url, self._remote.key, source.path, source.size, source.changed))

    def _withdraw(self, plan: Plan, place: Path) -> None:
        """What was sent is of no use to anybody; should the server not hear of it, it forgets it by itself."""
        self._notes.drop(place)
        with suppress(Refused, Again):
            self._remote.good("DELETE", f"/v1/uploads/{plan.id}", None, {})

    def _announced(self, source: Source, note: Note, place: Path, number: int) -> tuple[Plan, Note]:
        """A new upload. What is needed to go on is noted before the server is asked, and after it answered."""
        note = Note(digest=note.digest) if note.upload else note
        if self._digests and note.digest is None:
            self._board.stage(number, "reading")
            note = replace(note, digest=source.digest(lambda _: None))
            self._board.stage(number, "")
        self._notes.write(place, note)
        wanted: Json = {"filename": legible(source.path.name), "size": source.size, "parts": True}
        if self._digests:
            wanted["digest"] = note.digest
        made = self._made(wanted, note)
        plan = Plan(made["upload"]["id"], made["id"])
        _lay_out(plan, made["upload"]["parts"])
        note = replace(note, upload=plan.id, operation=plan.operation)
        self._notes.write(place, note)
        return plan, note

    def _made(self, wanted: Json, note: Note) -> Json:
        """The answer to an announcement. A key that was noted for another one, with other options, is of no use."""
        try:
            return self._remote.ask("POST", "/v1/uploads", wanted, {FRESH: note.idempotency}).document
        except Refused as refusal:
            if refusal.code != Code.IDEMPOTENCY_REUSED:
                raise
            return self._remote.ask("POST", "/v1/uploads", wanted, {FRESH: str(uuid.uuid4())}).document

    def _resumed(self, note: Note) -> tuple[Plan, Note] | None:
        """The upload that was begun earlier, as far as it came; None where there is none to go on with."""
        if not note.upload:
            return None
        try:
            shown = self._remote.ask("GET", f"/v1/uploads/{note.upload}").document
            plan = Plan(note.upload, shown["operationId"])
            if shown["state"] == "open":
                _lay_out(plan, self._missing(plan))
        except Refused as refusal:
            if refusal.status in OVER:
                return None
            raise
        return plan, note

    def _missing(self, plan: Plan) -> list[Json]:
        parts: list[Json] = self._remote.ask("POST", f"/v1/uploads/{plan.id}/parts").document["parts"]
        return parts

    def _completed(self, source: Source, plan: Plan, tick: Tick) -> None:
        """Every part is there, and the server says so."""
        for _ in range(ROUNDS):
            self._parts(source, plan, tick)
            source.check()
            try:
                self._remote.ask("POST", f"/v1/uploads/{plan.id}/complete")
            except Refused as refusal:
                if refusal.code != Code.PARTS_MISSING:
                    raise
                _lay_out(plan, self._missing(plan))
                tick(-sum(size for _, size in plan.places.values()))
            else:
                return
        raise Refused(409, Code.PARTS_MISSING, "Parts that were sent are not there.")

    def _parts(self, source: Source, plan: Plan, tick: Tick) -> None:
        with ThreadPoolExecutor(self._parallel) as pool:
            sent = [pool.submit(self._part, source, plan, number, tick) for number in plan.places]
            done, _ = wait(sent, return_when=FIRST_EXCEPTION)
            plan.stop.set()
            pool.shutdown(cancel_futures=True)
        plan.stop.clear()
        for each in done:
            each.result()

    def _part(self, source: Source, plan: Plan, number: int, tick: Tick) -> None:
        """One part, sent until it is held.

        After a broken connection it is asked first whether it is; else the URL is renewed, because what broke it may have been its refusal:
        a server that does not read on resets the connection, and takes its answer along.
        """
        renewed = 0

        def attempt(turn: int) -> None:
            nonlocal renewed
            if plan.stop.is_set():
                return
            if turn > renewed:
                if self._held(plan, number):
                    tick(plan.places[number][1])
                    return
                self._renew(plan, number)
            answer = self._put(source, plan, number, tick)
            if answer.status in {401, 403} and renewed < RENEWALS:
                renewed += 1
                self._renew(plan, number)
                raise Again("a signed URL ran out")
            if not answer.good:
                raise _refusal(answer, plan.urls[number])

        self._remote.patience.through(attempt)

    def _put(self, source: Source, plan: Plan, number: int, tick: Tick) -> Answer:
        offset, size = plan.places[number]
        body = Slice(source, offset, size, tick)
        try:
            with self._lanes:
                answer = self._remote.once("PUT", plan.urls[number], body, {"Content-Length": str(size)})
        except Again:
            body.back()
            raise
        if not answer.good:
            body.back()
        return answer

    def _renew(self, plan: Plan, number: int) -> None:
        fresh = self._remote.ask("POST", f"/v1/uploads/{plan.id}/parts", {"numbers": [number]}).document["parts"]
        plan.urls[number] = fresh[0]["url"]

    def _held(self, plan: Plan, number: int) -> bool:
        shown = self._remote.ask("GET", f"/v1/uploads/{plan.id}").document
        return any(part["number"] == number and part["size"] == plan.places[number][1] for part in shown.get("parts", ()))


def _lay_out(plan: Plan, parts: list[Json]) -> None:
    plan.urls = {part["number"]: part["url"] for part in parts}
    plan.places = {part["number"]: (part["offset"], part["size"]) for part in parts}


def _refusal(answer: Answer, url: str) -> Exception:
    """What a part's place said: S3 speaks no problem documents."""
    refusal = answer.refusal(url.partition("?")[0])
    return Again(str(refusal), answer.after) if answer.passing else refusal


def _operation(answer: Answer) -> str:
    return str(answer.document["id"])


def _named(filename: str) -> str:
    return f"/v1/uploads?filename={quote(legible(filename), safe='')}"


def repr_digest(digest: str) -> str:
    """A digest as a field of HTTP has it (RFC 9530)."""
    raw = bytes.fromhex(digest.removeprefix("sha256:"))
    return f"sha-256=:{base64.b64encode(raw).decode()}:"
