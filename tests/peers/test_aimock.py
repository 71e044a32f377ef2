"""aimock as OpenAI: whole and cut answers, reasoning, a filter, tool calls, streams that break off."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from anyio.streams.buffered import BufferedByteReceiveStream

from gencode.settings import NamedProvider
from tests.peers.installation import node_process, requires_node
from tests.servers.calls import FILES, get, submit
from tests.servers.history import history
from tests.servers.service import running_app, settings

pytestmark = requires_node("@copilotkit/aimock")

SERVER = """
import { LLMock } from "@copilotkit/aimock";

const [answers, chaos] = process.argv.slice(2).map((text) => JSON.parse(text));
const mock = new LLMock({ port: 0, chunkSize: 7 });
for (const [pattern, answer, options] of answers) mock.onMessage(new RegExp(pattern), answer, options);
mock.setChaos(chaos);
await mock.start();
console.log(mock.url);
"""
PLAN = {"content": json.dumps({"summary": "It says hello", "files": [{"path": path} for path in FILES]})}


def answers(**changes: Any) -> list[list[Any]]:
    """Patterns of prompts with their answers, the files first. `changes`: to the answer for app.py."""
    files: list[list[Any]] = [
        [f"Write this file now: {path}", {"content": text, **(changes if path == "app.py" else {})}, {}]
        for path, text in FILES.items()
    ]
    return [*files, [".", PLAN, {}]]


@asynccontextmanager
async def aimock(folder: Path, script: list[list[Any]], **chaos: float) -> AsyncIterator[str]:
    """Its base URL."""
    async with node_process(SERVER, json.dumps(script), json.dumps(chaos), folder=folder) as process:
        assert process.stdout
        line = await BufferedByteReceiveStream(process.stdout).receive_until(b"\n", 1000)
        yield f"{line.decode()}/v1"


async def outcome(folder: Path, base_url: str) -> tuple[dict[str, Any], dict[str, str]]:
    """The task and its files that are whole."""
    provider = NamedProvider.model_validate({"base_url": base_url, "model": "gpt-test"})
    async with running_app(settings(folder, providers={"aimock": provider})) as app:
        task_id = await submit(app.url)
        async with httpx.AsyncClient(base_url=f"{app.url}/api/v1", trust_env=False, timeout=300) as http:
            await history(http, task_id)
        task: dict[str, Any] = await get(app.url, f"/api/v1/task/{task_id}")
        listed = (await get(app.url, f"/api/v1/task/{task_id}/files"))["files"]
        whole = [file["path"] for file in listed if file["state"] not in ("planned", "writing")]
        return task, {path: await get(app.url, f"/api/v1/task/{task_id}/files/{path}") for path in whole}


async def test_a_project_is_delivered_as_it_was_written(tmp_path: Path) -> None:
    script = answers(reasoning="First I think about it.")
    async with aimock(tmp_path, script) as base_url:
        task, files = await outcome(tmp_path, base_url)
    assert (task["status"], files) == ("completed", FILES)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"finishReason": "content_filter"}, "LLM_REFUSED"),
        ({"content": ""}, "LLM_BAD_OUTPUT"),
    ],
)
async def test_what_cannot_be_used_is_not_delivered(
    changes: dict[str, Any], code: str, tmp_path: Path
) -> None:
    async with aimock(tmp_path, answers(**changes)) as base_url, anyio.create_task_group():
        task, files = await outcome(tmp_path, base_url)
    assert (task["status"], task["error"]["code"]) == ("failed", code)
    assert "app.py" not in files


async def test_whatever_breaks_off_no_other_bytes_are_delivered(tmp_path: Path) -> None:
    """A third of the answers is dropped, malformed or cut; the task may fail, its files may not be wrong."""
    async with aimock(tmp_path, answers(), dropRate=0.1, malformedRate=0.1, disconnectRate=0.1) as base_url:
        task, files = await outcome(tmp_path, base_url)
    assert task["status"] in ("completed", "failed")
    assert files.items() <= FILES.items()
