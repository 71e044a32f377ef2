"""What is logged as a warning or an error is stored, with secrets out, and nothing else is disturbed."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta

import anyio
import pytest
import structlog
from sqlalchemy import select

from gencode.observability.logs import json_formatter
from gencode.workspace.database import Database
from gencode.workspace.system_log.recorder import MAX_PENDING, MAX_TEXT, SystemLog
from gencode.workspace.system_log.table import SystemLogEntry
from gencode.workspace.tables import now
from tests.servers.workspace import workspace

SECRET = "sk-9b1d5c07aa31"
log = logging.getLogger("gencode.test_system_log")


@pytest.fixture(autouse=True)
def no_output() -> Iterator[None]:
    """The lines of these tests are for the system log only."""
    silent, log.propagate = logging.NullHandler(), True
    log.addHandler(silent)
    yield
    log.removeHandler(silent)


async def entries(database: Database) -> list[SystemLogEntry]:
    async with database.transaction() as session:
        return list(await session.scalars(select(SystemLogEntry).order_by(SystemLogEntry.position)))


async def recorded(database: Database, *lines: tuple[int, str], days: int = 0) -> list[SystemLogEntry]:
    recorder = SystemLog(database, json_formatter(lambda: (SECRET,)), days)
    async with anyio.create_task_group() as group:
        group.start_soon(recorder.run)
        await anyio.wait_all_tasks_blocked()
        for level, text in lines:
            log.log(level, text)
        group.cancel_scope.cancel()
    return await entries(database)


async def test_warnings_and_errors_are_stored_without_secrets(database_url: str) -> None:
    async with workspace(database_url) as opened:
        with structlog.contextvars.bound_contextvars(task_id="t-1", stage="pushing"):
            found = await recorded(
                opened.database,
                (logging.INFO, "fine"),
                (logging.WARNING, f"the key {SECRET} \x00 was refused"),
                (logging.ERROR, "x" * 2 * MAX_TEXT),
            )
        assert [(one.level, one.module, one.task_id) for one in found] == [
            ("WARNING", log.name, "t-1"),
            ("ERROR", log.name, "t-1"),
        ]
        assert SECRET not in found[0].message
        assert "was refused" in found[0].message
        assert found[0].extra == {"stage": "pushing"}
        assert len(found[1].message) == MAX_TEXT


async def test_of_a_flood_the_newest_lines_are_stored(database_url: str) -> None:
    async with workspace(database_url) as opened:
        lines = [(logging.WARNING, str(number)) for number in range(MAX_PENDING + 5)]
        found = await recorded(opened.database, *lines)
        assert [int(one.message) for one in found] == list(range(5, MAX_PENDING + 5))
    log.warning("the recorder has gone, and its handler with it")


async def test_old_entries_are_deleted(database_url: str) -> None:
    async with workspace(database_url) as opened:
        old = SystemLogEntry(
            at=now() - timedelta(days=31), level="ERROR", message="old", module="m", extra={}
        )
        async with opened.database.transaction() as session:
            session.add(old)
        recorder = SystemLog(opened.database, json_formatter(lambda: ()), days=30)
        await recorder.purge()
        assert await entries(opened.database) == []
