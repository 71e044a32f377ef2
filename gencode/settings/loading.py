"""Reads the settings of this process, and says what is wrong with them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings

from gencode.domain.errors import StartError
from gencode.settings.fields import DataDir, Settings
from gencode.settings.sources import in_env_file

S = TypeVar("S", bound=BaseSettings)


def load(environment: Mapping[str, Any] | None = None) -> Settings:
    """The settings of this process; `environment` overrides by field name. Raises StartError."""
    return _valid(Settings, environment or {})


def load_data_dir() -> Path:
    """That setting alone: for what must work while others are still wrong, such as making the first key."""
    return _valid(DataDir, {}).data_dir


def _valid(kind: type[S], given: Mapping[str, Any]) -> S:
    try:
        return kind(**given)
    except ValidationError as error:
        raise StartError("; ".join(_complaint(item) for item in error.errors(include_input=False))) from None


def _complaint(item: Any) -> str:
    where = ".".join(str(part) for part in item["loc"]).upper()
    text = str(item["msg"]).removeprefix("Value error, ")
    return f"{where}: {text}" if where else text


def set_by_env_file() -> list[str]:
    """The names of those that `.env` changes: for who did not know that there is one."""
    elsewhere = {name.lower().removesuffix("_file") for name, value in os.environ.items() if value}
    fields = Settings.model_fields
    found = {name: value for name, value in in_env_file().items() if name in fields and name not in elsewhere}
    return [name.upper() for name, value in found.items() if value != _written(fields[name].default)]


def _written(default: object) -> str:
    """As .env.example has it."""
    return str(default).lower() if isinstance(default, bool) else str(default)
