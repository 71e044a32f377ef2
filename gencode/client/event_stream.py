"""Reads a task's event stream (server-sent events) and reconnects: each event is yielded exactly once."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import httpx
from httpx_sse import EventSource, SSEError

from gencode.client.connection import Connection, is_transient
from gencode.client.errors import ServiceError, unexpected_response, unreachable_error
from gencode.client.types import TERMINAL_STATUSES

RECONNECT_SECONDS = 1.0
MAX_RECONNECT_SECONDS = 15.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One event. `id` is its position in the task's log, 0 for live-only messages."""

    id: int
    kind: str
    data: dict[str, Any]


Notice = Callable[[ServiceError | None, float], None]
"""Called before each reconnection: the error (None: the service ended the stream), and seconds to wait."""


async def events(
    connection: Connection, task_id: str, after: int, include: str, notice: Notice | None
) -> AsyncGenerator[Message, None]:
    """See Client.events."""
    backoff = RECONNECT_SECONDS
    while True:
        interruption: ServiceError | None = None
        try:
            async with aclosing(_stream(connection, task_id, after, include)) as messages:
                async for message in messages:
                    after, backoff = message.id or after, RECONNECT_SECONDS
                    yield message
            if await _is_complete(connection, task_id, after):
                return
        except ServiceError as error:
            if not is_transient(error):
                raise
            interruption = error
        requested = (interruption and interruption.retry_after) or 0
        wait = max(backoff * random.uniform(0.5, 1), requested)  # noqa: S311  # no secret
        if notice:
            notice(interruption, wait)
        await connection.sleep(wait)
        backoff = min(backoff * 2, MAX_RECONNECT_SECONDS)


async def _is_complete(connection: Connection, task_id: str, after: int) -> bool:
    task = await connection.request_json("GET", f"/api/v1/task/{task_id}")
    return task["last_event_id"] <= after and task["status"] in TERMINAL_STATUSES


async def _stream(
    connection: Connection, task_id: str, after: int, include: str
) -> AsyncGenerator[Message, None]:
    headers = {"Last-Event-ID": str(after)}
    params = {"include": include} if include else {}
    async with connection.stream(f"/api/v1/status/{task_id}", headers, params=params) as response:
        if response.status_code == 204:
            return
        try:
            async for event in EventSource(response).aiter_sse():
                if event.data:
                    event_id = int(event.id or 0)  # httpx_sse repeats the last id for a message without one
                    has_own_id, after = event_id > after, max(event_id, after)
                    yield Message(
                        id=event_id if has_own_id else 0, kind=event.event, data=json.loads(event.data)
                    )
        except (SSEError, ValueError):
            raise unexpected_response(response) from None
        except httpx.RequestError as error:
            raise unreachable_error(connection.url, error) from error
