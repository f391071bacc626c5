"""The way to Redis: one client a process, made on first use, and single connections for those who watch.

redis-py repeats a command whose answer did not come, and reports a connection that broke during EXEC as a lost race, which invites to
do it again. Both could apply a change twice. So here nothing is repeated, and commands go over a connection of the pool themselves:
what watches also reads and writes on one wire, in two round trips.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ExecAbortError, OutOfMemoryError, RedisError, ResponseError
from redis.retry import Retry
from redis.sentinel import Sentinel

from app.core.errors import RecordsDown
from app.settings import sentinels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Command = tuple[str | int | float, ...]

TIMEOUT = 5.0  # seconds, to connect and for each answer; a URL may say otherwise: ?socket_timeout=1
ASKING = 1.0  # seconds for a sentinel to answer; the next one is asked then
HEALTH = 25  # seconds of silence after which a connection is tried before it is used


def connect(url: str) -> Redis:
    """A client of `url` that repeats nothing. RESP2, so that every server and the fake answer in one shape.

    Behind Sentinel every new connection asks where the master is; one that finds itself at a former master is closed.
    """
    options: dict[str, Any] = {
        "socket_timeout": TIMEOUT,
        "socket_connect_timeout": TIMEOUT,
        "health_check_interval": HEALTH,
        "retry": Retry(NoBackoff(), 0),
        "decode_responses": True,
        "protocol": 2,
        **({} if url.startswith("unix:") else {"socket_keepalive": True}),
    }
    behind = sentinels.parse(url)
    return _master(behind, options) if behind else Redis.from_url(url, **options)


def _master(behind: sentinels.Sentinels, options: dict[str, Any]) -> Redis:
    asking: dict[str, Any] = {
        "socket_timeout": ASKING,
        "socket_connect_timeout": ASKING,
        "password": behind.sentinel_password,
        "retry": Retry(NoBackoff(), 0),
    }
    watch: Any = Sentinel(list(behind.hosts), sentinel_kwargs=asking)  # type: ignore[no-untyped-call] # redis-py has no types here
    master: Redis = watch.master_for(behind.master, db=behind.db, username=behind.username, password=behind.password, **options)
    return master


@contextmanager
def faults() -> Iterator[None]:
    """Whatever redis-py raises leaves as RecordsDown."""
    try:
        yield
    except RedisError as error:
        raise RecordsDown(str(error) or type(error).__name__) from error


class Link:
    """The client of this process. A child made by fork finds none and makes its own."""

    def __init__(self, make: Callable[[], Redis]) -> None:
        self._make = make
        self._clients: dict[int, Redis] = {}

    @property
    def client(self) -> Redis:
        """Made on first use; `setdefault` is atomic, so no lock is there to be held across a fork."""
        made = self._clients.get(os.getpid())
        return made if made is not None else self._clients.setdefault(os.getpid(), self._make())

    @contextmanager
    def wire(self) -> Iterator[Wire]:
        """One connection, given back clean. Raises RecordsDown for every fault of Redis."""
        with faults():
            pool = self.client.connection_pool
            wire = Wire(pool.get_connection())
            try:
                yield wire
            finally:
                wire.leave()
                pool.release(wire.connection)

    def ask(self, *commands: Command) -> list[Any]:
        """The answers to some commands, in one round trip. They are no transaction."""
        with self.wire() as wire:
            return wire.ask(commands)

    def one(self, *command: str | float) -> Any:
        """The answer to one command."""
        return self.ask(command)[0]

    def transact(self, *commands: Command) -> None:
        """All of the commands, or none, whatever stands there."""
        with self.wire() as wire:
            wire.execute(commands)

    def close(self) -> None:
        """Give the idle connections of this process back; the next use makes new ones."""
        if client := self._clients.pop(os.getpid(), None):
            client.connection_pool.disconnect(inuse_connections=False)


class Wire:
    """A connection of one's own, for as long as something is watched."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self._watching = self._unanswered = False

    def ask(self, commands: Sequence[Command], watch: Sequence[str] = ()) -> list[Any]:
        """The answers; `watch` begins to be watched before the first command. Raises ResponseError for the first that failed."""
        first: list[Command] = [("WATCH", *watch)] if watch else []
        self._watching = self._watching or bool(watch)
        answers = self._exchange([*first, *commands])
        if refused := _first(ResponseError, answers):
            raise refused
        return answers[len(first) :]

    def execute(self, commands: Sequence[Command]) -> bool:
        """As `outcome`: whether it was written."""
        return self.outcome(commands) is not None

    def outcome(self, commands: Sequence[Command]) -> list[Any] | None:
        """The answers to one MULTI; None when something watched was changed and nothing was written.

        Raises OutOfMemoryError when Redis is full and ResponseError when it refused for another reason: nothing was written then.
        Any other RedisError leaves the outcome unknown.
        """
        answers = self._exchange([("MULTI",), *commands, ("EXEC",)])
        self._watching = False
        outcome: list[Any] | ResponseError | None = answers[-1]
        if isinstance(outcome, ResponseError):
            raise _reason(answers)
        if outcome is not None and (refused := _first(ResponseError, outcome)):
            raise refused
        return outcome

    def leave(self) -> None:
        """Forget what is watched; a connection that owes answers, or cannot forget, is closed."""
        with suppress(RedisError):
            if self._watching and not self._unanswered:
                self._exchange([("UNWATCH",)])
        if self._unanswered:
            self.connection.disconnect()

    def _exchange(self, commands: Sequence[Command]) -> list[Any]:
        # While something is watched no health check may come first: it would connect anew, and the watch would be lost unnoticed.
        fresh = not self._watching or commands[0][0] == "WATCH"
        packed = self.connection.pack_commands(commands)
        self._unanswered = True
        self.connection.send_packed_command(packed, check_health=fresh)
        answers = [self._answer() for _ in commands]
        self._unanswered = False
        return answers

    def _answer(self) -> Any:
        try:
            return self.connection.read_response()
        except ResponseError as refused:
            return refused


def _first(kind: type[ResponseError], answers: Sequence[Any]) -> ResponseError | None:
    return next((answer for answer in answers if isinstance(answer, kind)), None)


def _reason(answers: Sequence[Any]) -> ResponseError:
    """Why EXEC was refused: the first command that was, unless it was EXEC itself."""
    if full := _first(OutOfMemoryError, answers):
        return full
    if isinstance(answers[-1], ExecAbortError) and "OOM" in str(answers[-1]):
        return OutOfMemoryError(str(answers[-1]))
    return _first(ResponseError, answers) or answers[-1]
