"""Imports modules that need the extra `cluster`, only where DATABASE_URL is set."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from gencode.domain.errors import StartError


def cluster_module(name: str) -> Any:
    """Imports a module. Raises StartError if the extra is not installed."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise StartError(
            f"DATABASE_URL needs {error.name}, from the extra `cluster` (in a checkout:"
            " pip install '.[cluster]')"
        ) from error
