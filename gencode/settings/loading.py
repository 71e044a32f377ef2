"""Loads and validates the settings of this process."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings

from gencode.domain.errors import StartError
from gencode.settings.fields import DatabaseSettings, DataDir, EncryptionSettings, RetentionSettings, Settings
from gencode.settings.sources import read_env_file

SettingsT = TypeVar("SettingsT", bound=BaseSettings)


def load(environment: Mapping[str, Any] | None = None) -> Settings:
    """The settings of this process; `environment` takes precedence, by field name. Raises StartError."""
    return _validated(Settings, environment or {})


def load_data_dir() -> Path:
    """DATA_DIR alone, for commands such as `gencode backup` that must work while others are invalid."""
    return _validated(DataDir, {}).data_dir


def load_database() -> DatabaseSettings:
    """DATA_DIR and the addresses of the database. Raises StartError."""
    return _validated(DatabaseSettings, {})


def load_encryption() -> EncryptionSettings:
    """DATA_DIR, the addresses of the database, and the keys of stored secrets. Raises StartError."""
    return _validated(EncryptionSettings, {})


def load_retention() -> RetentionSettings:
    """DATA_DIR and the retention settings, for `gencode prune`. Raises StartError."""
    return _validated(RetentionSettings, {})


def _validated(kind: type[SettingsT], given: Mapping[str, Any]) -> SettingsT:
    try:
        return kind(**given)
    except ValidationError as error:
        raise StartError(
            "; ".join(_error_message(item) for item in error.errors(include_input=False))
        ) from None


def _error_message(item: Any) -> str:
    where = ".".join(str(part) for part in item["loc"]).upper()
    text = str(item["msg"]).removeprefix("Value error, ")
    return f"{where}: {text}" if where else text


def set_by_env_file() -> list[str]:
    """Names of the settings that `.env` changes, to report a file that the operator may not know of."""
    in_environment = {name.lower().removesuffix("_file") for name, value in os.environ.items() if value}
    fields = Settings.model_fields
    found = {
        name: value
        for name, value in read_env_file().items()
        if name in fields and name not in in_environment
    }
    return [name.upper() for name, value in found.items() if value != _as_text(fields[name].default)]


def _as_text(default: object) -> str:
    """A default as .env.example writes it."""
    return str(default).lower() if isinstance(default, bool) else str(default)
