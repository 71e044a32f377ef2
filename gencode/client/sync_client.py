"""The client for synchronous programs: runs the asynchronous client in a thread with an event loop."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

from anyio.from_thread import BlockingPortal, start_blocking_portal

from gencode.client.async_client import DEFAULT_PATIENCE, DEFAULT_URL, Client
from gencode.client.event_stream import Message
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

T = TypeVar("T")


class SyncClient:
    """A context manager, for one thread at a time. Methods, arguments and errors are those of `Client`."""

    def __init__(
        self,
        url: str = DEFAULT_URL,
        key: str = "",
        *,
        patience: float = DEFAULT_PATIENCE,
        ca_file: str | None = None,
    ) -> None:
        self._client = Client(url, key, patience=patience, ca_file=ca_file)
        self._stack = ExitStack()
        self._running: BlockingPortal | None = None

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._running = stack.enter_context(start_blocking_portal())
            stack.enter_context(self._portal.wrap_async_context_manager(self._client))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)
        self._running = None

    @property
    def _portal(self) -> BlockingPortal:
        if self._running is None:
            raise RuntimeError("use it in a with statement: with SyncClient(...) as client")
        return self._running

    def submit(
        self, prompt: str, repo_name: str, *, idempotency_key: str | None = None, **options: Unpack[Options]
    ) -> Accepted:
        call = partial(self._client.submit, prompt, repo_name, idempotency_key=idempotency_key, **options)
        return self._portal.call(call)

    def estimate(self, prompt: str, repo_name: str, **options: Unpack[Options]) -> Estimate:
        made: Estimate = self._portal.call(partial(self._client.estimate, prompt, repo_name, **options))
        return made

    def submit_to(
        self, path: str, body: Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> Accepted:
        call = partial(self._client.submit_to, path, body, idempotency_key=idempotency_key)
        return self._portal.call(call)

    def build(self, blueprint_id: str, *, idempotency_key: str | None = None, **body: Any) -> Accepted:
        call = partial(self._client.build, blueprint_id, idempotency_key=idempotency_key, **body)
        return self._portal.call(call)

    def regenerate(self, task_id: str, *, idempotency_key: str | None = None, **body: Any) -> Accepted:
        call = partial(self._client.regenerate, task_id, idempotency_key=idempotency_key, **body)
        return self._portal.call(call)

    def task(self, task_id: str) -> Task:
        return self._portal.call(self._client.task, task_id)

    def request(self, task_id: str) -> dict[str, Any]:
        return self._portal.call(self._client.request, task_id)

    def tasks(
        self, *, status: Sequence[str] = (), limit: int | None = None, client: str | None = None
    ) -> Iterator[Task]:
        return self._iterate(self._client.tasks(status=status, limit=limit, client=client))

    def kinds(self) -> list[Kind]:
        return self._portal.call(self._client.kinds)

    def events(self, task_id: str, after: int = 0, *, include: Sequence[str] = ()) -> Iterator[Message]:
        return self._iterate(self._client.events(task_id, after, include=include))

    def wait(self, task_id: str) -> Task:
        return self._portal.call(self._client.wait, task_id)

    def cancel(self, task_id: str) -> Task:
        return self._portal.call(self._client.cancel, task_id)

    def delete(self, task_id: str) -> None:
        self._portal.call(self._client.delete, task_id)

    def retry(self, task_id: str, **changes: Unpack[RetryOptions]) -> Accepted:
        return self._portal.call(partial(self._client.retry, task_id, **changes))

    def plan(self, task_id: str) -> Plan:
        return self._portal.call(self._client.plan, task_id)

    def change_plan(
        self,
        task_id: str,
        files: Iterable[PlannedFile],
        summary: str | None = None,
        *,
        revision: int | None = None,
    ) -> Plan:
        call = partial(self._client.change_plan, task_id, list(files), summary, revision=revision)
        return self._portal.call(call)

    def approve(self, task_id: str, *, revision: int | None = None) -> Accepted:
        return self._portal.call(partial(self._client.approve, task_id, revision=revision))

    def files(self, task_id: str) -> FileList:
        return self._portal.call(self._client.files, task_id)

    def file(self, task_id: str, path: str) -> str:
        return self._portal.call(self._client.file, task_id, path)

    def archive(self, task_id: str) -> bytes:
        return self._portal.call(self._client.archive, task_id)

    def download(self, task_id: str, file: str | Path) -> Path:
        return self._portal.call(self._client.download, task_id, file)

    def report(self, task_id: str) -> dict[str, Any]:
        return self._portal.call(self._client.report, task_id)

    def bundle(self, task_id: str) -> dict[str, Any]:
        return self._portal.call(self._client.bundle, task_id)

    def call(self, method: str, path: str, **more: Any) -> Any:
        return self._portal.call(partial(self._client.call, method, path, **more))

    def text(self, path: str, **more: Any) -> str:
        return self._portal.call(partial(self._client.text, path, **more))

    def data(self, path: str, **more: Any) -> bytes:
        return self._portal.call(partial(self._client.data, path, **more))

    def upload_template_set(self, file_name: str, data: bytes, **options: Any) -> Any:
        return self._portal.call(partial(self._client.upload_template_set, file_name, data, **options))

    def prove_template_set(self, template_id: str) -> Any:
        return self._portal.call(self._client.prove_template_set, template_id)

    def apply_template_set(self, template_id: str, blueprint_id: str, **options: Any) -> bytes:
        call = partial(self._client.apply_template_set, template_id, blueprint_id, **options)
        return self._portal.call(call)

    def create_deployment(self, **body: Any) -> Any:
        return self._portal.call(partial(self._client.create_deployment, **body))

    def render_deployment(self, deployment_id: str) -> Any:
        return self._portal.call(self._client.render_deployment, deployment_id)

    def artifact(self, task_id: str) -> bytes:
        return self._portal.call(self._client.artifact, task_id)

    def result(self, task_id: str, name: str) -> bytes:
        return self._portal.call(self._client.result, task_id, name)

    def upload(self, path: str, file_name: str, data: bytes, **options: Any) -> dict[str, Any]:
        return self._portal.call(partial(self._client.upload, path, file_name, data, **options))

    def _iterate(self, items: AsyncGenerator[T, None]) -> Iterator[T]:
        try:
            while (item := self._portal.call(anext, items, None)) is not None:
                yield item
        finally:
            self._portal.call(items.aclose)
