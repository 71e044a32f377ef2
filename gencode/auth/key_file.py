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
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from limits import parse as parse_rate

from gencode.domain.errors import StartError
from gencode.engine.quota import Quota, parse_quota
from gencode.security.file_ownership import give_to_owner_of
from gencode.security.regular_file import NotAFile, read_regular_file

NAME = "keys.json"
MARK = "gck_"
"""Prefix of every key, so that logs and files to be pushed can be searched for keys."""
LARGEST = 4 * 2**20
"""Bytes; some 20,000 keys."""
LONGEST_LABEL = 100
"""Characters."""
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyOptions:
    """What a key may have besides its client.

    label       for people, such as where the key is used
    rate        submissions of its client in place of RATE_LIMIT, such as 10/minute; "": RATE_LIMIT
    quotas      of its client, such as 100 tasks/day
    expires_at  when it ends; None: never
    operator    it may list, read and cancel the tasks of all clients
    """

    label: str = ""
    rate: str = ""
    quotas: tuple[Quota, ...] = ()
    expires_at: datetime | None = None
    operator: bool = False

    def __post_init__(self) -> None:
        """Raises StartError for values that cannot be meant."""
        if len(self.label) > LONGEST_LABEL or not self.label.isprintable():
            raise StartError(f"a key's label has at most {LONGEST_LABEL} printable characters")
        if self.rate:
            try:
                parse_rate(self.rate)
            except ValueError:
                raise StartError(f"{self.rate!r} is no rate: write one such as 10/minute") from None

    def has_expired(self, at: datetime | None = None) -> bool:
        """`at`: a moment; now by default."""
        return self.expires_at is not None and self.expires_at <= (at or datetime.now(UTC))

    def to_json(self) -> dict[str, Any]:
        expires_at = _rfc3339(self.expires_at) if self.expires_at else ""
        return {
            "label": self.label,
            "rate": self.rate,
            "quotas": [str(quota) for quota in self.quotas],
            "expires_at": expires_at,
            "operator": self.operator,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> KeyOptions:
        """Raises StartError, TypeError, ValueError."""
        if not isinstance(data.get("operator", False), bool):
            raise TypeError("operator is true or false")
        expires_at, quotas = data.pop("expires_at", ""), data.pop("quotas", [])
        return cls(
            **data,
            quotas=tuple(map(parse_quota, quotas)),
            expires_at=_moment(expires_at) if expires_at else None,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredKey:
    """name: of the client; sha256: of the key, in hexadecimal; created_at: RFC 3339."""

    name: str
    sha256: str
    created_at: str
    options: KeyOptions = field(default_factory=lambda: KeyOptions())

    def to_json(self) -> dict[str, Any]:
        """Options that are not set are left out, so that older versions can read a file without them."""
        options = {name: value for name, value in self.options.to_json().items() if value}
        return {"name": self.name, "sha256": self.sha256, "created_at": self.created_at, **options}

    @property
    def id(self) -> str:
        """Distinguishes the keys of a client; says nothing about the key."""
        return self.sha256[:8]


def check_name(name: str) -> None:
    """Raises StartError for a name that a key's client cannot have."""
    if not _NAME.fullmatch(name):
        raise StartError("a key's name has 1 to 64 of A-Z a-z 0-9 . _ -, with a letter or digit at each end")


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
        except (StartError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise StartError(
                f"{self.path} is damaged: restore it, or remove it and make new keys with: gencode keys make"
            ) from None

    def make(self, name: str, options: KeyOptions | None = None) -> tuple[str, StoredKey]:
        """Create a key for a client, which may have several. The key itself is returned only here."""
        check_name(name)
        key = MARK + secrets.token_hex(24)
        made = StoredKey(
            name=name,
            sha256=hashlib.sha256(key.encode()).hexdigest(),
            created_at=_rfc3339(datetime.now(UTC)),
            options=options or KeyOptions(),
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
        text = json.dumps({"version": 1, "keys": [key.to_json() for key in keys]}, indent=1)
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
    keys = [_key(key) for key in found["keys"]]
    if found["version"] != 1 or not all(re.fullmatch(r"[0-9a-f]{64}", key.sha256) for key in keys):
        raise ValueError("not what this version writes")
    return keys


def _key(data: dict[str, Any]) -> StoredKey:
    """Raises KeyError, TypeError, ValueError, also for a newer version's field: it may restrict the key."""
    names = [one.name for one in fields(StoredKey) if one.name != "options"]
    options = KeyOptions.from_json({name: value for name, value in data.items() if name not in names})
    return StoredKey(**{name: str(data[name]) for name in names}, options=options)


def parse_expiry(text: str) -> datetime:
    """From a date, whose end in UTC is meant, or from an RFC 3339 moment. Raises StartError unless it is to
    come."""
    try:
        moment = _moment(text) if "T" in text.upper() else _end_of(date.fromisoformat(text))
    except (ValueError, OverflowError):
        raise StartError(f"{text!r} is no date such as 2030-01-31 or 2030-01-31T18:00:00Z") from None
    if moment <= datetime.now(UTC):
        raise StartError(f"{text} is over: a key needs a date to come")
    return moment


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), UTC)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a moment without its zone")
    return moment.astimezone(UTC)


def _rfc3339(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _sync_folder(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
