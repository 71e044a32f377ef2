"""Migrates a DATA_DIR to PostgreSQL: tasks with requests, events, checkpoints, idempotency keys and
callbacks, usage totals, signing keys, and the API keys of `gencode keys`. Unfinished tasks get their jobs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from procrastinate.exceptions import ConnectorException

from gencode.auth.key_store import key_document, key_store
from gencode.bootstrap.app import BUILTIN_KINDS
from gencode.bootstrap.cluster import SIGNING_KEYS
from gencode.domain.errors import StartError, StoreUnusable
from gencode.domain.task import State
from gencode.queue.procrastinate.job_writer import JobWriter
from gencode.queue.procrastinate.queue import open_app
from gencode.queue.procrastinate.schema import migrate_queue
from gencode.security.regular_file import NotAFile, read_regular_file
from gencode.storage.data_dir_lock import DATABASE, data_dir_lock, mark_as_moved
from gencode.storage.postgres.connection import place
from gencode.storage.postgres.table_import import Import, open_import
from gencode.storage.postgres.text_escaping import escape
from gencode.storage.rows import TASK_COLUMNS, Row
from gencode.storage.sqlite.table_export import SQLiteTables, open_tables
from gencode.storage.table_copy import TABLES, Report, Table, TableDigest, pages

STAGES: Mapping[str, frozenset[str]] = {
    factory.kind.name: frozenset({"", *factory.kind.stage_titles}) for factory in BUILTIN_KINDS
}
"""The stages of each kind. Tasks of other kinds belong to a newer version, and are not queued."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Migration:
    """What was done.

    continued     whether an earlier one had been interrupted
    tables        rows and digest of each table, the same in both databases
    queued        tasks that continue when workers are started
    signing_keys  names of the keys that were copied
    api_keys      how many were copied, unless the database had some already
    """

    database: str
    continued: bool
    tables: Mapping[str, TableDigest]
    queued: int
    signing_keys: Sequence[str]
    api_keys: int


async def migrate_data_dir(data_dir: Path, dsn: str, report: Report) -> Migration:
    """Can be repeated after it was killed. Nothing in DATA_DIR is deleted; afterwards a file in it names the
    database, and no service starts on it.

    dsn   address of an empty database, without a pooler

    Raises StartError, also while a service uses either of both.
    """
    file = data_dir / DATABASE
    if not file.is_file():
        raise StartError(f"{data_dir} holds no {DATABASE}: set DATA_DIR as the service has it")
    try:
        with data_dir_lock(data_dir), open_tables(file) as source:
            async with open_import(dsn) as target:
                await migrate_queue(dsn)
                async with open_app(dsn) as app:
                    return await _migrate(data_dir, dsn, source, target, JobWriter(app.job_manager), report)
    except ConnectorException as error:
        raise StoreUnusable("the queue's database cannot be reached: check DATABASE_URL") from error


async def _migrate(
    data_dir: Path, dsn: str, source: SQLiteTables, target: Import, write_jobs: JobWriter, report: Report
) -> Migration:
    expected = source.digests(escape, report)
    continued = await target.begin(_identity(expected))
    keys = _signing_keys(data_dir)
    for name, key in keys.items():
        await target.put_key(name, key)
    for table in TABLES:
        await _copy(table, expected[table.name].rows, source, target, write_jobs, report)
    for table in TABLES:
        if await target.digest(table, report) != expected[table.name]:
            raise StoreUnusable(
                f"the table {table.name} differs from that of {data_dir}: drop the database, create it"
                " anew, and try again"
            )
    api_keys = key_store(data_dir).read()
    if api_keys:
        await target.put_api_keys(key_document(api_keys))
    queued = sum(_is_queued(row) for row in source.rows(TABLES[-1]))
    mark_as_moved(data_dir, place(dsn))
    await target.end()
    return Migration(
        database=place(dsn),
        continued=continued,
        tables=expected,
        queued=queued,
        signing_keys=[*keys],
        api_keys=len(api_keys),
    )


async def _copy(
    table: Table, total: int, source: SQLiteTables, target: Import, write_jobs: JobWriter, report: Report
) -> None:
    done = await target.count(table)
    for page in pages(source.rows(table, done)):
        await target.put(table, page, _queued(page) if table.name == "tasks" else (), write_jobs)
        done += len(page)
        report("copied", table.name, done, total)


def _queued(tasks: Sequence[Row]) -> list[tuple[str, str]]:
    """Id and principal of the tasks that workers will continue."""
    found = (dict(zip(TASK_COLUMNS, row, strict=True)) for row in tasks if _is_queued(row))
    return [(task["id"], task["principal"]) for task in found]


def _is_queued(row: Row) -> bool:
    task = dict(zip(TASK_COLUMNS, row, strict=True))
    return task["state"] in (State.QUEUED, State.RUNNING) and task["stage"] in STAGES.get(task["kind"], ())


def _identity(digests: Mapping[str, TableDigest]) -> str:
    return hashlib.sha256("".join(one.sha256 for one in digests.values()).encode()).hexdigest()


def _signing_keys(data_dir: Path) -> dict[str, bytes]:
    """Those that the folder has. Raises StartError."""
    keys = {}
    for name in SIGNING_KEYS:
        path = data_dir / f"{name}.key"
        try:
            keys[name] = read_regular_file(path)
        except FileNotFoundError:
            continue
        except (OSError, NotAFile) as error:
            raise StartError(f"{path} cannot be read: run this as the user of the service") from error
    return {name: key for name, key in keys.items() if len(key) == hashlib.sha256().digest_size}
