"""Selects the store of the API keys that `gencode keys` manages: the database if several processes share one,
else a file in DATA_DIR."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from pydantic import SecretStr

from gencode.auth.key_store import StoredKeys, key_store
from gencode.bootstrap.extra_imports import cluster_module
from gencode.domain.errors import StartError


class KeyLocation(Protocol):
    """The settings that determine the store."""

    @property
    def data_dir(self) -> Path: ...

    @property
    def database_url(self) -> SecretStr: ...


def stored_keys(location: KeyLocation) -> StoredKeys:
    """The store of keys. Raises StartError, also if the keys cannot be read."""
    if not (dsn := location.database_url.get_secret_value()):
        return key_store(location.data_dir)
    keys: StoredKeys = cluster_module("gencode.bootstrap.database_api_keys").DatabaseKeys(dsn)
    return keys


def checked_keys(location: KeyLocation) -> StoredKeys:
    """Like `stored_keys`, for a service. Raises StartError if a key file would be ignored, since the service
    would then accept requests without a key."""
    keys, file = stored_keys(location), key_store(location.data_dir)
    if keys.version() is None and file.version() is not None:
        raise StartError(
            f"{file.place} holds API keys, which are not used with DATABASE_URL, and the database has none:"
            " make new ones (gencode keys make NAME), or move the file away if none are needed"
        )
    return keys
