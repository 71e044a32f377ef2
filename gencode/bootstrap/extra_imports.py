"""Imports modules that need an extra, only where a setting asks for them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from gencode.domain.errors import StartError


def cluster_module(name: str) -> Any:
    """Imports a module that needs the extra `cluster`. Raises StartError if it is not installed."""
    return _module(name, "cluster", "DATABASE_URL")


def workspace_module(name: str) -> Any:
    """Imports a module that needs the extra `workspace`. Raises StartError if it is not installed."""
    return _module(name, "workspace", "WORKSPACE")


def _module(name: str, extra: str, setting: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise StartError(
            f"{setting} needs {error.name}, from the extra `{extra}` (in a checkout:"
            f" pip install '.[{extra}]')"
        ) from error
