"""gencode migrate"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import anyio

from gencode.bootstrap.extra_imports import cluster_module
from gencode.cli.output import write
from gencode.domain.errors import DataDirLocked, StartError
from gencode.settings import EncryptionSettings, load_encryption
from gencode.storage.data_dir_lock import ENCRYPTION_KEY_FILE

SHARES = 10
"""A line of progress for each tenth of a table."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="JSON for scripts")


def run(args: argparse.Namespace) -> int:
    settings = load_encryption()
    if not (dsn := settings.direct_dsn):
        raise StartError(
            "set DATABASE_URL to an empty PostgreSQL database, which the tasks of DATA_DIR are taken to"
        )
    try:
        done = anyio.run(_migrate, settings, dsn, Progress(is_quiet=args.json))
    except DataDirLocked as error:
        raise DataDirLocked(f"{error.message}. Tasks move only while the service is stopped") from None
    write(args, {"data_dir": str(settings.data_dir), **asdict(done)}, _lines(settings.data_dir, done))
    return 0


async def _migrate(settings: EncryptionSettings, dsn: str, progress: Progress) -> Any:
    migration = cluster_module("gencode.bootstrap.data_dir_migration")
    return await migration.migrate_data_dir(settings.data_dir, dsn, progress, settings.encryption_keys)


class Progress:
    """Writes lines to standard error: "copied events: 4000 of 12000"."""

    def __init__(self, *, is_quiet: bool) -> None:
        self._is_quiet = is_quiet
        self._told: dict[tuple[str, str], int] = {}

    def __call__(self, step: str, table: str, done: int, total: int) -> None:
        share = SHARES * done // total if total else SHARES
        if not self._is_quiet and self._told.get((step, table)) != share:
            self._told[step, table] = share
            print(f"{step} {table}: {done} of {total}", file=sys.stderr, flush=True)


def _lines(data_dir: Path, done: Any) -> Iterator[str]:
    for name, table in done.tables.items():
        yield f"{name}  {table.rows} rows  sha256 {table.sha256[:16]}"
    yield f"{done.database} has all that {data_dir / 'gencode.db'} has{_and_workspace(done)}"
    yield f"{done.queued} unfinished tasks go on when workers are started; DATA_DIR keeps its database"
    if done.secrets_without_key:
        yield (
            f"{done.secrets_without_key} stored keys and tokens of users need their key: set ENCRYPTION_KEY"
            " as the service had it, or, where it was not set, to the output of"
            f" `base64 -w0 {data_dir / ENCRYPTION_KEY_FILE}`"
        )


def _and_workspace(done: Any) -> str:
    return ", and the workspace" if any("." in name for name in done.tables) else ""
