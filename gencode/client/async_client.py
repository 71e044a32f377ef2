"""The client for programs that run an event loop."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from pathlib import Path
from types import TracebackType
from typing import Any, Self, Unpack, cast
from urllib.parse import quote

import anyio

from gencode.client.connection import Connection, Sleep
from gencode.client.event_stream import Message, Notice, events
from gencode.client.types import Accepted, Estimate, FileList, Options, Plan, PlannedFile, Task

URL = "http://127.0.0.1:8080"
PATIENCE = 30.0


class Client:
    """An async context manager. Every method raises ServiceError, of which Unreachable is one.

    url       where the service listens, with the path that it is mounted under
    key       its API key, if it wants one
    patience  seconds that a call may wait for a service that restarts, is busy, or whose answer was lost; a
              call that must not be made twice is not
    connect_patience   the same for a service that refuses connections; None: as `patience`
    ca_file   certificate of an authority of your own, for https
    """

    def __init__(
        self,
        url: str = URL,
        key: str = "",
        *,
        patience: float = PATIENCE,
        connect_patience: float | None = None,
        ca_file: str | None = None,
        sleep: Sleep = anyio.sleep,
    ) -> None:
        self._connection = Connection(
            url,
            key,
            patience=patience,
            connect_patience=patience if connect_patience is None else connect_patience,
            ca_file=ca_file,
            sleep=sleep,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self._connection.close()

    async def submit(
        self, prompt: str, repo_name: str, *, idempotency_key: str | None = None, **options: Unpack[Options]
    ) -> Accepted:
        """Returns once the task is stored. Sent again when the answer is lost: the key, by default one of its
        own for each call, makes that the same task."""
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        body = _body(prompt, repo_name, options)
        accepted = await self._connection.json("POST", "/api/v1/generate", json=body, headers=headers)
        return cast(Accepted, accepted)

    async def estimate(self, prompt: str, repo_name: str, **options: Unpack[Options]) -> Estimate:
        """What `submit` with the same would probably cost."""
        body = _body(prompt, repo_name, options)
        return cast(Estimate, await self._connection.json("POST", "/api/v1/estimate", has="basis", json=body))

    # --- one task -----------------------------------------------------------------------------------

    async def task(self, task_id: str) -> Task:
        return cast(Task, await self._connection.json("GET", _path(task_id)))

    async def events(
        self, task_id: str, after: int = 0, *, include: Sequence[str] = (), notice: Notice | None = None
    ) -> AsyncGenerator[Message, None]:
        """Each event after `after` exactly once, until the task is over; reconnects as often as it takes.

        include  "delta" (what the model is writing) or "progress", as live-only messages between them
        notice   told of each interruption

        Raises ServiceError when the service refuses (no such task, wrong key).
        """
        stream = events(self._connection, _name(task_id), after, ",".join(include), notice)
        async with aclosing(stream) as messages:
            async for message in messages:
                yield message

    async def wait(self, task_id: str) -> Task:
        """The task once it is over: completed, failed or cancelled."""
        async for _ in self.events(task_id):
            continue
        return await self.task(task_id)

    async def cancel(self, task_id: str) -> Task:
        """Returns once nothing of it runs any more."""
        return cast(Task, await self._connection.json("POST", _path(task_id, "cancel")))

    async def retry(self, task_id: str, **changes: Unpack[Options]) -> Accepted:
        """Go on with a failed task, by default as it was asked for; nothing is paid for twice."""
        more: dict[str, Any] = {"json": changes} if changes else {}
        accepted = await self._connection.json("POST", _path(task_id, "retry"), repeatable=False, **more)
        return cast(Accepted, accepted)

    # --- its plan -----------------------------------------------------------------------------------

    async def plan(self, task_id: str) -> Plan:
        return cast(Plan, await self._connection.json("GET", _path(task_id, "plan")))

    async def change_plan(
        self,
        task_id: str,
        files: Iterable[PlannedFile],
        summary: str | None = None,
        *,
        revision: int | None = None,
    ) -> Plan:
        """Replace the planned files; only while the task waits for approval. `revision`: refuse (412) unless
        the plan is still that one."""
        body: dict[str, Any] = {"files": list(files)} | ({} if summary is None else {"summary": summary})
        headers, again = _if_match(revision), revision is None  # one that was taken matches no more
        plan = await self._connection.json(
            "PUT", _path(task_id, "plan"), repeatable=again, json=body, headers=headers
        )
        return cast(Plan, plan)

    async def approve(self, task_id: str, *, revision: int | None = None) -> Accepted:
        """Let a task go on that waits with its plan; a second time changes nothing. `revision`: as above."""
        headers = _if_match(revision)
        return cast(Accepted, await self._connection.json("POST", _path(task_id, "approve"), headers=headers))

    # --- what came of it ----------------------------------------------------------------------------

    async def files(self, task_id: str) -> FileList:
        return cast(FileList, await self._connection.json("GET", _path(task_id, "files")))

    async def file(self, task_id: str, path: str) -> str:
        """The text of a file that is whole."""
        answer = await self._connection.answer("GET", _path(task_id, "files", *path.split("/")))
        return answer.content.decode()

    async def archive(self, task_id: str) -> bytes:
        """A zip of all files that are whole; see `gencode.client.unpack`."""
        return (await self._connection.answer("GET", _path(task_id, "archive.zip"))).content

    async def download(self, task_id: str, file: str | Path) -> Path:
        """The same, into a file."""
        path = anyio.Path(file)
        await path.write_bytes(await self.archive(task_id))
        return Path(path)

    async def report(self, task_id: str) -> dict[str, Any]:
        found: dict[str, Any] = await self._connection.json("GET", _path(task_id, "report"), has="files")
        return found

    async def bundle(self, task_id: str) -> dict[str, Any]:
        """What `gencode replay` takes."""
        found: dict[str, Any] = await self._connection.json("GET", _path(task_id, "bundle"), has="commit")
        return found

    # --- all ----------------------------------------------------------------------------------------

    async def tasks(
        self, *, status: Sequence[str] = (), limit: int | None = None
    ) -> AsyncGenerator[Task, None]:
        """Your tasks, newest first, at most `limit`; pages are fetched as they are needed."""
        params = {"status": ",".join(status), "limit": str(min(limit or 100, 100))}
        left = limit
        while left is None or left > 0:
            page = await self._connection.json("GET", "/api/v1/tasks", has="tasks", params=params)
            for task in page["tasks"][:left]:
                yield task
            left = None if left is None else left - len(page["tasks"])
            if not page["next_cursor"]:
                return
            params["cursor"] = page["next_cursor"]


def _body(prompt: str, repo_name: str, options: Options) -> dict[str, Any]:
    given = {name: value for name, value in options.items() if value is not None}
    return {"prompt": prompt, "repo_name": repo_name, **given}


def _if_match(revision: int | None) -> dict[str, str]:
    return {} if revision is None else {"If-Match": f'"{revision}"'}


def _path(task_id: str, *parts: str) -> str:
    """Each part is quoted: what was typed in place of an id stays one part of the path."""
    return "/".join(["/api/v1/task", _name(task_id), *map(_name, parts)])


def _name(part: str) -> str:
    return quote(part, safe="") if part.strip(".") else part.replace(".", "%2E")
