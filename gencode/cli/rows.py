"""Rows of the workspace that commands list, and files that they upload."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import anyio

from gencode.client import Client
from gencode.domain.errors import StartError


async def pages(client: Client, path: str, params: Mapping[str, str]) -> AsyncIterator[dict[str, Any]]:
    """Every page of a list. `path`: below /api/v1."""
    cursor = ""
    while True:
        more = {"limit": "100", **params, **({"cursor": cursor} if cursor else {})}
        page = await client.call("GET", path, params=more)
        yield page
        cursor = page["next_cursor"] or ""
        if not cursor:
            return


async def file_bytes(file: Path) -> bytes:
    """Raises StartError."""
    try:
        return await anyio.Path(file).read_bytes()
    except OSError as error:
        raise StartError(f"{file} cannot be read: {error.strerror}") from None


def given(values: Mapping[str, Any]) -> dict[str, Any]:
    """Those that are not None."""
    return {name: value for name, value in values.items() if value is not None}
