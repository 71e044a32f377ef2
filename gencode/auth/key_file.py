"""The file of API keys made by `gencode keys`: their hashes, in DATA_DIR, where the running service reads
them.

Readers and writers do not wait for each other: the file is replaced as a whole, so that a reader sees the old
version or the new one, also after a crash. Writers hold a lock.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gencode.domain.errors import StartError
from gencode.security.ownership import give_to_owner_of
from gencode.security.regular_file import NotAFile, read_regular_file

NAME = "keys.json"
MARK = "gck_"
"""Prefix of every key, so that logs and files to be pushed can be searched for keys."""
LARGEST = 4 * 2**20
"""Bytes; some 20,000 keys."""
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredKey:
    """name: of the client; sha256: of the key, in hexadecimal; created_at: RFC 3339."""

    name: str
    sha256: str
    created_at: str

    @property
    def id(self) -> str:
        """Distinguishes the keys of a client; says nothing about the key."""
        return self.sha256[:8]


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyFile:
    """Every method raises StartError, which says what to do, when the file cannot be read or written."""

    path: Path

    def version(self) -> tuple[int, int, int] | None:
        """Changes with each change of the file; None while there is no file."""
        try:
            found = os.stat(self.path)
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def read(self) -> list[StoredKey]:
        """In the order of their creation; empty if there is no file."""
        try:
            return _parsed(read_regular_file(self.path, LARGEST).decode())
        except FileNotFoundError:
            return []
        except NotAFile as error:
            raise StartError(f"{self.path} cannot be read: {error}") from None
        except OSError as error:
            raise StartError(f"{self.path} cannot be read: {error.strerror}") from None
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise StartError(
                f"{self.path} is damaged: restore it, or remove it and make new keys with: gencode keys make"
            ) from None

    def make(self, name: str) -> tuple[str, StoredKey]:
        """Create a key for a client, which may have several. The key itself is returned only here."""
        if not _NAME.fullmatch(name):
            raise StartError(
                "a key's name has 1 to 64 of A-Z a-z 0-9 . _ -, with a letter or digit at each end"
            )
        key = MARK + secrets.token_hex(24)
        made = StoredKey(
            name=name,
            sha256=hashlib.sha256(key.encode()).hexdigest(),
            created_at=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        )
        with self._locked():
            self._replace([*self.read(), made])
        return key, made

    def revoke(self, name_or_id: str) -> list[StoredKey]:
        """Revoke all keys of this name, or the one with this id; returns them."""
        with self._locked():
            keys = self.read()
            gone = [key for key in keys if name_or_id in (key.name, key.id)]
            if gone:
                self._replace([key for key in keys if key not in gone])
        return gone

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            give_to_owner_of(self.path.parent, file)
        except OSError as error:
            raise self._unwritable(error) from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        finally:
            os.close(file)

    def _replace(self, keys: Sequence[StoredKey]) -> None:
        """Written to disk before it is renamed: a crash leaves the old file or the new one."""
        text = json.dumps({"version": 1, "keys": [asdict(key) for key in keys]}, indent=1)
        new = self.path.with_suffix(".new")
        try:
            new.unlink(missing_ok=True)  # left by a crash, with whatever rights
            file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(file, "w", encoding="utf-8") as stream:
                give_to_owner_of(self.path.parent, file)
                stream.write(text + "\n")
                stream.flush()
                os.fsync(file)
            new.replace(self.path)
            _sync_folder(self.path.parent)
        except OSError as error:
            raise self._unwritable(error) from None

    def _unwritable(self, error: OSError) -> StartError:
        return StartError(
            f"{self.path} cannot be written ({error.strerror}): run this as the user of the service, and with"
            " its DATA_DIR"
        )


def key_file(data_dir: Path) -> KeyFile:
    return KeyFile(path=data_dir / NAME)


def _parsed(text: str) -> list[StoredKey]:
    found: dict[str, Any] = json.loads(text)
    keys = [StoredKey(**{str(name): str(value) for name, value in key.items()}) for key in found["keys"]]
    if found["version"] != 1 or not all(re.fullmatch(r"[0-9a-f]{64}", key.sha256) for key in keys):
        raise ValueError("not what this version writes")
    return keys


def _sync_folder(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
