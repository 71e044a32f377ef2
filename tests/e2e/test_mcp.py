"""MCP for assistants, used through the official client library over real sockets."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from pydantic import SecretStr

from tests.servers.calls import BODY, FILES, client, get
from tests.servers.model import http_error, model_server, plan_and_files
from tests.servers.service import running_app, service, settings

KEYS = SecretStr("alice=alice-key,bob=bob-key")


@asynccontextmanager
async def assistant(url: str, key: str = "") -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60, trust_env=False, verify=False) as http,
        Client(streamable_http_client(f"{url}/mcp", http_client=http)) as session,
    ):
        yield session


async def call(session: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    result = await session.call_tool(tool, arguments)
    assert not result.is_error, result.content
    assert isinstance(result.structured_content, dict)
    return result.structured_content


async def refused_call(session: Client, tool: str, **arguments: Any) -> str:
    result = await session.call_tool(tool, arguments)
    assert result.is_error
    return str(result.content[0].text)  # type: ignore[union-attr]  # a text


async def test_an_assistant_generates_follows_and_reads_a_project(tmp_path: Path) -> None:
    async with (
        model_server(plan_and_files(FILES)) as model,
        running_app(settings(tmp_path, model)) as app,
        assistant(app.url) as session,
    ):
        tools = (await session.list_tools()).tools
        assert [tool.name for tool in tools] == ["generate", "status", "cancel", "retry", "files"]
        assert tools[0].input_schema["required"] == ["prompt", "repo_name"]
        assert [tool.name for tool in tools if tool.annotations and tool.annotations.read_only_hint] == [
            "status",
            "files",
        ]
        task = await call(session, "generate", **BODY)
        now = await call(session, "status", task_id=task["task_id"], wait_seconds=30)
        assert now["status"] == "completed"
        shown = await get(app.url, f"/api/v1/task/{task['task_id']}")
        del shown["messages"]  # for people, in each language
        assert now == shown
        listed = await call(session, "files", task_id=task["task_id"])
        assert {file["path"] for file in listed["files"]} >= set(FILES)
        read = await call(session, "files", task_id=task["task_id"], path="app.py")
        assert read["text"] == FILES["app.py"]


async def test_one_idempotency_key_makes_one_task(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path)) as app, assistant(app.url) as session:
        ids = {(await call(session, "generate", **BODY, idempotency_key="k"))["task_id"] for _ in range(3)}
        assert len(ids) == 1
        said = await refused_call(session, "generate", **BODY | {"prompt": "other", "idempotency_key": "k"})
        assert said.startswith("IDEMPOTENCY_KEY_REUSED")
        assert len((await get(app.url, "/api/v1/tasks"))["tasks"]) == 1


async def test_cancelling_and_retrying(tmp_path: Path) -> None:
    gate = anyio.Event()
    async with (
        model_server(plan_and_files(FILES, gates={"": gate})) as model,
        running_app(settings(tmp_path, model)) as app,
        assistant(app.url) as session,
    ):
        task_id = (await call(session, "generate", **BODY))["task_id"]
        await model.arrival("plan")
        assert "STILL_WORKING" in await refused_call(session, "retry", task_id=task_id)
        assert (await call(session, "cancel", task_id=task_id))["status"] == "cancelled"
        assert "ALREADY_OVER" in await refused_call(session, "retry", task_id=task_id)
    async with (
        model_server(http_error(401, {"message": "no"})) as refusing,
        running_app(settings(tmp_path / "other", refusing)) as app,
        assistant(app.url) as session,
    ):
        task_id = (await call(session, "generate", **BODY))["task_id"]
        failed = await call(session, "status", task_id=task_id, wait_seconds=30)
        assert (failed["status"], failed["error"]["code"]) == ("failed", "LLM_AUTH")
        assert (await call(session, "retry", task_id=task_id))["task_id"] == task_id
        await call(session, "status", task_id=task_id, wait_seconds=30)
        wrong = {"task_id": task_id, "changes": {"repo_name": "a b"}}
        assert "VALIDATION: repo_name" in await refused_call(session, "retry", **wrong)
        renamed = {"task_id": task_id, "changes": {"repo_name": "another"}}
        assert (await call(session, "retry", **renamed))["repo_name"] == "another"


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("generate", {"prompt": "x"}, "VALIDATION: repo_name: Field required"),
        ("generate", {"prompt": " ", "repo_name": "x"}, "VALIDATION: prompt:"),
        ("generate", BODY | {"model": "nothing"}, "VALIDATION: "),
        ("generate", BODY | {"colour": 1}, "VALIDATION: colour"),
        ("generate", BODY | {"callback_url": "https://127.0.0.1/"}, "VALIDATION: callback_url"),
        ("status", {}, "VALIDATION: task_id"),
        ("status", {"task_id": "nothing"}, "NOT_FOUND: there is no such task"),
        ("status", {"task_id": "x", "wait_seconds": 31}, "VALIDATION: wait_seconds"),
        ("cancel", {"task_id": 1}, "VALIDATION: task_id"),
        ("files", {"task_id": "x", "path": "../x"}, "NOT_FOUND"),
        ("push", {}, "VALIDATION: name: there is no such tool; there are generate, status"),
    ],
)
async def test_errors_are_returned_so_that_an_assistant_can_correct_them(
    tmp_path: Path, tool: str, arguments: dict[str, Any], said: str
) -> None:
    async with running_app(settings(tmp_path)) as app, assistant(app.url) as session:
        assert (await refused_call(session, tool, **arguments)).startswith(said)
        assert (await get(app.url, "/api/v1/tasks"))["tasks"] == []


async def test_keys_owners_and_the_rate_limit_apply(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path, api_keys=KEYS, rate_limit="1/hour")) as app:
        for key in ("", "wrong"):
            with pytest.raises(BaseException) as failed:
                async with assistant(app.url, key):
                    pass
            assert failed.value
        async with assistant(app.url, "alice-key") as alice, assistant(app.url, "bob-key") as bob:
            task_id = (await call(alice, "generate", **BODY))["task_id"]
            for tool in ("status", "cancel", "files", "retry"):
                assert "NOT_FOUND" in await refused_call(bob, tool, task_id=task_id)
            assert "RATE_LIMITED" in await refused_call(alice, "generate", **BODY)
            assert (await call(alice, "status", task_id=task_id))["task_id"] == task_id


INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "t", "version": "1"},
    },
}
ACCEPT = {"Accept": "application/json, text/event-stream"}


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Host": "evil.example"}, 421, "MISDIRECTED"),
        ({"Origin": "https://evil.example"}, 403, "CROSS_SITE"),
        ({"X-Padding": "2000000"}, 413, "BODY_TOO_LARGE"),
    ],
)
async def test_the_security_middleware_applies(
    tmp_path: Path, headers: dict[str, str], status: int, code: str
) -> None:
    async with running_app(settings(tmp_path)) as app, client(app.url) as http:
        padded = INITIALIZE | {"padding": "x" * int(headers.pop("X-Padding", "0"))}
        answer = await http.post("/mcp", json=padded, headers=ACCEPT | headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_only_requests_that_end_are_accepted(tmp_path: Path) -> None:
    """No stream without a request and no session; malformed input gets an error of the protocol."""
    async with running_app(settings(tmp_path, api_keys=KEYS)) as app, client(app.url) as http:
        assert (await http.post("/mcp", json=INITIALIZE, headers=ACCEPT)).status_code == 401
        http.headers["X-API-Key"] = "bob-key"
        for method in ("GET", "DELETE", "PUT"):
            answer = await http.request(method, "/mcp", headers=ACCEPT)
            assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
        answer = await http.post("/mcp", json=INITIALIZE, headers=ACCEPT)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
        assert "mcp-session-id" not in answer.headers
        marked = json.dumps(INITIALIZE).encode("utf-8-sig")
        headers = ACCEPT | {"Content-Type": "application/json"}
        assert (await http.post("/mcp", content=marked, headers=headers)).status_code == 200
        for body in (b"", b"{", b"[]", b'{"jsonrpc": "2.0"}', b"\xff"):
            answer = await http.post(
                "/mcp", content=body, headers=ACCEPT | {"Content-Type": "application/json"}
            )
            assert 400 <= answer.status_code < 500


async def test_a_disconnect_during_a_request_is_not_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    head = b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: application/json, text/event-stream\r\n"
    async with running_app(settings(tmp_path)) as app, assistant(app.url) as session:
        await session.list_tools()
        async with await anyio.connect_tcp("127.0.0.1", int(app.url.rpartition(":")[2])) as half:
            await half.send(head + b'Content-Type: application/json\r\nContent-Length: 99\r\n\r\n{"json')
            await session.list_tools()
        for _ in range(3):
            await session.list_tools()
    assert [record for record in caplog.records if record.name.startswith("mcp")] == []


async def test_a_restart_is_invisible_to_an_assistant(tmp_path: Path) -> None:
    async with service(tmp_path, {}) as process, assistant(process.url) as session:
        task_id = (await call(session, "generate", **BODY))["task_id"]
        await process.kill()
        await process.start()
        done = await call(session, "status", task_id=task_id, wait_seconds=30)
        assert done["status"] == "completed"


def test_the_library_is_not_imported_before_it_is_needed() -> None:
    program = (
        "import sys, gencode.bootstrap.serve; print([m for m in ('mcp', 'mcp_types') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
