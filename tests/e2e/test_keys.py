"""Keys that are created and revoked while the service runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from gencode.auth.key_store import key_store
from tests.servers.calls import BODY, FILES, client, streams_open
from tests.servers.keys import expect_answers, keys_of
from tests.servers.model import model_server, plan_and_files
from tests.servers.raw import raw
from tests.servers.service import App, running_app, service, settings
from tests.servers.stream import Subscriber


@asynccontextmanager
async def service_with_waiting_tasks(folder: Path) -> AsyncIterator[App]:
    """A service whose model never lets its tasks finish."""
    gates = {path: anyio.Event() for path in FILES}
    async with (
        model_server(plan_and_files(FILES, gates=gates)) as model,
        running_app(settings(folder, model)) as app,
    ):
        yield app


async def test_a_revoked_key_ends_its_open_stream_and_its_ticket(tmp_path: Path) -> None:
    file = keys_of(tmp_path)
    (alices, _), (bobs, _) = file.create("alice"), file.create("bob")
    async with service_with_waiting_tasks(tmp_path) as app, client(app.url) as http:
        alice, bob = {"X-API-Key": alices}, {"X-API-Key": bobs}
        task_id, of_bob = [
            (await http.post("/api/v1/generate", json=BODY, headers=headers)).json()["task_id"]
            for headers in (alice, bob)
        ]
        made = await http.post(f"/api/v1/task/{task_id}/ticket", headers=alice)
        ticket = {"ticket": made.json()["ticket"]}
        where = f"/api/v1/status/{task_id}"
        async with (
            http.stream("GET", where, headers=alice) as by_key,
            http.stream("GET", where, params=ticket) as by_ticket,
            http.stream("GET", f"/api/v1/status/{of_bob}", headers=bob) as other,
        ):
            assert [stream.status_code for stream in (by_key, by_ticket, other)] == [200, 200, 200]
            file.revoke("alice")
            for stream in (by_key, by_ticket):
                await Subscriber(stream).rest()
            await streams_open(app.url, 1)
            file.revoke("bob")
            await Subscriber(other).rest()
        await expect_answers(app.url, {alices: 401})
        assert (await http.get(where, headers=alice)).status_code == 401
        assert (await http.get(where, params=ticket)).status_code == 401


async def test_the_first_key_closes_an_open_service(tmp_path: Path) -> None:
    async with service_with_waiting_tasks(tmp_path) as app, client(app.url) as http:
        task_id = (await http.post("/api/v1/generate", json=BODY)).json()["task_id"]
        async with http.stream("GET", f"/api/v1/status/{task_id}") as stream:
            key, _ = keys_of(tmp_path).create("alice")
            await Subscriber(stream).rest()
        await expect_answers(app.url, {"": 401, key: 200})
        assert (await http.get("/api/v1/tasks")).status_code == 401
        assert (await http.get("/api/v1/tasks", headers={"X-API-Key": key})).json()["tasks"] == []


async def test_a_created_key_works_on_a_public_address_and_is_never_logged(tmp_path: Path) -> None:
    """At DEBUG; created before and after the start, valid, revoked, and in requests that cannot be parsed."""
    file = keys_of(tmp_path)
    first, _ = file.create("alice")
    async with service(tmp_path, {"SERVER_HOST": "0.0.0.0", "LOG_LEVEL": "DEBUG"}) as process:
        second, _ = file.create("bob")
        await expect_answers(process.url, {first: 200, second: 200})
        file.revoke("bob")
        await expect_answers(process.url, {first: 200, second: 401})
        async with raw(process.port) as peer:
            await peer.send(f"GET /?key={first} HTTP/1.1\r\nX-API-Key: {first}\r\nno header\r\n\r\n")
            assert b" 400 " in await peer.rest()
        assert await process.terminate() == 0
        log = process.log.read_text()
        for secret in (first, second):
            assert secret not in log
            assert secret[8:24] not in log
        stored = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())
        assert first.encode() not in stored


@pytest.mark.one_process("its keys are a file")
async def test_keys_that_cannot_be_read_are_refused_and_the_log_says_so(tmp_path: Path) -> None:
    file = key_store(tmp_path / "data")
    first, _ = file.create("alice")
    async with service(tmp_path, {}) as process:
        await expect_answers(process.url, {first: 200})
        file.path.write_text("{")
        await expect_answers(process.url, {first: 401})
        assert "the stored API keys cannot be used" in process.log.read_text()
