"""Records everything that a client can read of a task, to compare it between versions of the service."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from httpx_sse import EventSource

from tests.servers.calls import client

StoredEvent = tuple[int, str, str]
"""The id, the kind and the data of an event, as sent."""
Rewrite = Callable[[str], str]
"""Replaces addresses in a text before it is compared."""


@asynccontextmanager
async def api_client(url: str, key: str = "") -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API with this key."""
    async with client(f"{url}/api/v1") as http:
        if key:
            http.headers["X-API-Key"] = key
        yield http


async def get_json(http: httpx.AsyncClient, path: str, rewrite: Rewrite = str) -> Any:
    """The JSON of a path below /api/v1, which must answer 200."""
    answer = await http.get(path)
    assert answer.status_code == 200, (path, answer.status_code, answer.text)
    return json.loads(rewrite(answer.text))


async def stored_events(http: httpx.AsyncClient, task_id: str) -> AsyncIterator[StoredEvent]:
    """The stored events of a stream, from the first."""
    async with http.stream("GET", f"/status/{task_id}") as response:
        assert response.status_code == 200
        async for event in EventSource(response).aiter_sse():
            if event.id and event.data:
                yield int(event.id), event.event, event.data


async def history(http: httpx.AsyncClient, task_id: str, up_to: int = 0) -> list[StoredEvent]:
    """The log up to this event; without one, to the end of the stream."""
    log = []
    async for event in stored_events(http, task_id):
        log.append(event)
        if event[0] == up_to:
            break
    return log


async def wait_for_event(http: httpx.AsyncClient, task_id: str, kind: str, **data: Any) -> None:
    """Wait for an event of this kind and with these fields."""
    async for _, found, text in stored_events(http, task_id):
        if found == kind and data.items() <= json.loads(text).items():
            return
    raise AssertionError(f"the stream of {task_id} ended before {kind} {data}")


def digests(log: list[StoredEvent], rewrite: Rewrite = str) -> dict[str, Any]:
    """The log in short: a digest of the whole, and of each event, so that a difference can be located."""
    texts = [rewrite(f"event: {kind}\nid: {id_}\ndata: {data}\n\n") for id_, kind, data in log]
    events = [f"{id_} {kind} {sha256(text)[:12]}" for (id_, kind, _), text in zip(log, texts, strict=True)]
    return {"events": events, "sha256": sha256("".join(texts))}


async def record(http: httpx.AsyncClient, task_id: str, rewrite: Rewrite = str) -> dict[str, Any]:
    """Everything that can be read of a finished task; texts of files as digests."""
    view = await get_json(http, f"/task/{task_id}", rewrite)
    found = {
        "view": view,
        "log": digests(await history(http, task_id), rewrite),
        "report": await get_json(http, f"/task/{task_id}/report", rewrite),
        **await record_files(http, task_id),
    }
    return found | (await _bundle(http, task_id, rewrite) if view["commit"] else {})


async def record_files(http: httpx.AsyncClient, task_id: str) -> dict[str, Any]:
    """The list of the files of a task, and a digest of each complete one."""
    listed = await get_json(http, f"/task/{task_id}/files")
    whole = [file["path"] for file in listed["files"] if file["state"] in ("whole", "committed")]
    texts = {path: await http.get(f"/task/{task_id}/files/{path}") for path in whole}
    return {"files": listed, "texts": {path: text_digest(answer) for path, answer in texts.items()}}


def text_digest(answer: httpx.Response) -> str:
    """The digest of a file that may be read, else the error code."""
    return sha256(answer.text) if answer.status_code == 200 else str(answer.json()["code"])


async def _bundle(http: httpx.AsyncClient, task_id: str, rewrite: Rewrite) -> dict[str, Any]:
    """The bundle without its report, which must be that of the task."""
    bundle = await get_json(http, f"/task/{task_id}/bundle", rewrite)
    assert bundle.pop("report") == await get_json(http, f"/task/{task_id}/report", rewrite)
    bundle["commit"]["files"] = {path: sha256(text) for path, text in bundle["commit"]["files"].items()}
    return {"bundle": bundle}


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
