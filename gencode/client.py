"""A client of the service: submit a prompt, follow its events through every interruption."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import anyio
import httpx
from httpx_sse import aconnect_sse

RECONNECT_SECONDS = 1.0
SILENCE_SECONDS = 45.0
"""Three missed pings: the connection is dead although nobody said so."""


class ServiceError(Exception):
    """The service refused. `code` is stable (see the list of errors); the text says what to do."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{message} [{code}]")
        self.status = status
        self.code = code


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One event. `id` is 0 for live-only ones."""

    id: int
    kind: str
    data: dict[str, Any]


class Client:
    """An async context manager. `url`: where the service listens; `key`: its API key, if it wants one."""

    def __init__(self, url: str = "http://127.0.0.1:8080", key: str = "") -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        timeout = httpx.Timeout(10.0, read=SILENCE_SECONDS)
        self._http = httpx.AsyncClient(base_url=url, headers=headers, timeout=timeout, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def submit(self, prompt: str, repo_name: str, **options: Any) -> dict[str, Any]:
        """`{"task_id", "status", "message", ...}`. `options`: model, github_org, private, allow_secrets,
        max_tokens, max_cost, deadline.

        Raises ServiceError; nothing was submitted then.
        """
        body = {"prompt": prompt, "repo_name": repo_name, **options}
        return self._json(await self._http.post("/api/v1/generate", json=body))

    async def task(self, task_id: str) -> dict[str, Any]:
        return self._json(await self._http.get(f"/api/v1/task/{task_id}"))

    async def cancel(self, task_id: str) -> dict[str, Any]:
        return self._json(await self._http.post(f"/api/v1/task/{task_id}/cancel"))

    async def retry(self, task_id: str) -> dict[str, Any]:
        """Go on with a failed task; as `submit`. Raises ServiceError when it has not failed."""
        return self._json(await self._http.post(f"/api/v1/task/{task_id}/retry"))

    async def events(self, task_id: str, after: int = 0) -> AsyncGenerator[Message, None]:
        """Each event after `after` exactly once, until the task is over; reconnects as often as it takes.

        Raises ServiceError when the service refuses (no such task, wrong key).
        """
        while True:
            try:
                async for message in self._stream(task_id, after):
                    after = message.id or after
                    yield message
                if await self._heard_all(task_id, after):
                    return
            except (httpx.TransportError, _Restarting):
                pass
            await anyio.sleep(RECONNECT_SECONDS)

    async def _heard_all(self, task_id: str, after: int) -> bool:
        task = await self.task(task_id)
        return task["last_event_id"] <= after and task["status"] in ("completed", "failed", "cancelled")

    async def _stream(self, task_id: str, after: int) -> AsyncGenerator[Message, None]:
        headers = {"Last-Event-ID": str(after)}
        async with aconnect_sse(self._http, "GET", f"/api/v1/status/{task_id}", headers=headers) as source:
            if source.response.status_code == 204:
                return
            await _refusal(source.response)
            async for event in source.aiter_sse():
                if event.data:
                    number = int(event.id or 0)  # one without an id of its own comes with the last one's
                    fresh, after = number > after, max(number, after)
                    yield Message(id=number if fresh else 0, kind=event.event, data=json.loads(event.data))

    def _json(self, answer: httpx.Response) -> dict[str, Any]:
        _raise_for(answer)
        found: dict[str, Any] = answer.json()
        return found


class _Restarting(ServiceError):
    """The service is about to come back: who reads a stream waits for it."""


async def _refusal(response: httpx.Response) -> None:
    if not response.is_success:
        await response.aread()
        _raise_for(response)


def _raise_for(answer: httpx.Response) -> None:
    if answer.is_success:
        return
    # 502 and 504 are a proxy's words for a service that is away.
    back_soon = answer.status_code in (502, 503, 504) and answer.request.method == "GET"
    refusal = _Restarting if back_soon else ServiceError
    try:
        problem = answer.json()
        raise refusal(answer.status_code, str(problem["code"]), str(problem["detail"]))
    except (ValueError, KeyError, TypeError):
        words = f"the service answered {answer.status_code}; is this the address of gencode?"
        raise refusal(answer.status_code, "UNEXPECTED", words) from None
