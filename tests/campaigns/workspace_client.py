"""A client of a service that is killed again and again: it sends each request until it is answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio
import httpx

RETRY_SECONDS = 0.1
OVER = ("completed", "failed", "cancelled")
CRASH_LOOP = "CRASH_LOOP"


class Refused(Exception):
    """An answer that no client of the campaign expects."""


@dataclass
class PersistentClient:
    """accepted  the tasks that were answered with, by the key of their submission
    retried   tasks that were killed too often, and retried
    """

    http: httpx.AsyncClient
    accepted: dict[str, str] = field(default_factory=dict)
    retried: int = 0

    async def send(self, method: str, path: str, *, key: str = "", **options: Any) -> Any:
        """The JSON of the answer; `path` below /api/v1. Raises Refused."""
        headers = {"Idempotency-Key": key} if key else {}
        while True:
            try:
                answer = await self.http.request(method, f"/api/v1{path}", headers=headers, **options)
            except httpx.HTTPError:
                await anyio.sleep(RETRY_SECONDS)
                continue
            if answer.status_code in (429, 503):
                await anyio.sleep(RETRY_SECONDS)
            elif answer.is_success:
                return answer.json() if answer.content else None
            else:
                raise Refused(f"{method} {path} {key}: {answer.status_code} {answer.text[:300]}")

    async def post(self, path: str, json: Mapping[str, Any] | None = None, *, key: str = "") -> Any:
        return await self.send("POST", path, key=key, json=json)

    async def submit(self, path: str, json: Mapping[str, Any] | None, key: str) -> str:
        """The id of the task. Each second submission is sent twice at the same time."""
        answers: list[Any] = []

        async def once() -> None:
            try:
                answers.append(await self.post(path, json, key=key))
            except Refused as refused:
                answers.append(refused)

        async with anyio.create_task_group() as tg:
            for _ in range(1 + len(self.accepted) % 2):
                tg.start_soon(once)
        for answer in answers:
            if isinstance(answer, Refused):
                raise answer
        ids = {str(answer["task_id"]) for answer in answers}
        if len(ids) != 1:
            raise Refused(f"{key} became several tasks: {ids}")
        return self.accept(key, ids.pop())

    def accept(self, key: str, task_id: str) -> str:
        if self.accepted.setdefault(key, task_id) != task_id:
            raise Refused(f"{key} became several tasks")
        return task_id

    async def over(self, task_id: str) -> dict[str, Any]:
        """The task when it is over. One that was killed too often is retried. Raises Refused for one that has
        failed otherwise."""
        while True:
            task: dict[str, Any] = await self.send("GET", f"/task/{task_id}")
            if task["status"] == "failed":
                if task["error"]["code"] != CRASH_LOOP:
                    raise Refused(f"{task['kind']} {task_id}: {task['error']}")
                self.retried += 1
                await self._steer(task_id, "retry")
            elif task["status"] in OVER:
                return task
            await anyio.sleep(RETRY_SECONDS)

    async def cancel(self, task_id: str) -> None:
        await self._steer(task_id, "cancel")

    async def _steer(self, task_id: str, verb: str) -> None:
        """A task that is over, or goes on, by now is as well."""
        try:
            await self.post(f"/task/{task_id}/{verb}", {})
        except Refused as refused:
            if ": 409 " not in str(refused):
                raise
