"""Messages to the workers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from app.core.refs import Ref


class Jobs(Protocol):
    """Hands work to the workers. A message may be lost or doubled; the lease and the compare-and-set make up for both."""

    def process(self, ref: Ref) -> None:
        """Ask for the operation to be processed. Raises BrokerDown; never waits longer than a few seconds."""

    def canary(self) -> None:
        """Send one canary to every queue. Raises BrokerDown."""

    def backlog(self) -> int:
        """How many messages wait in the processing queue. Raises BrokerDown."""

    def backlogs(self) -> Mapping[str, int]:
        """How many messages wait in each queue, by its name. Raises BrokerDown."""
