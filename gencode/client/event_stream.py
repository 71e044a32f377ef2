"""A task's events, each once, through every interruption."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import httpx
from httpx_sse import EventSource, SSEError

from gencode.client.connection import Connection, passing
from gencode.client.errors import ServiceError, no_answer, unexpected
from gencode.client.types import OVER

RECONNECT_SECONDS = 1.0
LONGEST_SECONDS = 15.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One event. `id` is 0 for live-only ones."""

    id: int
    kind: str
    data: dict[str, Any]


Notice = Callable[[ServiceError | None, float], None]
"""Told before each reconnection: what happened (None: the service ended the stream), and seconds to wait."""


async def events(
    connection: Connection, task_id: str, after: int, include: str, notice: Notice | None
) -> AsyncGenerator[Message, None]:
    """See Client.events."""
    pause = RECONNECT_SECONDS
    while True:
        lost: ServiceError | None = None
        try:
            async with aclosing(_stream(connection, task_id, after, include)) as messages:
                async for message in messages:
                    after, pause = message.id or after, RECONNECT_SECONDS
                    yield message
            if await _heard_all(connection, task_id, after):
                return
        except ServiceError as error:
            if not passing(error):
                raise
            lost = error
        wait = max(pause * random.uniform(0.5, 1), (lost and lost.retry_after) or 0)  # noqa: S311  # no secret
        if notice:
            notice(lost, wait)
        await connection.sleep(wait)
        pause = min(pause * 2, LONGEST_SECONDS)


async def _heard_all(connection: Connection, task_id: str, after: int) -> bool:
    task = await connection.json("GET", f"/api/v1/task/{task_id}")
    return task["last_event_id"] <= after and task["status"] in OVER


async def _stream(
    connection: Connection, task_id: str, after: int, include: str
) -> AsyncGenerator[Message, None]:
    headers = {"Last-Event-ID": str(after)}
    params = {"include": include} if include else {}
    async with connection.stream(f"/api/v1/status/{task_id}", headers, params=params) as answer:
        if answer.status_code == 204:
            return
        try:
            async for event in EventSource(answer).aiter_sse():
                if event.data:
                    number = int(event.id or 0)  # one without an id of its own comes with the last one's
                    fresh, after = number > after, max(number, after)
                    yield Message(id=number if fresh else 0, kind=event.event, data=json.loads(event.data))
        except (SSEError, ValueError):
            raise unexpected(answer) from None
        except httpx.RequestError as error:
            raise no_answer(connection.url, error) from error
