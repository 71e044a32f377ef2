"""What a client is told of a task, to be compared with what another version of the service tells."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from httpx_sse import EventSource

from tests.servers.calls import client

Logged = tuple[int, str, str]
"""An event as it was sent: id, kind, and the text of its data."""
Spelled = Callable[[str], str]
"""How a text is to be spelled before it is compared."""


@asynccontextmanager
async def knocking(url: str, key: str = "") -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API with this key."""
    async with client(f"{url}/api/v1") as http:
        if key:
            http.headers["X-API-Key"] = key
        yield http


async def asked(http: httpx.AsyncClient, path: str, spelled: Spelled = str) -> Any:
    """The JSON that a path below /api/v1 answers with 200."""
    answer = await http.get(path)
    assert answer.status_code == 200, (path, answer.status_code, answer.text)
    return json.loads(spelled(answer.text))


async def listening(http: httpx.AsyncClient, task_id: str) -> AsyncIterator[Logged]:
    """The stored events of a stream, from the first."""
    async with http.stream("GET", f"/status/{task_id}") as response:
        assert response.status_code == 200
        async for event in EventSource(response).aiter_sse():
            if event.id and event.data:
                yield int(event.id), event.event, event.data


async def history(http: httpx.AsyncClient, task_id: str, up_to: int = 0) -> list[Logged]:
    """The log up to this event; without one, to the end of the stream."""
    log = []
    async for logged in listening(http, task_id):
        log.append(logged)
        if logged[0] == up_to:
            break
    return log


async def until(http: httpx.AsyncClient, task_id: str, kind: str, **data: Any) -> None:
    """Wait for an event of this kind and with these fields."""
    async for _, found, text in listening(http, task_id):
        if found == kind and data.items() <= json.loads(text).items():
            return
    raise AssertionError(f"the stream of {task_id} ended before {kind} {data}")


def digests(log: list[Logged], spelled: Spelled = str) -> dict[str, Any]:
    """The log in short: the digest of its text, and of each event, so that a difference can be found."""
    texts = [spelled(f"event: {kind}\nid: {id_}\ndata: {data}\n\n") for id_, kind, data in log]
    events = [f"{id_} {kind} {sha256(text)[:12]}" for (id_, kind, _), text in zip(log, texts, strict=True)]
    return {"events": events, "sha256": sha256("".join(texts))}


async def told(http: httpx.AsyncClient, task_id: str, spelled: Spelled = str) -> dict[str, Any]:
    """All that can be had of a task that is over; texts of files by their digests."""
    view = await asked(http, f"/task/{task_id}", spelled)
    found = {
        "view": view,
        "log": digests(await history(http, task_id), spelled),
        "report": await asked(http, f"/task/{task_id}/report", spelled),
        **await files_told(http, task_id),
    }
    return found | (await _bundle(http, task_id, spelled) if view["commit"] else {})


async def files_told(http: httpx.AsyncClient, task_id: str) -> dict[str, Any]:
    """The list of a task's files, and a digest of each that is whole."""
    listed = await asked(http, f"/task/{task_id}/files")
    whole = [file["path"] for file in listed["files"] if file["state"] in ("whole", "committed")]
    texts = {path: await http.get(f"/task/{task_id}/files/{path}") for path in whole}
    return {"files": listed, "texts": {path: text_digest(answer) for path, answer in texts.items()}}


def text_digest(answer: httpx.Response) -> str:
    """Of a file that may be read; the code of the refusal of one that may not."""
    return sha256(answer.text) if answer.status_code == 200 else str(answer.json()["code"])


async def _bundle(http: httpx.AsyncClient, task_id: str, spelled: Spelled) -> dict[str, Any]:
    """Without the report, which is that of the task."""
    bundle = await asked(http, f"/task/{task_id}/bundle", spelled)
    assert bundle.pop("report") == await asked(http, f"/task/{task_id}/report", spelled)
    bundle["commit"]["files"] = {path: sha256(text) for path, text in bundle["commit"]["files"].items()}
    return {"bundle": bundle}


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
