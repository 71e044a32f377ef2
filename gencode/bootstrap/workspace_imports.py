"""Imports the workspace, which needs the extra `workspace`, only where WORKSPACE is on."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from gencode.domain.errors import StartError


def workspace_module(name: str) -> Any:
    """Imports a module. Raises StartError if the extra is not installed."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise StartError(
            f"WORKSPACE needs {error.name}, from the extra `workspace` (in a checkout:"
            " pip install '.[workspace]')"
        ) from error
