"""The port Jobs over Celery. One connection a process, opened at first use and kept; who waits too long for it is told that the broker is down."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

from celery import Celery
from kombu.exceptions import KombuError

from app.core import tracing
from app.core.errors import BrokerDown
from app.core.refs import Ref
from app.jobs import names
from app.jobs.broker import DOOR, address

PATIENCE = 3.0  # seconds to wait for another thread that is sending; sending takes a quarter of a millisecond
BATCH = 256  # messages that go in one round trip


class CeleryJobs:
    """Sends by task name. Safe to build before a fork, and for many threads."""

    def __init__(self, broker: str) -> None:
        self._broker = broker
        self._wires: dict[int, _Wire] = {}

    def process(self, ref: Ref) -> None:
        """Ask for the operation to be processed. Raises BrokerDown."""
        self._send(names.PROCESS, (ref.tenant, ref.id), names.PROCESSING)

    def canary(self) -> None:
        """Send one canary to every queue. Raises BrokerDown."""
        for queue, consumer in names.CONSUMERS.items():
            self._send(names.CANARY, (consumer,), queue)

    def backlog(self) -> int:
        """How many messages wait in the processing queue. Raises BrokerDown."""
        with self._wire.open() as producer, producer.channel.conn_or_acquire() as redis:
            return int(redis.llen(names.PROCESSING))

    def backlogs(self) -> dict[str, int]:
        """How many messages wait in each queue. Raises BrokerDown."""
        with self._wire.open() as producer, producer.channel.conn_or_acquire() as redis:
            return {queue: int(redis.llen(queue)) for queue in names.CONSUMERS}

    def _send(self, task: str, args: tuple[str, ...], queue: str) -> None:
        trace = tracing.current()
        self._wire.send(_Message(task, args, queue, trace.headers if trace else {}))

    @property
    def _wire(self) -> _Wire:
        """One for each process: a child made by fork must not write into its parent's connection."""
        made = self._wires.get(os.getpid())
        return made if made is not None else self._wires.setdefault(os.getpid(), _Wire(self._broker))


@dataclass(slots=True)
class _Message:
    """A task to be asked for, and whether that was done; what `_Wire.send` passes around."""

    task: str
    args: tuple[str, ...]
    queue: str
    headers: Mapping[str, str]
    sent: bool = False
    fault: str | None = None


class _Wire:
    """One connection, one sender at a time: who waits for it finds that the one before has sent his message along with its own."""

    def __init__(self, broker: str) -> None:
        url, transport = address(broker, DOOR)
        self.app = Celery("slipway.door", broker=url, set_as_current=False)
        self.app.conf.update(task_serializer="json", broker_transport_options=transport)
        self._lock = threading.Lock()
        self._waiting: deque[_Message] = deque()
        self._connection: Any = self.app.connection_for_write()
        self._producer: Any = None

    def send(self, message: _Message) -> None:
        """Raises BrokerDown when it was not sent, or perhaps not."""
        self._waiting.append(message)
        try:
            with self.open() as producer:
                while not message.sent:
                    self._send_all(producer)
        finally:
            with suppress(ValueError):  # it was taken, or it was never our turn
                self._waiting.remove(message)
        if message.fault:
            raise BrokerDown(message.fault)

    @contextmanager
    def open(self) -> Iterator[Any]:
        """The producer. What the broker's library raises closes the connection, and leaves as BrokerDown."""
        if not self._lock.acquire(timeout=PATIENCE):
            raise BrokerDown("the broker is slow")
        faults = (*self._connection.connection_errors, *self._connection.channel_errors, KombuError)
        try:
            self._producer = self._producer or self._new_producer()
            yield self._producer
        except faults as error:
            self._reset(faults)
            raise BrokerDown(str(error) or type(error).__name__) from error
        finally:
            self._lock.release()

    def _send_all(self, producer: Any) -> None:
        """What waits goes in one round trip. A fault is everybody's."""
        taken: list[_Message] = []
        with suppress(IndexError):
            while len(taken) < BATCH:
                taken.append(self._waiting.popleft())
        for message in taken:
            message.sent, message.fault = True, "the broker did not take it"
        with producer.batch(max_size=BATCH):
            for message in taken:
                self._publish(producer, message)
        for message in taken:
            message.fault = None

    def _publish(self, producer: Any, message: _Message) -> None:
        self.app.send_task(
            message.task,
            message.args,
            producer=producer,
            queue=message.queue,
            declare=[],  # kombu would keep a table of bindings, which a flushed broker leaves empty for good; queues need none
            retry=False,
            ignore_result=True,
            argsrepr=repr(message.args),
            headers=dict(message.headers),
        )

    def _new_producer(self) -> Any:
        producer = self.app.amqp.Producer(self._connection, auto_declare=False)
        channel: Any = producer.channel
        channel._create_client = cache(channel._create_client)  # noqa: SLF001 - kombu makes a client of redis-py for every message, a quarter of its time
        return producer

    def _reset(self, faults: tuple[type[Exception], ...]) -> None:
        with suppress(*faults):
            self._connection.close()
        self._connection, self._producer = self.app.connection_for_write(), None
