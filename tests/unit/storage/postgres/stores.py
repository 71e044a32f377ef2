"""What tests of the PostgreSQL store share."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from gencode.domain.task import Task
from gencode.storage.row_store import RowStore
from tests.unit.storage.samples import REQUEST, a_task, an_event


def through(dsn: str, port: int) -> str:
    """The same database behind a relay."""
    return make_conninfo(dsn, port=port)


def execute(dsn: str, sql: str, *values: Any) -> list[Any]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        cursor = connection.execute(sql.encode(), values)
        return cursor.fetchall() if cursor.description else []


def end_connections(dsn: str) -> int:
    """Of the stores that use the database; returns how many there were."""
    found = execute(
        dsn,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'gencode'",
    )
    return len(found)


async def someone_waits_for_a_lock(dsn: str) -> None:
    end = time.monotonic() + 60
    while not await asyncio.to_thread(execute, dsn, "SELECT 1 FROM pg_locks WHERE NOT granted"):
        assert time.monotonic() < end


def next_version(task: Task, **fields: Any) -> Task:
    return replace(task, version=task.version + 1, **fields)


async def created(store: RowStore, **fields: Any) -> Task:
    task = a_task(**fields)
    return await store.create(task, REQUEST, [an_event(task, 1)])
