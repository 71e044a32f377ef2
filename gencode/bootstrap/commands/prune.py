"""gencode prune"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio

from gencode.bootstrap.extra_imports import cluster_module
from gencode.cli.output import write
from gencode.domain.errors import DataDirLocked, StartError
from gencode.engine.retention import Retention, RetentionPolicy, RetentionReport
from gencode.settings import RetentionSettings, load_retention
from gencode.storage.data_dir_lock import data_dir_lock
from gencode.storage.sqlite.compaction import compact_database
from gencode.storage.sqlite.database_copy import CopyFailed
from gencode.storage.sqlite.store import open_sqlite

DATABASE = "gencode.db"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--older-than",
        type=_days,
        metavar="DAYS",
        help="delete tasks that ended earlier (else: what RETENTION_DAYS says)",
    )
    parser.add_argument("--client", metavar="NAME", help="only tasks of this client; keys stay")
    parser.add_argument("--dry-run", action="store_true", help="only show what would be deleted")
    parser.add_argument("--json", action="store_true", help="JSON for scripts")


def run(args: argparse.Namespace) -> int:
    settings = load_retention()
    policy = _policy(args, settings)
    if settings.direct_dsn:
        report = anyio.run(_prune_cluster, settings.database_url.get_secret_value(), policy, args.dry_run)
        write(args, _document(report, args.dry_run, 0), _deleted(report, args.dry_run))
        return 0
    file = settings.data_dir / DATABASE
    if not file.is_file():
        raise StartError(f"{settings.data_dir} holds no {DATABASE}: set DATA_DIR as the service has it")
    with _locked(settings.data_dir):
        report = anyio.run(_prune, file, policy, args.dry_run)
        freed, problem = (0, "") if args.dry_run else _compact(file)
    write(args, _document(report, args.dry_run, freed), _lines(report, args.dry_run, freed, problem))
    return 1 if problem else 0


async def _prune(file: Path, policy: RetentionPolicy, dry_run: bool) -> RetentionReport:
    async with open_sqlite(file) as store:
        return await Retention(store, policy, sleep=_no_sleep).apply(dry_run=dry_run)


async def _prune_cluster(dsn: str, policy: RetentionPolicy, dry_run: bool) -> RetentionReport:
    """Deletes in small steps, also while the service runs; PostgreSQL reuses the space."""
    async with cluster_module("gencode.storage.postgres.store").open_postgres(dsn) as store:
        return await Retention(store, policy).apply(dry_run=dry_run)


async def _no_sleep(seconds: float) -> None:
    """A sleep that returns immediately: the store has no other callers."""


def _policy(args: argparse.Namespace, settings: RetentionSettings) -> RetentionPolicy:
    """The retention policy; an age among the arguments applies to every client."""
    named = args.older_than is not None
    return RetentionPolicy(
        days=args.older_than if named else settings.retention_days,
        days_by_principal={} if named else settings.retention_days_by_client,
        key_days=0 if args.client else settings.idempotency_key_days,
        principals=[args.client] if args.client else None,
    )


@contextmanager
def _locked(data_dir: Path) -> Iterator[None]:
    try:
        with data_dir_lock(data_dir):
            yield
    except DataDirLocked as error:
        raise DataDirLocked(
            f"{error.message}. A running service deletes by itself what RETENTION_DAYS says"
        ) from None


def _compact(file: Path) -> tuple[int, str]:
    """The freed bytes, and the reason if no bytes were freed."""
    try:
        return compact_database(file), ""
    except CopyFailed as error:
        return 0, str(error)


def _document(report: RetentionReport, dry_run: bool, freed: int) -> dict[str, Any]:
    deleted = [
        {"client": principal, "kind": kind, "tasks": part.tasks, "bytes": part.bytes}
        for (principal, kind), part in sorted(report.deleted.items())
    ]
    return {
        "dry_run": dry_run,
        "tasks": report.tasks,
        "bytes": report.bytes,
        "idempotency_keys": report.keys,
        "deleted": deleted,
        "freed_bytes": freed,
    }


def _lines(report: RetentionReport, dry_run: bool, freed: int, problem: str) -> Iterator[str]:
    yield from _deleted(report, dry_run)
    if problem:
        yield f"the file did not become smaller: {problem}"
    elif not dry_run:
        yield f"{DATABASE}: {freed} bytes freed"


def _deleted(report: RetentionReport, dry_run: bool) -> Iterator[str]:
    for (principal, kind), part in sorted(report.deleted.items()):
        yield f"{principal}  {kind}  {part.tasks} tasks  {part.bytes} bytes"
    done = "would be deleted" if dry_run else "deleted"
    yield f"{report.tasks} tasks ({report.bytes} bytes) and {report.keys} idempotency keys {done}"


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = 0
    if not 0 < days <= 36_500:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of days above 0")
    return days
