"""`gencode.client.Client` follows a task through kill -9 and restart of the service."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from gencode.client import Client, Message
from tests.servers.calls import FILES
from tests.servers.model import model_server, plan_and_files
from tests.servers.service import environment, service


async def short_sleep(_seconds: float) -> None:
    await anyio.sleep(0.05)


@pytest.mark.campaign
async def test_a_client_survives_a_kill_a_restart_and_an_orderly_stop_without_gap_or_repeat(
    tmp_path: Path,
) -> None:
    """Its user sees none of them, and each event once."""
    gates = {path: anyio.Event() for path in FILES}
    heard: list[Message] = []
    seen = {kind: anyio.Event() for kind in ("plan", "file", "resumed")}
    async with (
        model_server(plan_and_files(FILES, gates=gates)) as model,
        service(tmp_path, environment(model, FILES_AT_ONCE="1")) as process,
        Client(process.url, sleep=short_sleep) as client,
        anyio.create_task_group() as tg,
    ):
        task_id = (await client.submit("say hello", "hello"))["task_id"]

        async def follow() -> None:
            async for message in client.events(task_id):
                heard.append(message)
                if message.kind in seen:
                    seen[message.kind].set()

        tg.start_soon(follow)
        await seen["plan"].wait()
        await process.kill()
        await process.start()
        await seen["resumed"].wait()
        gates["app.py"].set()
        await seen["file"].wait()
        assert await process.terminate() == 0
        gates["README.md"].set()
        await process.start()
    assert [message.id for message in heard] == list(range(1, len(heard) + 1))
    assert heard[-1].data["status"] == "completed"
    assert sum(message.kind == "resumed" for message in heard) == 2
