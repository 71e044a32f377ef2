"""One file with all that DATA_DIR holds, taken while the service runs; and the folder made of it again."""

from __future__ import annotations

import lzma
import os
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from gencode.domain.errors import BadBackup, StartError
from gencode.storage.sqlite.copy import CopyFailed, check_database, copy_database

DATABASE = "gencode.db"
_LEFT_OUT = {DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", f"{DATABASE}-journal", "lock", "demo"}
"""The database is copied by its own means; a lock is its process's."""
_NOT_READABLE = (
    *(OSError, EOFError, RuntimeError, NotImplementedError, ValueError),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError),
)
"""What zipfile raises over a file that is damaged, or was made to be."""


def backup(data_dir: Path, file: Path) -> int:
    """Write `file`, a new one outside of `data_dir`, readable by its owner only; its size in bytes.

    The database comes first: whatever the files hold beyond it is recognised and used again, as after a
    crash. Raises BadBackup; nothing is left behind then.
    """
    if not (data_dir / DATABASE).is_file():
        raise BadBackup(f"{data_dir} holds no {DATABASE}: set DATA_DIR as the service has it")
    if file.exists():
        raise BadBackup(f"{file} exists: name a new file")
    if file.resolve().is_relative_to(data_dir.resolve()):  # it would copy itself until the disk is full
        raise BadBackup(f"{file} lies in {data_dir}, which is to be copied: name a file elsewhere")
    try:
        with TemporaryDirectory(dir=file.absolute().parent, prefix=".gencode-backup-") as folder:
            copy, archive = Path(folder, DATABASE), Path(folder, "archive")
            copy_database(data_dir, DATABASE, copy)
            _pack(data_dir, copy, archive)
            file.touch(mode=0o600, exist_ok=False)  # never over a file that came meanwhile
            archive.replace(file)  # a link would do at once, but drives for backups often have none (exFAT)
    except CopyFailed as error:
        raise BadBackup(str(error)) from error
    except (OSError, StartError) as error:
        raise BadBackup(f"{file} cannot be written: {_words(error)}") from error
    return file.stat().st_size


def restore(file: Path, data_dir: Path) -> None:
    """Fill `data_dir`, which must be new or empty. Raises BadBackup; the folder is as it was then."""
    if data_dir.exists() and (not data_dir.is_dir() or any(data_dir.iterdir())):
        raise BadBackup(f"{data_dir} is not empty: stop the service, move that folder away, and try again")
    try:
        with _made_whole(data_dir) as folder, zipfile.ZipFile(file) as archive:
            _check_room(archive, folder)
            for entry in archive.infolist():
                _unpack(archive, entry, folder)
            check_database(folder / DATABASE)
    except CopyFailed as error:
        raise BadBackup(str(error)) from error
    except _NOT_READABLE as error:
        raise BadBackup(f"{file} cannot be restored: {_words(error)}") from error


def _pack(data_dir: Path, database: Path, archive: Path) -> None:
    archive.touch(mode=0o600)  # it holds prompts, keys' hashes and the forge's token
    with archive.open("wb") as stream:
        with zipfile.ZipFile(
            stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1, strict_timestamps=False
        ) as packed:
            packed.write(database, DATABASE)
            for path in _rest(data_dir):
                _add(packed, path, path.relative_to(data_dir))
        stream.flush()
        os.fsync(stream.fileno())


def _rest(data_dir: Path) -> Iterator[Path]:
    """Folders before what is in them. Of a repository the objects come last: a ref that is copied then names
    objects that were there before it, and are copied, too."""
    for top in sorted(data_dir.iterdir()):
        if top.name in _LEFT_OUT:
            continue
        yield top
        inside = top.rglob("*") if top.is_dir() else ()
        yield from sorted(inside, key=lambda path: ("objects" in path.relative_to(top).parts, path))


def _add(packed: zipfile.ZipFile, path: Path, name: Path) -> None:
    try:
        if path.is_dir() or path.is_file():
            packed.write(path, name)
    except FileNotFoundError:
        return  # a temporary file of something that the service is just doing


@contextmanager
def _made_whole(data_dir: Path) -> Iterator[Path]:
    """A folder that becomes it once it is whole and on disk. One that is there already is filled where it is:
    a volume cannot be renamed, and what is above it may be read-only."""
    there = data_dir.is_dir()
    place = data_dir if there else data_dir.parent
    place.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=place, prefix=".gencode-restore-") as temporary:
        folder = Path(temporary, "data")
        folder.mkdir(mode=0o700)
        yield folder
        os.sync()
        if there:
            _move_up(folder, data_dir)
        else:
            folder.replace(data_dir)


def _move_up(folder: Path, data_dir: Path) -> None:
    """The database last: without it the rest is no restored folder."""
    if len([*data_dir.iterdir()]) > 1:  # beside the temporary one
        raise BadBackup(f"something else writes into {data_dir}: stop the service, empty it, and try again")
    with suppress(PermissionError):  # a volume may be lent by its group; its owner decides then
        data_dir.chmod(0o700)
    for path in sorted(folder.iterdir(), key=lambda path: path.name == DATABASE):
        path.rename(data_dir / path.name)
    os.sync()


def _check_room(archive: zipfile.ZipFile, folder: Path) -> None:
    """Before the disk of others is full: a few kilobytes can claim to be terabytes."""
    needed, free = sum(entry.file_size for entry in archive.infolist()), shutil.disk_usage(folder).free
    if needed > free:
        raise BadBackup(f"it unpacks to {needed} bytes, and {free} are free: make room")


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path) -> None:
    """For its owner only, whatever the archive says."""
    name = PurePosixPath(entry.filename)
    if name.is_absolute() or ".." in name.parts or not name.parts:
        raise BadBackup(f"this is no backup of gencode: it names {entry.filename[:100]!r}")
    path = folder / name
    if entry.is_dir():
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with archive.open(entry) as packed, path.open("xb") as stream:
        os.fchmod(stream.fileno(), 0o600)
        shutil.copyfileobj(packed, stream, 2**20)


def _words(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
