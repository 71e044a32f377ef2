"""Stores the warnings and errors that this process logs."""

from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
from sqlalchemy import delete

from gencode.domain.errors import StoreError
from gencode.workspace.database import Database
from gencode.workspace.system_log.table import SystemLogEntry
from gencode.workspace.tables import now

FLUSH_SECONDS = 1.0
PURGE_SECONDS = 3600.0
MAX_PENDING = 1000
"""Lines that wait to be stored. Of more, the oldest are only in the process's own log."""
MAX_TEXT = 10_000
"""Characters of a message, and of the other fields together."""
_OWN_FIELDS = ("event", "level", "logger", "timestamp", "task_id")


class SystemLog:
    """`formatter`: renders a record as one JSON object, with secrets redacted; `days`: after which entries
    are deleted, 0 for never."""

    def __init__(self, database: Database, formatter: logging.Formatter, days: int) -> None:
        self._database = database
        self._handler = _Handler(formatter)
        self._days = days

    async def run(self) -> None:
        """Stores until it is cancelled, and once more then."""
        purged_at = float("-inf")
        with self._attached():
            try:
                while True:
                    await anyio.sleep(FLUSH_SECONDS)
                    await self.flush()
                    if self._days and anyio.current_time() - purged_at >= PURGE_SECONDS:
                        purged_at = anyio.current_time()
                        await self.purge()
            finally:
                with anyio.CancelScope(shield=True):
                    await self.flush()

    async def flush(self) -> None:
        """Stores what waits. Lines that the database refuses are lost here: logging that would add more."""
        entries = self._handler.taken()
        if not entries:
            return
        try:
            async with self._database.transaction() as session:
                session.add_all(entries)
        except StoreError:
            return

    async def purge(self) -> None:
        """Deletes old entries."""
        oldest = now() - timedelta(days=self._days)
        try:
            async with self._database.transaction() as session:
                await session.execute(delete(SystemLogEntry).where(SystemLogEntry.at < oldest))
        except StoreError:
            return

    @contextmanager
    def _attached(self) -> Iterator[None]:
        root = logging.getLogger()
        root.addHandler(self._handler)
        try:
            yield
        finally:
            root.removeHandler(self._handler)


class _Handler(logging.Handler):
    """Keeps entries of records; called from any thread."""

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__(level=logging.WARNING)
        self.setFormatter(formatter)
        self._pending: deque[SystemLogEntry] = deque(maxlen=MAX_PENDING)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._pending.append(_entry(record, self.format(record)))
        except Exception:  # as logging's own handlers: a line that cannot be kept stops nobody
            self.handleError(record)

    def taken(self) -> list[SystemLogEntry]:
        """All entries, which are then forgotten."""
        return [self._pending.popleft() for _ in range(len(self._pending))]


def _entry(record: logging.LogRecord, line: str) -> SystemLogEntry:
    fields = _fields(line)
    extra = {name: value for name, value in fields.items() if name not in _OWN_FIELDS}
    if len(json.dumps(extra)) > MAX_TEXT:
        extra = {"cut": _storable(json.dumps(extra)[:MAX_TEXT])}
    return SystemLogEntry(
        at=datetime.fromtimestamp(record.created, UTC),
        level=record.levelname[:10],
        message=_storable(str(fields["event"]))[:MAX_TEXT],
        module=record.name[:100],
        task_id=str(fields["task_id"])[:36] if fields.get("task_id") else None,
        extra=extra,
    )


def _fields(line: str) -> Mapping[str, Any]:
    """The fields of a rendered line; a host application's logging may render texts."""
    try:
        fields = json.loads(_storable(line))
    except ValueError:
        return {"event": line}
    return fields if isinstance(fields, dict) and "event" in fields else {"event": line}


def _storable(text: str) -> str:
    """PostgreSQL stores neither NUL nor lone surrogates."""
    return text.encode("utf-8", "replace").decode().replace("\\u0000", "").replace("\x00", "")
