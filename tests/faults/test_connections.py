"""Unusual, broken and hostile requests on a connection, and requests that outlive their key."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from tests.servers.calls import BODY, FILES, client, get, submit
from tests.servers.keys import keys_of
from tests.servers.model import model_server, plan_and_files
from tests.servers.raw import Answer, raw
from tests.servers.service import App, running_app, service, settings


def port(app: App) -> int:
    return int(app.url.rpartition(":")[2])


async def ask(app: App, target: str, host: str = "localhost") -> Answer:
    async with raw(port(app)) as peer:
        await peer.send(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n")
        return await peer.answer()


# --- row 105 ----------------------------------------------------------------------------------------


@pytest.mark.fault(105)
@pytest.mark.parametrize("scheme", ["http", "HTTP", "https"])
async def test_a_target_that_is_a_whole_url_is_answered_as_its_path(tmp_path: Path, scheme: str) -> None:
    async with running_app(settings(tmp_path)) as app:
        root = f"{scheme}://localhost:{port(app)}"
        assert (await ask(app, f"{root}/livez")).status == 200
        assert (await ask(app, f"{root}/api/v1/tasks?limit=0")).status == 422
        assert (await ask(app, f"{root}/%6Civez")).status == 200
        assert (await ask(app, root)).status == (await ask(app, "/")).status


@pytest.mark.fault(105)
async def test_the_host_of_the_url_counts_whatever_the_header_says(tmp_path: Path) -> None:
    """RFC 9112, 3.2.2. Else a page of another site could name itself in the target and localhost in Host."""
    async with running_app(settings(tmp_path)) as app:
        assert (await ask(app, "http://evil.example/livez", host="localhost")).status == 421
        assert (await ask(app, "http://localhost/livez", host="evil.example")).status == 200


@pytest.mark.fault(105)
@pytest.mark.parametrize(
    "target", ["http://u@localhost/livez", "http:///livez", "ftp://localhost/livez", "*"]
)
async def test_what_is_no_http_url_is_not_found(tmp_path: Path, target: str) -> None:
    async with running_app(settings(tmp_path)) as app:
        assert (await ask(app, target)).status == 404


# --- row 106 ----------------------------------------------------------------------------------------


@pytest.mark.fault(106)
@pytest.mark.parametrize(
    "name",
    ["lastEventId", "lastEventID", "last-event-id", "Last-Event-ID", "last_event_id", "evs_last_event_id"],
)
async def test_the_last_id_in_the_address_is_as_good_as_in_the_header(tmp_path: Path, name: str) -> None:
    async with model_server(plan_and_files(FILES)) as model, running_app(settings(tmp_path, model)) as app:
        task_id = await submit(app.url)
        whole = await get(app.url, f"/api/v1/status/{task_id}")
        rest = await get(app.url, f"/api/v1/status/{task_id}?after=1&{name}=3")
        assert rest == await get(app.url, f"/api/v1/status/{task_id}?after=3")
        assert whole.endswith(rest)
        assert await get(app.url, f"/api/v1/status/{task_id}?after=3&{name}=") == rest
        async with client(app.url) as http:
            refused = await http.get(f"/api/v1/status/{task_id}", params={name: "x"})
            assert (refused.status_code, refused.json()["code"]) == (400, "MALFORMED")
            both = await http.get(
                f"/api/v1/status/{task_id}", params={name: "1"}, headers={"Last-Event-ID": "3"}
            )
            assert both.text == rest


# --- row 107 ----------------------------------------------------------------------------------------

CHUNKED = b"POST %s HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.fault(107)
@pytest.mark.parametrize("size", [b"-1", b"0x5", b"+5", b"5 5", b"f" * 40, b"", b"\xff"])
async def test_a_wrong_chunk_size_gets_one_answer_and_no_traceback(tmp_path: Path, size: bytes) -> None:
    """Without a key, in one packet: the application starts only after the exchange has ended."""
    keys_of(tmp_path).create("alice")
    async with service(tmp_path, {"LOG_LEVEL": "DEBUG"}) as process:
        log = process.log.read_text()
        for path in (b"/api/v1/generate", b"/livez", b"/mcp", b"/integrations/slack"):
            async with raw(process.port) as peer:
                await peer.send(CHUNKED % path + size + b"\r\nhello\r\n0\r\n\r\n")
                said = await peer.rest()
                assert said.count(b"HTTP/1.1 ") == 1, "answered twice"
                assert said.startswith(b"HTTP/1.1 400 ")
        assert await get(process.url, "/livez") == {"status": "ok"}
        assert process.log.read_text() == log


# --- row 108 ----------------------------------------------------------------------------------------

WAIT = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {"name": "status", "arguments": {"wait_seconds": 30}},
}


@pytest.mark.fault(108)
async def test_a_call_that_waits_ends_when_its_key_is_revoked(tmp_path: Path) -> None:
    keys = keys_of(tmp_path)
    (alices, _), (bobs, _) = keys.create("alice"), keys.create("bob")
    gates = {path: anyio.Event() for path in FILES}
    async with (
        model_server(plan_and_files(FILES, gates=gates)) as model,
        running_app(settings(tmp_path, model)) as app,
        client(app.url) as http,
        anyio.create_task_group() as group,
    ):
        statuses: dict[str, int] = {}

        async def wait(key: str, task_id: str) -> None:
            arguments = {**WAIT["params"]["arguments"], "task_id": task_id}  # type: ignore[index]
            message = {**WAIT, "params": {"name": "status", "arguments": arguments}}
            accepts = {"Accept": "application/json, text/event-stream", "X-API-Key": key}
            statuses[key] = (await http.post("/mcp", json=message, headers=accepts)).status_code

        for key in (alices, bobs):
            made = await http.post("/api/v1/generate", json=BODY, headers={"X-API-Key": key})
            group.start_soon(wait, key, made.json()["task_id"])
        while app.subscribers < 2:
            await anyio.sleep(0.01)
        keys.revoke("alice")
        while alices not in statuses:
            await anyio.sleep(0.01)
        assert statuses == {alices: 401}, "another client's call goes on"
        group.cancel_scope.cancel()
