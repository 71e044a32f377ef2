"""LiteLLM's proxy between the service and a model: its streams, its limits and its refusals."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx

from gencode.settings import NamedProvider
from tests.peers.installation import PYTHON, program, requires_python
from tests.servers.calls import FILES, get, submit
from tests.servers.history import history
from tests.servers.model import ModelServer, http_error, model_server, plan_and_files
from tests.servers.ports import reserve_port
from tests.servers.service import running_app, settings

pytestmark = requires_python("litellm")
KEY = "sk-a-key-of-the-proxy"


@asynccontextmanager
async def litellm(folder: Path, model: ModelServer) -> AsyncIterator[str]:
    """The base URL of a proxy whose model `m` is the scripted one."""
    port = reserve_port()
    upstream = {"model": "openai/m", "api_base": model.base_url, "api_key": "sk-upstream-0000"}
    config = folder / "litellm.json"
    config.write_text(
        json.dumps(
            {
                "model_list": [{"model_name": "m", "litellm_params": upstream}],
                "litellm_settings": {"num_retries": 0, "telemetry": False},
                "general_settings": {"master_key": KEY},
            }
        ),
        encoding="utf-8",
    )
    words = [program("litellm"), "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    environment = {"PATH": str(PYTHON.parent), "HOME": str(folder), "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    async with await anyio.open_process(words, cwd=folder, env=environment) as process:
        try:
            await _wait_until_ready(f"http://127.0.0.1:{port}/health/liveliness", process)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.kill()


async def _wait_until_ready(url: str, process: Any) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        while True:
            assert process.returncode is None, "LiteLLM ended"
            try:
                if (await http.get(url)).status_code == 200:
                    return
            except httpx.HTTPError:
                await anyio.sleep(0.2)


def provider(base_url: str) -> dict[str, NamedProvider]:
    return {"litellm": NamedProvider.model_validate({"base_url": base_url, "model": "m", "api_key": KEY})}


async def outcome(folder: Path, base_url: str) -> dict[str, Any]:
    async with running_app(settings(folder, providers=provider(base_url))) as app:
        task_id = await submit(app.url)
        async with httpx.AsyncClient(base_url=f"{app.url}/api/v1", trust_env=False, timeout=300) as http:
            await history(http, task_id)
        task: dict[str, Any] = await get(app.url, f"/api/v1/task/{task_id}")
        return task


async def test_a_project_is_written_through_it(tmp_path: Path) -> None:
    async with model_server(plan_and_files(FILES)) as model, litellm(tmp_path, model) as base_url:
        task = await outcome(tmp_path, base_url)
    assert task["status"] == "completed"


async def test_an_exhausted_quota_behind_it_is_final(tmp_path: Path) -> None:
    error = {"message": "You exceeded your current quota", "type": "insufficient_quota", "code": None}
    async with model_server(http_error(429, error)) as model, litellm(tmp_path, model) as base_url:
        task = await outcome(tmp_path, base_url)
    assert (task["status"], task["error"]["code"]) == ("failed", "LLM_QUOTA")
    assert "current quota" in task["error"]["message"]
