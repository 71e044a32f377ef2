"""The API keys of `gencode keys`, for tests that create and revoke them beside a service.

keys = keys_of(tmp_path)                      # of the services in this folder
key, _ = keys.create("alice")
await expect_answers(app.url, {key: 200})     # at once; from several processes as soon as each knows it
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import anyio
import httpx

from gencode.auth.key_store import StoredKeys, key_store
from tests.servers.calls import client
from tests.servers.service import several_processes, urls_behind


def keys_of(folder: Path) -> StoredKeys:
    if several := several_processes():
        keys: StoredKeys = several.keys_of(folder / "data")
        return keys
    return key_store(folder / "data")


def keys_environment(folder: Path) -> dict[str, str]:
    """The variables with which `gencode keys` finds them."""
    several = several_processes()
    data_dir = folder / "data"
    return several.database_environment(data_dir) if several else {"DATA_DIR": str(data_dir)}


async def expect_answers(url: str, keys: Mapping[str, int]) -> None:
    """Each process answers so to each key. Several processes read changes twice a second."""
    for one in urls_behind(url):
        async with client(one) as http:
            for key, status in keys.items():
                while (found := await _status(http, key)) != status:
                    assert several_processes(), found
                    await anyio.sleep(0.05)


async def _status(http: httpx.AsyncClient, key: str) -> int:
    return (await http.get("/api/v1/tasks", headers={"X-API-Key": key})).status_code
