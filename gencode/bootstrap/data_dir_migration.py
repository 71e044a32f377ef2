"""Migrates a DATA_DIR to PostgreSQL: tasks with requests, events, checkpoints, idempotency keys and
callbacks, usage totals, signing keys, the API keys of `gencode keys`, and the workspace. Unfinished tasks get
their jobs."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from procrastinate.exceptions import ConnectorException

from gencode.auth.key_store import key_document, key_store
from gencode.bootstrap.app import BUILTIN_KINDS
from gencode.bootstrap.cluster import SIGNING_KEYS
from gencode.bootstrap.extra_imports import workspace_module
from gencode.bootstrap.migration_part import Digests, MigrationPart
from gencode.bootstrap.task_migration import TaskMigration
from gencode.domain.errors import StartError, StoreUnusable
from gencode.queue.procrastinate.job_writer import JobWriter
from gencode.queue.procrastinate.queue import open_app
from gencode.queue.procrastinate.schema import migrate_queue
from gencode.security.regular_file import NotAFile, read_regular_file
from gencode.storage.data_dir_lock import (
    DATABASE,
    RETRIEVAL_DATABASE,
    WORKSPACE_DATABASE,
    data_dir_lock,
    mark_as_moved,
)
from gencode.storage.postgres.connection import place
from gencode.storage.postgres.table_import import Import, open_import
from gencode.storage.sqlite.table_export import open_tables
from gencode.storage.table_copy import Report, TableDigest


@dataclass(frozen=True, kw_only=True, slots=True)
class Migration:
    """What was done.

    continued             whether an earlier one had been interrupted
    tables                rows and digest of each table, the same in both databases
    queued                tasks that continue when workers are started
    signing_keys          names of the keys that were copied
    api_keys              how many were copied, unless the database had some already
    secrets_without_key   stored keys and tokens of users that ENCRYPTION_KEY does not decrypt
    """

    database: str
    continued: bool
    tables: Digests
    queued: int
    signing_keys: Sequence[str]
    api_keys: int
    secrets_without_key: int


async def migrate_data_dir(
    data_dir: Path, dsn: str, report: Report, encryption_keys: Sequence[bytes] = ()
) -> Migration:
    """Can be repeated after it was killed. Nothing in DATA_DIR is deleted; afterwards a file in it names the
    database, and no service starts on it.

    dsn               address of an empty database, without a pooler
    encryption_keys   those of ENCRYPTION_KEY, which the service will have

    Raises StartError, also while a service uses either of both.
    """
    if not (data_dir / DATABASE).is_file():
        raise StartError(f"{data_dir} holds no {DATABASE}: set DATA_DIR as the service has it")
    workspace = _workspace(data_dir)
    try:
        with data_dir_lock(data_dir):
            return await _migrate(data_dir, dsn, workspace, encryption_keys, report)
    except ConnectorException as error:
        raise StoreUnusable("the queue's database cannot be reached: check DATABASE_URL") from error


def _workspace(data_dir: Path) -> Any:
    """The module that migrates it; None if the folder has none. Raises StartError without the extra."""
    if not any((data_dir / name).is_file() for name in (WORKSPACE_DATABASE, RETRIEVAL_DATABASE)):
        return None
    try:
        return workspace_module("gencode.bootstrap.workspace_migration")
    except StartError as error:
        raise StartError(f"{data_dir} has a workspace, which is moved, too: {error.message}") from error


async def _migrate(
    data_dir: Path, dsn: str, workspace: Any, encryption_keys: Sequence[bytes], report: Report
) -> Migration:
    async with open_import(dsn) as target, _open_parts(data_dir, dsn, workspace, target) as (tasks, *others):
        is_continued, tables = await _copy(data_dir, [tasks, *others], target, report)
        signing_keys, api_keys = await _put_keys(data_dir, target)
        queued = tasks.count_queued()
        locked = await workspace.secrets_without_key(dsn, encryption_keys) if workspace else 0
        mark_as_moved(data_dir, place(dsn))
        await target.end()
    return Migration(
        database=place(dsn),
        continued=is_continued,
        tables=tables,
        queued=queued,
        signing_keys=signing_keys,
        api_keys=api_keys,
        secrets_without_key=locked,
    )


@asynccontextmanager
async def _open_parts(data_dir: Path, dsn: str, workspace: Any, target: Import) -> AsyncIterator[list[Any]]:
    """The tasks, and what else the folder has."""
    kinds = (*BUILTIN_KINDS, *(workspace.KINDS if workspace else ()))
    await migrate_queue(dsn)
    with open_tables(data_dir / DATABASE) as source:
        async with open_app(dsn) as app:
            tasks = TaskMigration(source, target, JobWriter(app.job_manager), kinds)
            if not workspace:
                yield [tasks]
                return
            async with workspace.open_workspace_parts(data_dir, dsn, target) as parts:
                yield [tasks, *parts]


async def _copy(
    data_dir: Path, parts: Sequence[MigrationPart], target: Import, report: Report
) -> tuple[bool, Digests]:
    """Whether an earlier one was continued, and the digests of all tables."""
    expected: dict[str, TableDigest] = {}
    for part in parts:
        expected |= await part.digests(report)
    identity = _identity(expected)
    if not (is_continued := await target.is_begun(identity)):
        for part in parts:
            await part.check_empty()
        await target.begin(identity)
    for part in parts:
        await part.copy(expected, report)
    for part in parts:
        for name, digest in (await part.copied_digests(report)).items():
            if digest != expected[name]:
                raise StoreUnusable(
                    f"the table {name} differs from that of {data_dir}: drop the database, create it anew,"
                    " and try again"
                )
    return is_continued, expected


async def _put_keys(data_dir: Path, target: Import) -> tuple[Sequence[str], int]:
    """The names of signing keys, and how many API keys there are."""
    keys = _signing_keys(data_dir)
    for name, key in keys.items():
        await target.put_key(name, key)
    api_keys = key_store(data_dir).read()
    if api_keys:
        await target.put_api_keys(key_document(api_keys))
    return [*keys], len(api_keys)


def _identity(digests: Digests) -> str:
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
