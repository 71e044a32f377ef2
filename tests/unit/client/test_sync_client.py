"""The synchronous client in a thread without an event loop."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

import gencode
from gencode.client import ServiceError, SyncClient
from tests.servers.calls import FILES
from tests.servers.model import model_server, plan_and_files
from tests.servers.service import running_app, settings


async def test_a_whole_task_from_a_thread(tmp_path: Path) -> None:
    async with model_server(plan_and_files(FILES)) as model, running_app(settings(tmp_path, model)) as app:
        await anyio.to_thread.run_sync(whole_task, app.url, tmp_path)


def whole_task(url: str, folder: Path) -> None:
    with gencode.SyncClient(url) as client:
        assert client.estimate("say hello", "hello")["model"]
        task_id = client.submit("say hello", "hello")["task_id"]
        received = [message.id for message in client.events(task_id)]
        assert received == list(range(1, len(received) + 1))
        assert client.wait(task_id)["status"] == client.task(task_id)["status"] == "completed"
        assert [task["task_id"] for task in client.tasks()] == [task_id]
        assert client.files(task_id)["complete"]
        assert client.file(task_id, "app.py") == FILES["app.py"]
        assert client.download(task_id, folder / "a.zip").read_bytes() == client.archive(task_id)
        assert client.report(task_id)["task_id"] == client.bundle(task_id)["task_id"] == task_id
        for call in (client.cancel, client.retry):
            with pytest.raises(ServiceError, match="ALREADY_OVER"):
                call(task_id)


async def test_a_loop_over_events_can_be_left_early(tmp_path: Path) -> None:
    def first(url: str) -> int:
        with SyncClient(url) as client:
            task_id = client.submit("say hello", "hello")["task_id"]
            return next(message.id for message in client.events(task_id))

    async with model_server(plan_and_files(FILES)) as model, running_app(settings(tmp_path, model)) as app:
        assert await anyio.to_thread.run_sync(first, app.url) == 1


def test_use_outside_a_with_block_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="with SyncClient"):
        SyncClient().task("t")
