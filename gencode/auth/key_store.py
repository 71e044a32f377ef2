"""The store of the API keys of `gencode keys`: a document of their hashes, which the running service reads.

In one process it is a file in DATA_DIR. Readers and writers do not block each other: the file is replaced as
a whole, so that a reader sees the old content or the new one, also after a crash. Writers hold a lock.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
from limits import parse as parse_rate

from gencode.domain.errors import StartError
from gencode.engine.quota import Quota, parse_quota
from gencode.security.file_ownership import give_to_owner_of
from gencode.security.regular_file import NotAFile, read_regular_file

FILE_NAME = "keys.json"
KEY_PREFIX = "gck_"
"""The prefix of every key, so that keys can be found in logs and in files that are to be pushed."""
MAX_FILE_BYTES = 4 * 2**20
"""Enough for some 20,000 keys."""
MAX_LABEL_LENGTH = 100
POLL_SECONDS = 1.0
"""Seconds between two checks for changes while there are no requests; each request checks, too."""
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyOptions:
    """Optional properties of a key.

    label       a note for users, such as where the key is used
    rate        the client's limit of submissions in place of RATE_LIMIT, such as 10/minute; "": RATE_LIMIT
    quotas      the client's quotas, such as 100 tasks/day
    expires_at  time of expiry; None: never
    operator    whether the key may list, read and cancel the tasks of all clients
    """

    label: str = ""
    rate: str = ""
    quotas: tuple[Quota, ...] = ()
    expires_at: datetime | None = None
    operator: bool = False

    def __post_init__(self) -> None:
        """Raises StartError for a value that is invalid."""
        if len(self.label) > MAX_LABEL_LENGTH or not self.label.isprintable():
            raise StartError(f"a key's label has at most {MAX_LABEL_LENGTH} printable characters")
        if self.rate:
            try:
                parse_rate(self.rate)
            except ValueError:
                raise StartError(f"{self.rate!r} is no rate: write one such as 10/minute") from None

    def has_expired(self, at: datetime | None = None) -> bool:
        """Whether the key has expired at this time, by default now."""
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
            expires_at=parse_timestamp(expires_at) if expires_at else None,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredKey:
    """`client`: its name; `sha256`: the digest of the key in hexadecimal; `created_at`: an RFC 3339
    timestamp.

    In JSON, the client is called `name`.
    """

    client: str
    sha256: str
    created_at: str
    options: KeyOptions = field(default_factory=lambda: KeyOptions())

    def to_json(self) -> dict[str, Any]:
        """Options that are not set are omitted, so that older versions can read a file without them."""
        options = {name: value for name, value in self.options.to_json().items() if value}
        return {"name": self.client, "sha256": self.sha256, "created_at": self.created_at, **options}

    @property
    def id(self) -> str:
        """The first 8 hexadecimal digits of its hash; does not reveal the key."""
        return self.sha256[:8]


def check_name(name: str) -> None:
    """Raises StartError for an invalid name of a client."""
    if not _NAME.fullmatch(name):
        raise StartError("a key's name has 1 to 64 of A-Z a-z 0-9 . _ -, with a letter or digit at each end")


Change = Callable[[list[StoredKey]], list[StoredKey]]


class StoredKeys(ABC):
    """The keys that were made at run time. Every method raises StartError if they cannot be read or written.

    place   where they are, for messages
    scope   what a service that reads them has in common with this place, for messages
    """

    place: str
    scope: str

    @abstractmethod
    def version(self) -> Hashable | None:
        """A value that differs after each change; None if there never was a key."""

    @abstractmethod
    def _document(self) -> str | None:
        """The keys as JSON; None if there never was a key."""

    @abstractmethod
    def _change(self, change: Change) -> None:
        """Replace the keys by what `change` returns. One caller at a time."""

    async def watch(self, look: Callable[[], None]) -> None:
        """Call `look` every POLL_SECONDS, until cancelled."""
        while True:
            await anyio.sleep(POLL_SECONDS)
            look()

    def read(self) -> list[StoredKey]:
        """The keys in the order of their creation; empty if there never was one."""
        document = self._document()
        return [] if document is None else self._parsed(document)

    def _parsed(self, document: str) -> list[StoredKey]:
        try:
            return parsed_keys(document)
        except (StartError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise StartError(
                f"{self.place} is damaged: restore it, or remove it and make new keys with: gencode keys make"
            ) from None

    def create(self, client: str, options: KeyOptions | None = None) -> tuple[str, StoredKey]:
        """Create a key for a client, which may have several. Returns the key itself, which is not stored."""
        check_name(client)
        key = KEY_PREFIX + secrets.token_hex(24)
        made = StoredKey(
            client=client,
            sha256=hashlib.sha256(key.encode()).hexdigest(),
            created_at=_rfc3339(datetime.now(UTC)),
            options=options or KeyOptions(),
        )
        self._change(lambda keys: [*keys, made])
        return key, made

    def revoke(self, name_or_id: str) -> list[StoredKey]:
        """Revoke all keys of this client, or the key with this id; returns the revoked keys."""
        gone: list[StoredKey] = []

        def without(keys: list[StoredKey]) -> list[StoredKey]:
            gone[:] = [key for key in keys if name_or_id in (key.client, key.id)]
            return [key for key in keys if key not in gone]

        self._change(without)
        return gone


class KeyStore(StoredKeys):
    """The keys in one file."""

    scope = "this folder"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.place = str(path)

    def version(self) -> tuple[int, int, int] | None:
        """Inode, mtime and size of the file."""
        try:
            found = os.stat(self.path)
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _document(self) -> str | None:
        try:
            return read_regular_file(self.path, MAX_FILE_BYTES).decode()
        except FileNotFoundError:
            return None
        except NotAFile as error:
            raise StartError(f"{self.path} cannot be read: {error}") from None
        except OSError as error:
            raise StartError(f"{self.path} cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            return ""

    def _change(self, change: Change) -> None:
        with self._locked():
            keys = self.read()
            changed = change(keys)
            if changed != keys:
                self._replace(changed)

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
        """Replace the file. The new one is synced to disk before it is renamed, so a crash leaves the old or
        the new."""
        text = key_document(keys)
        new = self.path.with_suffix(".new")
        try:
            new.unlink(missing_ok=True)  # left by a crash, with any permissions
            file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(file, "w", encoding="utf-8") as stream:
                give_to_owner_of(self.path.parent, file)
                stream.write(text + "\n")
                stream.flush()
                os.fsync(file)
            new.replace(self.path)
            _sync_directory(self.path.parent)
        except OSError as error:
            raise self._unwritable(error) from None

    def _unwritable(self, error: OSError) -> StartError:
        return StartError(
            f"{self.path} cannot be written ({error.strerror}): run this as the user of the service, and with"
            " its DATA_DIR"
        )


def key_store(data_dir: Path) -> KeyStore:
    return KeyStore(data_dir / FILE_NAME)


def key_document(keys: Sequence[StoredKey]) -> str:
    """The keys as JSON."""
    return json.dumps({"version": 1, "keys": [key.to_json() for key in keys]}, indent=1)


def parsed_keys(text: str) -> list[StoredKey]:
    """Raises StartError, and other errors for a text that is no document of keys."""
    found: dict[str, Any] = json.loads(text)
    keys = [_key(key) for key in found["keys"]]
    if found["version"] != 1 or not all(re.fullmatch(r"[0-9a-f]{64}", key.sha256) for key in keys):
        raise ValueError("not the format of this version")
    return keys


def _key(data: dict[str, Any]) -> StoredKey:
    """Raises KeyError, TypeError, ValueError. Unknown fields are rejected: a newer version may have added a
    restriction which this one would ignore."""
    options = {name: value for name, value in data.items() if name not in ("name", "sha256", "created_at")}
    return StoredKey(
        client=str(data["name"]),
        sha256=str(data["sha256"]),
        created_at=str(data["created_at"]),
        options=KeyOptions.from_json(options),
    )


def parse_timestamp(text: str) -> datetime:
    """Parses an RFC 3339 timestamp; returns it in UTC. Raises ValueError, also without an offset."""
    timestamp = datetime.fromisoformat(text)
    if timestamp.tzinfo is None:
        raise ValueError("a timestamp without its offset")
    return timestamp.astimezone(UTC)


def _rfc3339(timestamp: datetime) -> str:
    return timestamp.isoformat(timespec="seconds").replace("+00:00", "Z")


def _sync_directory(directory: Path) -> None:
    file = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
