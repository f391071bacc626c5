"""The port Jobs without a broker: messages wait in a list until they are run, or run at once. For tests and demos."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from app.core.refs import Ref
from app.jobs import names

Work = Callable[[str, str], object]  # what a worker does with tenant and operation id: `house.processing.process`


class InlineJobs:
    """`work` runs in the caller's thread. With `hold`, messages wait for `run`, as in a queue that nobody reads."""

    def __init__(self, work: Work | None = None, *, hold: bool = False) -> None:
        self.work = work
        self.hold = hold
        self.waiting: deque[Ref] = deque()
        self.canaries = 0

    def process(self, ref: Ref) -> None:
        """Take the message; unless held, run it."""
        self.waiting.append(ref)
        if not self.hold:
            self.run()

    def canary(self) -> None:
        """Counted."""
        self.canaries += 1

    def backlog(self) -> int:
        """How many messages wait."""
        return len(self.waiting)

    def backlogs(self) -> dict[str, int]:
        """All wait in one queue."""
        return {names.PROCESSING: self.backlog()}

    def run(self, *, times: int = 1) -> int:
        """Hand out all that waits, each message `times` times, as a broker may; how many messages there were."""
        handed = 0
        while self.waiting:
            ref = self.waiting.popleft()
            handed += 1
            for _ in range(times):
                if self.work is not None:
                    self.work(ref.tenant, ref.id)
        return handed
