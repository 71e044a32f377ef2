"""One process for one data folder."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gencode.domain.errors import DataDirLocked, StoreUnusable


@contextmanager
def data_dir_lock(path: Path) -> Iterator[None]:
    """Hold the folder, made if missing and open to its owner only. The kernel frees it however we end.

    Raises DataDirLocked when another process holds it, StoreUnusable when it cannot be used at all.
    """
    file = _open(path)
    try:
        _lock(path, file)
        yield
    finally:
        os.close(file)


def _open(path: Path) -> int:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise _unusable(path, error) from error


def _lock(path: Path, file: int) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(file, 0)
        # With the host: in a container every service is process 1.
        os.pwrite(file, f"{os.getpid()} on {socket.gethostname()}".encode(), 0)
    except BlockingIOError:
        holder = os.pread(file, 500, 0).decode(errors="replace") or "unknown"
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
