"""The asynchronous client."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from types import TracebackType
from typing import Any, Self, Unpack, cast

import anyio
import httpx

from gencode.client.connection import Connection, Sleep
from gencode.client.errors import ServiceError, unexpected_response
from gencode.client.event_stream import Message, Notice, events
from gencode.client.paths import quoted, task_path
from gencode.client.project_methods import ProjectMethods
from gencode.client.session_auth import LoginTokens, tokens_of
from gencode.client.types import (
    Accepted,
    Estimate,
    FileList,
    Kind,
    Options,
    Plan,
    PlannedFile,
    RetryOptions,
    Task,
)

NOT_FOUND = 404
DEFAULT_URL = "http://127.0.0.1:8080"
DEFAULT_PATIENCE = 30.0


class Client(ProjectMethods):
    """An async context manager. Every method raises ServiceError, or its subclass Unreachable.

    url               base URL of the service, with the path that it is mounted under
    key               API key, if the service requires one
    patience          seconds that a call may retry while the service restarts, is busy, or its response was
                      lost; a call that must not run twice is not repeated if the service may have received it
    connect_patience  the same while the service refuses connections; None: as `patience`
    ca_file           certificate of a private certificate authority, for https
    sleep             waits between attempts; replaced in tests
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        key: str = "",
        *,
        patience: float = DEFAULT_PATIENCE,
        connect_patience: float | None = None,
        ca_file: str | None = None,
        auth: httpx.Auth | None = None,
        sleep: Sleep = anyio.sleep,
    ) -> None:
        self._connection = Connection(
            url,
            key,
            patience=patience,
            connect_patience=patience if connect_patience is None else connect_patience,
            ca_file=ca_file,
            auth=auth,
            sleep=sleep,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self._connection.close()

    async def log_in(self, username: str, password: str) -> LoginTokens:
        """Opens a session of an account. Raises ServiceError."""
        form = {"username": username, "password": password}
        return tokens_of(
            await self._connection.request("POST", "/api/v1/auth/login", repeatable=False, data=form)
        )

    async def log_out(self) -> None:
        """Ends the session that authenticates the requests. Raises ServiceError."""
        await self._connection.request("POST", "/api/v1/auth/logout")

    async def submit(
        self, prompt: str, repo_name: str, *, idempotency_key: str | None = None, **options: Unpack[Options]
    ) -> Accepted:
        """Submit a task; returns once it is stored. The request is repeated if its response is lost: the
        idempotency key, by default a new one for each call, prevents a second task."""
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        body = _body(prompt, repo_name, options)
        accepted = await self._connection.request_json("POST", "/api/v1/generate", json=body, headers=headers)
        return cast(Accepted, accepted)

    async def estimate(self, prompt: str, repo_name: str, **options: Unpack[Options]) -> Estimate:
        """The estimated cost of `submit` with the same arguments."""
        body = _body(prompt, repo_name, options)
        return cast(
            Estimate,
            await self._connection.request_json(
                "POST", "/api/v1/estimate", required_field="basis", json=body
            ),
        )

    async def submit_to(
        self, path: str, body: Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> Accepted:
        """Submit a task of any kind. `path`: its `submit_url`, see `kinds`, such as
        /api/v1/pipelines/code-review."""
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        accepted = await self._connection.request_json("POST", path, json=dict(body), headers=headers)
        return cast(Accepted, accepted)

    # --- one task -----------------------------------------------------------------------------------

    async def task(self, task_id: str) -> Task:
        return cast(Task, await self._connection.request_json("GET", task_path(task_id)))

    async def request(self, task_id: str) -> dict[str, Any]:
        """The request as it was accepted, without its callback: a body that can be submitted again."""
        path = task_path(task_id, "request")
        found: dict[str, Any] = await self._connection.request_json("GET", path, required_field="")
        return found

    async def events(
        self, task_id: str, after: int = 0, *, include: Sequence[str] = (), notice: Notice | None = None
    ) -> AsyncGenerator[Message, None]:
        """Each event after the id `after` exactly once, until the task is over; reconnects without a limit.

        include  "delta" (text that the model is writing) or "progress": adds these live-only messages
        notice   called before each reconnection

        Raises ServiceError for errors that are not transient (no such task, wrong key).
        """
        stream = events(self._connection, quoted(task_id), after, ",".join(include), notice)
        async with aclosing(stream) as messages:
            async for message in messages:
                yield message

    async def wait(self, task_id: str) -> Task:
        """Wait until the task is completed, failed or cancelled, and return it."""
        async for _ in self.events(task_id):
            continue
        return await self.task(task_id)

    async def cancel(self, task_id: str) -> Task:
        """Cancel the task; returns once it has stopped."""
        return cast(Task, await self._connection.request_json("POST", task_path(task_id, "cancel")))

    async def delete(self, task_id: str) -> None:
        """Delete a task that is over, with its events and files."""
        await self._connection.request("DELETE", task_path(task_id))

    async def retry(self, task_id: str, **changes: Unpack[RetryOptions]) -> Accepted:
        """Resume a failed task, with changed options if given; completed model calls are not paid again."""
        more: dict[str, Any] = {"json": changes} if changes else {}
        accepted = await self._connection.request_json(
            "POST", task_path(task_id, "retry"), repeatable=False, **more
        )
        return cast(Accepted, accepted)

    # --- its plan -----------------------------------------------------------------------------------

    async def plan(self, task_id: str) -> Plan:
        return cast(Plan, await self._connection.request_json("GET", task_path(task_id, "plan")))

    async def change_plan(
        self,
        task_id: str,
        files: Iterable[PlannedFile],
        summary: str | None = None,
        *,
        revision: int | None = None,
    ) -> Plan:
        """Replace the planned files; only while the task waits for approval. `revision`: fail with 412 if the
        plan has another revision."""
        body: dict[str, Any] = {"files": list(files)} | ({} if summary is None else {"summary": summary})
        headers = _if_match(revision)
        repeatable = revision is None  # after a change that succeeded, the revision no longer matches
        plan = await self._connection.request_json(
            "PUT", task_path(task_id, "plan"), repeatable=repeatable, json=body, headers=headers
        )
        return cast(Plan, plan)

    async def approve(self, task_id: str, *, revision: int | None = None) -> Accepted:
        """Approve the plan of a task that waits for it; idempotent. `revision`: as in `change_plan`."""
        headers = _if_match(revision)
        return cast(
            Accepted,
            await self._connection.request_json("POST", task_path(task_id, "approve"), headers=headers),
        )

    # --- its results --------------------------------------------------------------------------------

    async def files(self, task_id: str) -> FileList:
        return cast(FileList, await self._connection.request_json("GET", task_path(task_id, "files")))

    async def file(self, task_id: str, path: str) -> str:
        """The text of a file that is completely written."""
        response = await self._connection.request("GET", task_path(task_id, "files", *path.split("/")))
        return response.content.decode()

    async def archive(self, task_id: str) -> bytes:
        """A zip archive of all files that are completely written; see `gencode.client.unpack`."""
        return (await self._connection.request("GET", task_path(task_id, "archive.zip"))).content

    async def download(self, task_id: str, file: str | Path) -> Path:
        """Save the archive to a file; returns its path."""
        path = anyio.Path(file)
        await path.write_bytes(await self.archive(task_id))
        return Path(path)

    async def report(self, task_id: str) -> dict[str, Any]:
        found: dict[str, Any] = await self._connection.request_json(
            "GET", task_path(task_id, "report"), required_field="files"
        )
        return found

    async def bundle(self, task_id: str) -> dict[str, Any]:
        """The record of the task that `gencode replay` reads."""
        found: dict[str, Any] = await self._connection.request_json(
            "GET", task_path(task_id, "bundle"), required_field="commit"
        )
        return found

    # --- anything else --------------------------------------------------------------------------------

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        file: tuple[str, bytes] | None = None,
        params: Mapping[str, str] | None = None,
        language: str = "",
        is_repeatable: bool = False,
    ) -> Any:
        """A request that has no method of its own; returns the JSON of the response, None if it has no body.

        path           below /api/v1, such as "/knowledge/bases"; its parts are percent-encoded
        body           sent as JSON
        file           name and data, sent as the field `file` of a form
        language       of messages, such as "zh"; "" is the service's
        is_repeatable  it may be sent again although the service may have received it
        """
        more: dict[str, Any] = {"params": dict(params or {})}
        if body is not None:
            more["json"] = body
        if file is not None:
            more["files"] = {"file": file}
        if language:
            more["headers"] = {"Accept-Language": language}
        response = await self._connection.request(
            method, f"/api/v1{path}", repeatable=is_repeatable or method == "GET", **more
        )
        if not response.content:
            return None
        try:
            return response.json()
        except ValueError:
            raise unexpected_response(response) from None

    async def text(self, path: str, *, params: Mapping[str, str] | None = None) -> str:
        """The body of a response that is a text; `path` as in `call`."""
        response = await self._connection.request("GET", f"/api/v1{path}", params=dict(params or {}))
        return response.text

    async def data(self, path: str, *, params: Mapping[str, str] | None = None) -> bytes:
        """The body of a response that is a file; `path` as in `call`."""
        return (await self._connection.request("GET", f"/api/v1{path}", params=dict(params or {}))).content

    async def result(self, task_id: str, name: str) -> bytes:
        """A result that tasks of one kind have, such as `review.md`: the body of its response."""
        return (await self._connection.request("GET", task_path(task_id, name))).content

    # --- tasks and their kinds ----------------------------------------------------------------------

    async def kinds(self) -> list[Kind]:
        """The kinds of task that the service runs; empty from a service older than this route."""
        try:
            found = await self._connection.request_json("GET", "/api/v1/kinds", required_field="kinds")
        except ServiceError as error:
            if error.status == NOT_FOUND:
                return []
            raise
        return cast("list[Kind]", found["kinds"])

    async def tasks(
        self, *, status: Sequence[str] = (), limit: int | None = None, client: str | None = None
    ) -> AsyncGenerator[Task, None]:
        """The tasks of this API key, newest first, at most `limit`; pages are requested as needed.

        client   with an operator's key: tasks of this client; "*" for all
        """
        params = {"status": ",".join(status), "limit": str(min(limit or 100, 100))}
        if client is not None:
            params["client"] = client
        remaining = limit
        while remaining is None or remaining > 0:
            page = await self._connection.request_json(
                "GET", "/api/v1/tasks", required_field="tasks", params=params
            )
            for task in page["tasks"][:remaining]:
                yield task
            remaining = None if remaining is None else remaining - len(page["tasks"])
            if not page["next_cursor"]:
                return
            params["cursor"] = page["next_cursor"]

    # --- files ----------------------------------------------------------------------------------------

    async def upload(
        self,
        path: str,
        file_name: str,
        data: bytes,
        *,
        fields: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> dict[str, Any]:
        """Upload a file as a form; returns the JSON of the response. The request is repeated if its response
        is lost: the idempotency key, by default a new one for each call, prevents a second document.

        path    such as /api/v1/requirements/upload
        fields  of the form, besides `file`
        """
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        made: dict[str, Any] = await self._connection.request_json(
            "POST",
            path,
            required_field="id",
            files={"file": (file_name, data)},
            data=dict(fields or {}),
            headers=headers,
        )
        return made


def _body(prompt: str, repo_name: str, options: Options) -> dict[str, Any]:
    given = {name: value for name, value in options.items() if value is not None}
    return {"prompt": prompt, "repo_name": repo_name, **given}


def _if_match(revision: int | None) -> dict[str, str]:
    return {} if revision is None else {"If-Match": f'"{revision}"'}
