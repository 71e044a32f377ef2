"""Plain HTTP calls to a running service, and a small project that it generates."""

from __future__ import annotations

import re
from typing import Any

import anyio
import httpx

from tests.servers.service import urls_behind

FILES = {"app.py": "print('hello')\n", "README.md": "# Hello\n"}
BODY = {"prompt": "say hello", "repo_name": "hello"}


def client(url: str) -> httpx.AsyncClient:
    """Without certificates, which make each new client slow; the servers of tests use plain HTTP."""
    return httpx.AsyncClient(base_url=url, timeout=120, trust_env=False, verify=False)


async def post(url: str, path: str, json: Any = None, **headers: str) -> httpx.Response:
    """`path` below /api/v1."""
    async with client(url) as http:
        return await http.post(f"/api/v1{path}", json=json, headers=headers)


async def get(url: str, path: str) -> Any:
    """The body of a path that must answer 200: JSON, or text."""
    async with client(url) as http:
        answer = await http.get(path)
        assert answer.status_code == 200
        return answer.json() if "json" in answer.headers["content-type"] else answer.text


async def submit(url: str, name: str = "hello") -> str:
    """The id of a new task for a repository of this name."""
    answer = await post(url, "/generate", BODY | {"repo_name": name})
    assert answer.status_code == 202
    return str(answer.json()["task_id"])


async def streams_open(url: str, count: int) -> None:
    """Wait until the service has exactly so many subscribers, in all its processes."""
    while await _streams(url) != count:
        await anyio.sleep(0.01)


async def _streams(url: str) -> float:
    metrics = [await get(one, "/metrics") for one in urls_behind(url)]
    return sum(float(re.findall(r"(?m)^gencode_streams_open (\S+)", text)[0]) for text in metrics)
