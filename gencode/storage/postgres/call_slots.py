"""Slots that the processes of a database share: see gencode.resilience.call_slots.

A slot is a row with a lease, which the holder's process renews: the slots of a dead process are free when
their leases expire. Times are the database's; one that is further away than any lease or pause is ignored,
since the clock was set back.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass

import anyio
import structlog

from gencode.domain.errors import StoreError
from gencode.storage.postgres.call_slot_statements import ADD, ANSWERED, PAUSE, RELEASE, RENEW, TAKE
from gencode.storage.postgres.statement_runner import StatementRunner

log = structlog.get_logger(__name__)

RENEWALS = 4
"""Renewals per lease period."""
FIRST_POLL, LAST_POLL = 0.02, 0.3
"""Seconds between two attempts to get a slot while none is free, which double."""
MAX_PAUSED_POLL = 5.0
"""Most seconds between two attempts during a pause."""
RELEASE_SECONDS = 2.0
"""Seconds for the release of a slot; after that, its lease expires."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """A slot. `holder`: unique for each call."""

    name: str
    holder: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """The result of an attempt to take a slot.

    changes  version of the slot that was taken; None: none was free
    paused   seconds until the end of the pause
    pauses   in a row
    """

    changes: int | None
    paused: float
    pauses: int


class SharedSlots:
    """Makes the slots of a process, and renews those that it holds while `run` runs. `lease`: in seconds."""

    def __init__(self, statements: StatementRunner, lease: float) -> None:
        self.statements = statements
        self._lease = lease
        self._held: set[Held] = set()
        self._locks: dict[str, PostgresSlots] = {}

    def lock(self, name: str, *, changes: bool = False) -> AbstractAsyncContextManager[int]:
        """See gencode.engine.ports.named_locks. Names must be few: their rows are never deleted."""
        slots = self._locks.get(name) or self._locks.setdefault(name, self.slots(f"turn {name}", 1))
        return slots.acquire(changes=changes)

    def slots(self, name: str, count: int, spacing: float = 0.0) -> PostgresSlots:
        """A SlotFactory."""
        return PostgresSlots(self, name, count, spacing)

    async def run(self) -> None:
        """Renew the leases until cancelled."""
        while True:
            await anyio.sleep(self._lease / RENEWALS)
            await self.renew()

    async def renew(self) -> None:
        if self._held:
            names = [held.name for held in self._held]
            holders = [held.holder for held in self._held]
            with _logged("the slots of current calls could not be renewed"):
                await self.statements.fetch(RENEW, (self._lease, names, holders))

    async def take(self, held: Held, count: int) -> Answer:
        """Try once to take a slot."""
        self._held.add(held)
        values = {"name": held.name, "holder": held.holder, "count": count, "lease": self._lease}
        changes, paused, pauses, _ = (await self.statements.fetch(TAKE, values))[0]
        return Answer(changes=changes, paused=paused, pauses=pauses)

    async def release(self, held: Held, spacing: float, *, changes: bool = False) -> None:
        self._held.discard(held)
        with anyio.move_on_after(RELEASE_SECONDS, shield=True), _logged("a slot was not released"):
            await self.statements.fetch(RELEASE, (spacing, int(changes), held.name, held.holder))


class PostgresSlots:
    """See CallSlots. The calls of a process wait for a local lock; its holder polls the database."""

    def __init__(self, shared: SharedSlots, name: str, count: int, spacing: float) -> None:
        self._shared = shared
        self._name = name
        self._count = count
        self._spacing = spacing
        self._queue = anyio.Lock()
        self._has_rows = False
        self._paused_until = 0.0
        self._pauses = 0

    @property
    def pause(self) -> float:
        return max(0.0, self._paused_until - time.monotonic())

    @asynccontextmanager
    async def hold(self) -> AsyncIterator[None]:
        async with self.acquire():
            yield

    @asynccontextmanager
    async def acquire(self, *, changes: bool = False) -> AsyncIterator[int]:
        held = Held(name=self._name, holder=uuid.uuid4().hex)
        async with self._queue:
            before = await self._take(held)
        try:
            yield before
        finally:
            await self._shared.release(held, self._spacing, changes=changes)

    async def _take(self, held: Held) -> int:
        """Returns the version of the slot. Releases it if it is cancelled meanwhile: the statement may have
        been sent."""
        poll = FIRST_POLL
        try:
            await self._add_rows()
            await anyio.sleep(self.pause)
            while (answer := await self._shared.take(held, self._count)).changes is None:
                if answer.paused:
                    self._note_pause(answer.paused)
                await anyio.sleep(min(answer.paused, MAX_PAUSED_POLL) or poll * random.uniform(0.5, 1))  # noqa: S311
                poll = min(poll * 2, LAST_POLL)
            self._pauses = answer.pauses
            return answer.changes
        except BaseException:
            await self._shared.release(held, 0)
            raise

    async def _add_rows(self) -> None:
        if not self._has_rows:
            await self._shared.statements.fetch(ADD, (self._name, self._count))
            self._has_rows = True

    def _note_pause(self, seconds: float) -> None:
        self._paused_until = time.monotonic() + seconds

    async def rate_limited(self, told: float | None, growing: Sequence[float], longest: float) -> float:
        """If the database is unreachable, only this process waits."""
        if told and told > longest:
            return told
        wait = told or self.pause or growing[0]
        with _logged("other processes were not told of a rate limit"):
            values = {"name": self._name, "told": told or None, "growing": list(growing)}
            left: float = (await self._shared.statements.fetch(PAUSE, values))[0][0]
            self._note_pause(left)
            self._pauses = 1
            return told or left
        self._note_pause(max(wait, self.pause))
        return wait

    async def answered(self) -> None:
        if self._pauses:
            self._pauses = 0
            with _logged("a pause of calls still counts"):
                await self._shared.statements.fetch(ANSWERED, (self._name,))


@contextmanager
def _logged(what: str) -> Iterator[None]:
    """Logs a StoreError and continues: calls do not fail when the database is unreachable."""
    try:
        yield
    except StoreError as error:
        log.warning(what, reason=error.message)
