"""Conversations of a running service, for tests: send, read, follow."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.servers.calls import client
from tests.servers.model import ModelServer, Script, chunk, model_server
from tests.servers.service import running_app, settings
from tests.servers.stream import events

CHAT = "/api/v1/chat/conversations"


class Chat:
    """One conversation of one user."""

    def __init__(self, http: httpx.AsyncClient, conversation: str) -> None:
        self.http = http
        self.path = f"{CHAT}/{conversation}"

    @classmethod
    async def begin(cls, http: httpx.AsyncClient, **fields: Any) -> Chat:
        created = await http.post(CHAT, json={"model": "scripted", **fields})
        assert created.status_code == 201, created.text
        return cls(http, created.json()["id"])

    async def send(self, content: str = "Why?", status: int = 202, key: str = "", **fields: Any) -> Any:
        headers = {"Idempotency-Key": key} if key else {}
        sent = await self.http.post(
            f"{self.path}/messages", json={"content": content, **fields}, headers=headers
        )
        assert sent.status_code == status, sent.text
        return sent.json()

    async def again(self, message_id: str) -> Any:
        sent = await self.http.post(f"{self.path}/messages/{message_id}/regenerate", json={})
        assert sent.status_code == 202, sent.text
        return sent.json()

    async def over(self, sent: Any) -> dict[str, Any]:
        """The task, once it is over."""
        await events(str(self.http.base_url), sent["task_id"])
        return dict((await self.http.get(f"/api/v1/task/{sent['task_id']}")).json())

    async def ask(self, content: str = "Why?", **fields: Any) -> Any:
        sent = await self.send(content, **fields)
        await self.over(sent)
        return sent

    async def messages(self, **params: Any) -> list[dict[str, Any]]:
        found = await self.http.get(f"{self.path}/messages", params=params)
        assert found.status_code == 200, found.text
        return list(found.json()["items"])

    async def last(self) -> dict[str, Any]:
        return (await self.messages())[-1]

    async def itself(self) -> dict[str, Any]:
        return dict((await self.http.get(self.path)).json())


@asynccontextmanager
async def serving(folder: Path, script: Script, **fields: Any) -> AsyncIterator[tuple[Any, ModelServer]]:
    async with (
        model_server(script) as model,
        running_app(settings(folder, model, workspace=True, **fields)) as app,
        client(app.url) as http,
    ):
        yield http, model


def shown(heard: list[Any]) -> str:
    """The text that a viewer has, by the rules of docs/conversations.md."""
    written, stored, round_ = "", 0, 1
    for event in heard:
        data = event.data
        if event.kind == "resumed":
            written = written[:stored]
        elif event.kind == "text":
            written = written[: data["offset"]] if data["round"] == round_ else ""
            round_ = data["round"]
            assert data["offset"] == len(written), "a stored piece is missing"
            written += data["text"]
            stored = len(written)
        elif event.kind == "delta" and data["round"] == round_ and data["offset"] <= len(written):
            written += data["text"][len(written) - data["offset"] :]
    return written


def pieces(content: str, size: int = 20) -> list[dict[str, Any]]:
    return [chunk({"content": content[at : at + size]}) for at in range(0, len(content), size)]


def last_total(heard: list[Any]) -> int:
    total = [event.data["total"] for event in heard if event.kind == "usage"][-1]
    return int(total["prompt"] + total["completion"])
