"""The lock file of DATA_DIR, which excludes a second process."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gencode.domain.errors import DataDirLocked, StoreUnusable
from gencode.security.file_ownership import give_to_owner_of

DATABASE = "gencode.db"
WORKSPACE_DATABASE = "workspace.db"
"""See gencode.workspace.database."""
CLONES = "repositories"
"""The folder of the clones of users' repositories, which are fetched again where they are missing."""
RETRIEVAL_DATABASE = "retrieval.db"
"""See gencode.retrieval.sqlite."""
ENCRYPTION_KEY_FILE = "encryption.key"
"""The key that encrypts secrets of users where ENCRYPTION_KEY is not set."""
RESTORING = ".gencode-restore-"
"""Beginning of the name of the folder that a restore unpacks into, inside of one that exists."""
MOVED = "moved-to-postgresql"
"""Name of the file that names the database to which the folder was migrated."""


@contextmanager
def data_dir_lock(path: Path) -> Iterator[None]:
    """Lock the folder, created with mode 0700 if missing. The kernel releases the lock when the process ends.

    Raises DataDirLocked when another process has the lock, StoreUnusable when the folder cannot be used.
    """
    _check_restored(path)
    descriptor = _open(path)
    try:
        _lock(path, descriptor)
        yield
    finally:
        os.close(descriptor)


def _check_restored(path: Path) -> None:
    """A restore moves the database last. Without this check, a service would start with an empty database in
    a folder whose restore was killed."""
    if not (path / DATABASE).exists() and any(path.glob(f"{RESTORING}*")):
        raise StoreUnusable(
            f"a restore into {path} has not ended: if none runs any more, remove what is in the folder, and"
            " run gencode restore again"
        )


def mark_as_moved(data_dir: Path, database: str) -> None:
    """Have `check_not_moved` refuse the folder. `database`: the address, without a password."""
    path = data_dir / MOVED
    try:
        path.write_text(f"{database}\n", encoding="utf-8")
        with suppress(OSError):
            give_to_owner_of(data_dir, path)
    except OSError as error:
        raise _unusable(data_dir, error) from error


def check_not_moved(data_dir: Path) -> None:
    """Raises StoreUnusable where the unfinished tasks would run a second time."""
    path = data_dir / MOVED
    if path.is_file():
        database = path.read_text(encoding="utf-8", errors="replace").strip()
        raise StoreUnusable(
            f"the tasks of {data_dir} are in the database {database} now: set DATABASE_URL, or remove {path}"
            " to go on with the tasks as they were before"
        )


def _open(path: Path) -> int:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        with suppress(OSError):  # a file system without owners
            give_to_owner_of(path, file)
        return file
    except OSError as error:
        raise _unusable(path, error) from error


def _lock(path: Path, descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(descriptor, 0)
        # With the host name: in a container every service is process 1.
        os.pwrite(descriptor, f"{os.getpid()} on {socket.gethostname()}".encode(), 0)
    except BlockingIOError:
        holder = os.pread(descriptor, 500, 0).decode(errors="replace") or "unknown"
        raise DataDirLocked(
            f"{path} is in use by another gencode (process {holder}): stop that one, or set another DATA_DIR"
        ) from None
    except OSError as error:
        raise _unusable(path, error) from error


def _unusable(path: Path, error: OSError) -> StoreUnusable:
    return StoreUnusable(
        f"{path} cannot be used ({error.strerror}): set DATA_DIR to a folder on a local disk that the service"
        " may write to"
    )
