"""Backs up DATA_DIR to one zip file, also while the service runs, and restores it."""

from __future__ import annotations

import lzma
import os
import shutil
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from gencode.domain.errors import BadBackup, StartError
from gencode.security.file_ownership import give_to_owner_of
from gencode.storage.data_dir_lock import (
    CLONES,
    DATABASE,
    ENCRYPTION_KEY_FILE,
    RESTORING,
    RETRIEVAL_DATABASE,
    WORKSPACE_DATABASE,
)
from gencode.storage.sqlite.database_copy import (
    CopyFailed,
    check_database,
    copy_database,
    copy_shared_database,
)

_EXCLUDED = {
    *(f"{DATABASE}{suffix}" for suffix in ("", "-wal", "-shm", "-journal")),
    *(f"{WORKSPACE_DATABASE}{suffix}" for suffix in ("", "-journal")),
    *(f"{RETRIEVAL_DATABASE}{suffix}" for suffix in ("", "-wal", "-shm", "-journal")),
    *("lock", "demo", CLONES, ENCRYPTION_KEY_FILE),
}
"""Databases are copied by SQLite; the lock belongs to a process; `demo` is for `gencode demo`; clones of
repositories are fetched again; who finds a backup should not have the keys of users' models with it."""
_ZIP_ERRORS = (
    *(OSError, EOFError, RuntimeError, NotImplementedError, ValueError),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError),
)
"""What zipfile raises for a damaged or malicious file."""


def backup(data_dir: Path, file: Path) -> int:
    """Write a backup to `file`, a new file outside of `data_dir` with mode 0600; returns its size in bytes.

    The database is copied first. Later changes in the other files look like those after a crash, and are
    detected and reused when the service starts. Raises BadBackup; then no file remains.
    """
    if not (data_dir / DATABASE).is_file():
        raise BadBackup(f"{data_dir} holds no {DATABASE}: set DATA_DIR as the service has it")
    if file.exists():
        raise BadBackup(f"{file} exists: name a new file")
    if file.resolve().is_relative_to(
        data_dir.resolve()
    ):  # the copy would include itself until the disk is full
        raise BadBackup(f"{file} lies in {data_dir}, which is to be copied: name a file elsewhere")
    try:
        with TemporaryDirectory(dir=file.absolute().parent, prefix=".gencode-backup-") as folder:
            archive, copies = Path(folder, "archive"), [Path(folder, DATABASE)]
            copy_database(data_dir, DATABASE, copies[0])
            if (data_dir / WORKSPACE_DATABASE).is_file():
                copies.append(Path(folder, WORKSPACE_DATABASE))
                copy_shared_database(data_dir / WORKSPACE_DATABASE, copies[1])
            if (data_dir / RETRIEVAL_DATABASE).is_file():  # last: what it has not, could not be searched
                copies.append(Path(folder, RETRIEVAL_DATABASE))
                copy_database(data_dir, RETRIEVAL_DATABASE, copies[-1])
            _pack(data_dir, copies, archive)
            file.touch(mode=0o600, exist_ok=False)  # fails if the file was created meanwhile
            archive.replace(file)  # os.link would be atomic, but backup drives often lack links (exFAT)
    except CopyFailed as error:
        raise BadBackup(str(error)) from error
    except (OSError, StartError) as error:
        raise BadBackup(f"{file} cannot be written: {_error_text(error)}") from error
    return file.stat().st_size


def restore(file: Path, data_dir: Path) -> None:
    """Restore to `data_dir`, which must be new or empty. Raises BadBackup; then the folder is unchanged."""
    if data_dir.exists() and (not data_dir.is_dir() or any(data_dir.iterdir())):
        raise BadBackup(f"{data_dir} is not empty: stop the service, move that folder away, and try again")
    try:
        with _complete_or_unchanged(data_dir) as folder, zipfile.ZipFile(file) as archive:
            _check_free_space(archive, folder)
            for entry in archive.infolist():
                _unpack(archive, entry, folder)
            check_database(folder / DATABASE)
            for name in (WORKSPACE_DATABASE, RETRIEVAL_DATABASE):
                if (folder / name).exists():
                    check_database(folder / name)
    except CopyFailed as error:
        raise BadBackup(str(error)) from error
    except _ZIP_ERRORS as error:
        raise BadBackup(f"{file} cannot be restored: {_error_text(error)}") from error


def _pack(data_dir: Path, databases: Sequence[Path], archive: Path) -> None:
    archive.touch(mode=0o600)  # it contains prompts, hashes of keys and the forge's token
    with archive.open("wb") as stream:
        with zipfile.ZipFile(
            stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1, strict_timestamps=False
        ) as packed:
            for database in databases:
                packed.write(database, database.name)
            for path in _other_files(data_dir):
                _add(packed, path, path.relative_to(data_dir))
        stream.flush()
        os.fsync(stream.fileno())


def _other_files(data_dir: Path) -> Iterator[Path]:
    """Folders before their content. Objects of a repository are last: a ref that was copied names objects
    that existed before, and so are copied as well."""
    for top in sorted(data_dir.iterdir()):
        if top.name in _EXCLUDED:
            continue
        yield top
        inside = top.rglob("*") if top.is_dir() else ()
        yield from sorted(inside, key=lambda path: ("objects" in path.relative_to(top).parts, path))


def _add(packed: zipfile.ZipFile, path: Path, name: Path) -> None:
    try:
        if path.is_dir() or path.is_file():
            packed.write(path, name)
    except FileNotFoundError:
        return  # a temporary file that the running service has deleted


@contextmanager
def _complete_or_unchanged(data_dir: Path) -> Iterator[Path]:
    """A temporary folder that replaces `data_dir` on success, when its content is on disk. An existing folder
    is filled in place: a volume cannot be renamed, and its parent may be read-only."""
    there = data_dir.is_dir()
    place = data_dir if there else data_dir.parent
    place.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=place, prefix=RESTORING) as temporary:
        folder = Path(temporary, "data")
        folder.mkdir(mode=0o700)
        yield folder
        os.sync()
        if there:
            _move_up(folder, data_dir)
        else:
            folder.replace(data_dir)


def _move_up(folder: Path, data_dir: Path) -> None:
    """The database is moved last: a folder without it does not count as restored."""
    if len([*data_dir.iterdir()]) > 1:  # besides the temporary folder
        raise BadBackup(f"something else writes into {data_dir}: stop the service, empty it, and try again")
    for path in [folder, *folder.rglob("*")]:
        give_to_owner_of(data_dir, path)
    with suppress(PermissionError):  # the folder may belong to another user, who decides on its mode
        data_dir.chmod(0o700)
    for path in sorted(folder.iterdir(), key=lambda path: path.name == DATABASE):
        path.rename(data_dir / path.name)
    os.sync()


def _check_free_space(archive: zipfile.ZipFile, folder: Path) -> None:
    """Checked before unpacking: a zip file of a few kilobytes can unpack to terabytes."""
    needed, free = sum(entry.file_size for entry in archive.infolist()), shutil.disk_usage(folder).free
    if needed > free:
        raise BadBackup(f"it unpacks to {needed} bytes, and {free} are free: make room")


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path) -> None:
    """Unpack one entry with modes 0700 and 0600, whatever the archive says."""
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


def _error_text(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
