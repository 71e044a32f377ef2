"""Checks of the workspace: its extra, its database, and whether its secrets can be decrypted."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from gencode.bootstrap.doctor.check_result import CheckResult, fault, note, ok
from gencode.bootstrap.doctor.local_checks import TOO_LITTLE_SPACE
from gencode.bootstrap.extra_imports import workspace_module
from gencode.domain.errors import GencodeError, StartError
from gencode.settings import Settings
from gencode.storage.data_dir_lock import WORKSPACE_DATABASE
from gencode.storage.sqlite.database_copy import CopyFailed, check_database, copy_shared_database

ABOUT = "workspace"
SHOWN = 3
"""Places of unreadable secrets that are named."""


async def check_workspace(settings: Settings) -> AsyncIterator[CheckResult]:
    if not settings.workspace:
        return
    try:
        module = workspace_module("gencode.bootstrap.secret_administration")
    except StartError as error:
        yield fault(ABOUT, error.message, "install the extra, or unset WORKSPACE")
        return
    if dsn := settings.database_url.get_secret_value():
        yield await _check_secrets(settings, module, module.database_url(dsn, settings))
        return
    database = settings.data_dir / WORKSPACE_DATABASE
    size = _size(database)
    if not size:
        yield ok(ABOUT, "no database yet; it is made at the first start")
        return
    async for result in _check_copy(settings, module, database, size):
        yield result


def _size(database: Path) -> int:
    """In bytes; 0 if there is none."""
    return database.stat().st_size if database.is_file() else 0


async def _check_copy(
    settings: Settings, module: Any, database: Path, size: int
) -> AsyncIterator[CheckResult]:
    """A copy is checked, since a service may write to the database."""
    if shutil.disk_usage(settings.data_dir).free < 2 * size + TOO_LITTLE_SPACE:
        yield note(ABOUT, "there is no room for the copy that a check needs", "make room and look again")
        return
    try:
        with TemporaryDirectory(dir=settings.data_dir, prefix=".doctor-") as folder:
            copy = Path(folder, WORKSPACE_DATABASE)
            copy_shared_database(database, copy)
            check_database(copy)
            yield ok(ABOUT, f"{size / 2**20:.1f} MiB, every page is in order")
            yield await _check_secrets(settings, module, f"sqlite+aiosqlite:///{copy}")
    except CopyFailed as error:
        yield fault(ABOUT, str(error), "restore a backup (gencode restore), or move the file away")
    except OSError as error:
        yield note(ABOUT, f"it could not be copied for the check: {error.strerror}", "see DATA_DIR")


async def _check_secrets(settings: Settings, module: Any, url: str) -> CheckResult:
    try:
        async with module.existing_database(url) as database:
            count, unreadable = await module.count_unreadable(database, settings)
    except GencodeError as error:
        return note("stored secrets", error.message, "start the service once, which upgrades its tables")
    if not unreadable:
        return ok("stored secrets", f"{count}, and each can be decrypted")
    advice = "add the key that encrypted them to ENCRYPTION_KEY, or enter the secrets anew"
    named = ", ".join(unreadable[:SHOWN]) + (", ..." if len(unreadable) > SHOWN else "")
    return fault("stored secrets", f"{len(unreadable)} of {count} cannot be decrypted: {named}", advice)
