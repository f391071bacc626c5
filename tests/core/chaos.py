"""A house in which everything happens at once: use cases by lot, others in the middle of them, faults, crashes, time-outs of workers.

A seed tells the whole story, so a story that ended badly can be told again. `drain` lets the house come to rest; what stands then must
agree (`tests.core.agreement`).
"""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import replace
from itertools import count
from types import SimpleNamespace

from app.core.attaching import Attaching
from app.core.carrying import Carrying
from app.core.documents import Documents
from app.core.emptying import Emptying
from app.core.errors import Fault, Moved, RecordsDown, StoreDown, UploadError
from app.core.fetched import Fetching
from app.core.folders import Folders
from app.core.library import Library
from app.core.operation import RENDER
from app.core.policy import DAY
from app.core.reception import Opening
from app.core.refs import Kind
from app.core.requeue import Requeue
from app.core.retention import Retention
from app.core.target import Target
from app.core.upload import State
from app.records import keys
from tests.core.worlds import ACME, ANY_FILE, Bytes
from tests.services.pictures import photo

CONTENTS = (*(photo(8, 8, "PNG", seed=seed) for seed in (1, 2, 3)), b"one", b"two", b"three")
FOR_EVER = replace(ANY_FILE, asset_ttl=None)
FOR_DAYS = replace(ANY_FILE, asset_ttl=3 * DAY)
DEEP = 3  # use cases in the middle of one another


class Crash(BaseException):
    """A worker is killed."""


class Late(Exception):
    """The task runner says that the time is up."""


class Unlucky:
    """A port, around whose calls things happen: faults before and after, a crash, other use cases in the middle of a commit."""

    def __init__(self, chaos, port, fault) -> None:
        self._chaos, self._port, self._fault = chaos, port, fault

    def __getattr__(self, name):
        call = getattr(self._port, name)
        if name == "now":
            return call
        return self._commit if name == "commit" else self._around(call)

    def _around(self, call):
        def called(*args, **kwargs):
            self._chaos.meanwhile(0.08)
            self._trouble()
            done = call(*args, **kwargs)
            self._trouble()
            return done

        return called

    def _commit(self, refs, step):
        def raced(*found):
            change = step(*found)
            self._chaos.meanwhile(0.4)
            return change

        self._trouble()
        change = self._port.commit(refs, raced)
        self._trouble()  # the outcome is unknown to who waits for it
        return change

    def _trouble(self) -> None:
        chaos = self._chaos
        if chaos.calm:
            return
        lot = chaos.dice.random()
        if chaos.working and lot < 0.02:
            raise Crash
        if chaos.working and not chaos.late and lot > 0.98:
            chaos.late = True
            raise Late
        if lot < 0.06:
            raise self._fault("by lot")


class Chaos:
    """The house, and everything that somebody may do in it: every method that begins with `do_`."""

    def __init__(self, door, seed: int, monkeypatch) -> None:
        self.door, self.house, self.dice = door, door.house, random.Random(seed)
        self.calm, self.depth, self.working, self.late = False, 0, 0, False
        self.records, self.store, self.raw = door.house.records, door.house.store, door._redis()
        self.at = 0.0  # the monotonic clock
        door.jobs.hold = True
        door.fetcher.files = {f"http://host/{n}": content for n, content in enumerate(CONTENTS)}
        numbers = count()
        monkeypatch.setattr("app.core.keys.new_id", lambda: f"{next(numbers):08}")
        monkeypatch.setattr("app.core.attaching.time", SimpleNamespace(monotonic=lambda: self.at, sleep=self._sleep))
        self._build()
        self.actions = sorted(name for name in dir(self) if name.startswith("do_"))

    def _build(self) -> None:
        records, store = Unlucky(self, self.records, RecordsDown), Unlucky(self, self.store, StoreDown)
        patient = {"interrupts": (Late,), "tries": 2, "pause": 0.0}
        attaching, fetching = Attaching(records, self.door.jobs), Fetching(records, store, self.door.fetcher)
        self.library = Library(records, store)
        self.folders, self.documents = Folders(records, self.library), Documents(records, self.library)
        self.reception = replace(self.house.reception, records=records, store=store)
        self.rendering = replace(self.house.rendering, records=records, store=store)
        self.processing = replace(self.house.processing, records=records, store=store, attaching=attaching, fetching=fetching, **patient)
        self.drawing = replace(self.house.drawing, records=records, store=store, carrying=Carrying(records, **patient))
        self.retention = Retention(records, store)
        self.requeue = Requeue(self.retention, self.door.jobs, lambda: self.at)
        self.emptying = Emptying(self.retention, self.library)
        self.sweeps = (
            self.retention.expire_uploads,
            self.retention.purge_assets,
            self.retention.purge_operations,
            self.retention.write_manifests,
            self.retention.delete_doomed,
            self.emptying.empty_folders,
            self.requeue.requeue_stalled,
        )

    # ------------------------------------------------------------ telling the story

    def act(self) -> None:
        """One use case by lot; that it is refused, or meets a fault, is no news."""
        with suppress(UploadError, Fault):
            getattr(self, self.dice.choice(self.actions))()

    def meanwhile(self, chance: float) -> None:
        """Perhaps somebody else does something."""
        if self.calm or self.depth >= DEEP or self.dice.random() > chance:
            return
        working, self.working = self.working, 0
        self.depth += 1
        self.act()
        self.depth -= 1
        self.working = working

    def _sleep(self, seconds: float) -> None:
        self.at += seconds
        self.meanwhile(1.0)

    def work(self, ref) -> None:
        """A worker gets a message, and may not live to see its end."""
        op = self.records.get(ref)
        self.working += 1
        with suppress(Crash, Late, Fault):
            (self.drawing.draw if op and op.kind == RENDER else self.processing.process)(ref.tenant, ref.id)
        self.working -= 1
        self.late = False

    def drain(self) -> None:
        """No more trouble, and time enough for every sweep."""
        self.calm = True
        self._pass(2 * DAY)
        for _ in range(100):
            while self.door.jobs.waiting:
                self.work(self.door.jobs.waiting.popleft())
            if all(op.final for op in self.every(Kind.OPERATION)):
                break
            self._pass(70)
            self.retention.expire_uploads()
            self.requeue.requeue_stalled()
        for _ in range(3):
            self.emptying.empty_folders()
            self.retention.write_manifests()
            self._pass(200)
            self.retention.delete_doomed()

    def leave(self) -> None:
        """Everything is deleted, and every time is over."""
        for paper in self.every(Kind.DOCUMENT):
            self.documents.delete(paper)
        for folder in self.every(Kind.FOLDER):
            self.folders.delete(folder)
        for of in self.every(Kind.ASSET):
            with suppress(Moved):  # it went with its document
                self.library.delete(of)
        for _ in range(4):
            self._pass(31 * DAY)
            self.door.sweep()

    def _pass(self, seconds: float) -> None:
        self.door.pass_time(seconds)
        self.at += seconds

    # ------------------------------------------------------------ drawing lots

    def every(self, kind: Kind) -> list:
        """All records of a kind, in the order of their names."""
        return [found for key in sorted(self.raw.scan_iter(f"{kind.value}:*")) if (found := self.records.get(keys.ref_of(key)))]

    def some(self, kind: Kind, fits=lambda _: True):
        """One of them, or None."""
        found = [each for each in self.every(kind) if fits(each)]
        return self.dice.choice(found) if found else None

    def names(self, of: str = "abcxyz") -> tuple[str, ...]:
        return tuple(self.dice.sample(of, self.dice.randint(0, 2)))

    def place(self) -> str | None:
        folder = self.some(Kind.FOLDER)
        return folder.id if folder and self.dice.random() < 0.5 else None

    def target(self) -> Target:
        paper = self.some(Kind.DOCUMENT)
        lots = [
            {"parent": self.place()},
            {"asset_id": "mine", "replace": True, "revisions": 2},
            {"asset_id": "mine", "replace": True, "move": True, "parent": self.place(), "expected": self.dice.choice([None, 0, 1, 2])},
            {"asset_id": self.dice.choice(["mine", "yours"]), "parent": self.place()},
            {"by_alias": self.dice.choice("xyz"), "parent": self.place()},
            {"same_alias": True, "unless_same": self.dice.random() < 0.5},
            {"document": paper.id, "slot": self.dice.choice(["en", "de"])} if paper else {},
        ]
        return Target(aliases=self.names("abc"), **self.dice.choice(lots))

    # ------------------------------------------------------------ uploads and operations

    def do_upload(self) -> None:
        up = self.reception.open(ACME, "v1", self.dice.choice([FOR_EVER, FOR_DAYS]), Opening("n", target=self.target()))
        self.reception.take(up, Bytes(self.dice.choice(CONTENTS)))

    def do_withdraw(self) -> None:
        self.reception.withdraw(self.reception.open(ACME, "v1", FOR_EVER, Opening()))

    def do_fetch(self) -> None:
        opening = Opening("n", source=f"http://host/{self.dice.randrange(len(CONTENTS) + 1)}", target=self.target())
        self.reception.fetch(ACME, "v1", FOR_EVER, opening)

    def do_keep_an_upload(self) -> None:
        up = self.reception.open(ACME, "v1", FOR_EVER, Opening("n", kept=True, expires_at=self.records.now() + DAY))
        self.reception.take(up, Bytes(self.dice.choice(CONTENTS)))

    def do_attach(self) -> None:
        if up := self.some(Kind.UPLOAD, lambda up: up.kept and up.state is State.FINISHED):
            self.reception.attach(ACME, up, self.target())

    do_attach_again = do_attach

    def do_discard(self) -> None:
        if up := self.some(Kind.UPLOAD, lambda up: up.kept):
            self.reception.discard(up)

    def do_cancel(self) -> None:
        if op := self.some(Kind.OPERATION, lambda op: not op.final):
            self.reception.cancel(op)

    def do_work(self) -> None:
        if waiting := self.door.jobs.waiting:
            at = self.dice.randrange(len(waiting))
            ref = waiting[at]
            if self.dice.random() < 0.9:  # else it comes twice
                del waiting[at]
            self.work(ref)

    do_more_work = do_still_more_work = do_work

    def do_lose_a_message(self) -> None:
        if self.door.jobs.waiting and self.dice.random() < 0.3:
            self.door.jobs.waiting.popleft()

    def do_sweep(self) -> None:
        self.dice.choice(self.sweeps)()

    do_sweep_again = do_sweep

    def do_let_time_pass(self) -> None:
        self._pass(self.dice.choice([5, 12, 60, 200, 3700, DAY]))
