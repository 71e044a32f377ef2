"""Clients of the event stream that reconnect, come late, come in hundreds, freeze or disconnect: rows 53 to
62."""

from __future__ import annotations

import asyncio
import json
import resource
import selectors
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import anyio
import httpx
import pytest
from starlette.requests import Request
from starlette.types import Message

from gencode.domain.principal import LOCAL
from gencode.domain.task import State
from gencode.engine.task_ids import new_id
from gencode.http.kinds import KindRegistry
from gencode.http.per_client_semaphore import PerClientSemaphore
from gencode.http.shared_ticker import SharedTicker
from gencode.http.task_event_stream import follow_operation
from gencode.hub.in_process import InProcessHub
from gencode.storage.memory import MemoryStore
from tests.servers.calls import FILES, client, get, streams_open, submit
from tests.servers.model import Reply, call_of, http_error, model_server, plan_and_files
from tests.servers.service import App, a_large_log, running_app, service, settings, urls_behind
from tests.servers.stream import body_of, events, raw_stream, subscribed
from tests.unit.storage.samples import REQUEST, a_task, an_event


async def finished_task(app: App, name: str = "hello") -> str:
    """A finished task; its log has a dozen events."""
    task_id = await submit(app.url, name)
    await events(app.url, task_id)
    return task_id


async def request_stream(
    app: App, path: str, headers: dict[str, str] | None = None, method: str = "GET"
) -> httpx.Response:
    async with client(app.url) as http:
        return await http.request(method, path, headers=headers)


def readers(app: App) -> int:
    return app.subscribers


def port(app: App) -> int:
    return int(app.url.rpartition(":")[2])


# --- rows 53 to 55 ----------------------------------------------------------------------------------


@pytest.mark.fault(53)
async def test_last_event_id_gives_exactly_the_events_after_it(tmp_path: Path) -> None:
    """Row 53: for each id of a log, by header and by ?after=; the header (the newer one) wins."""
    async with running_app(settings(tmp_path)) as app:
        task_id = await finished_task(app)
        whole = await events(app.url, task_id)
        assert [event.id for event in whole] == list(range(1, len(whole) + 1))
        for known in range(len(whole)):
            assert await events(app.url, task_id, after=known) == whole[known:]
            answer = await request_stream(app, f"/api/v1/status/{task_id}?after={known}")
            assert answer.text.startswith(f"event: {whole[known].kind}\nid: {known + 1}\n")
        both = await request_stream(app, f"/api/v1/status/{task_id}?after=1", {"Last-Event-ID": "3"})
        assert both.text.startswith(f"event: {whole[3].kind}\nid: 4\n")


@pytest.mark.fault(53)
async def test_last_event_id_on_a_running_task_gives_stored_events_then_new_ones(
    tmp_path: Path,
) -> None:
    """Row 53: nothing shows where the stored events end and the live ones begin."""
    gate = anyio.Event()
    async with (
        model_server(plan_and_files(FILES, gates={"app.py": gate})) as model,
        running_app(settings(tmp_path, model)) as app,
    ):
        task_id = await submit(app.url)
        await model.arrival("file", "app.py")
        async with subscribed(app.url, task_id, after=2) as subscriber:
            assert (await subscriber.until("plan")).id == 3
            gate.set()
            heard = await subscriber.rest()
        assert heard == (await events(app.url, task_id))[2:]


@pytest.mark.fault(54)
async def test_an_invalid_id_is_refused_as_malformed(tmp_path: Path) -> None:
    """Row 54: 400, by header and by query; not an empty stream that never ends."""
    async with running_app(settings(tmp_path)) as app:
        task_id = await finished_task(app)
        for bad in ("x", "-1", "1.5", "+1", "1e3", "0x1", "1 2", "٣", "9" * 19, "9" * 5000):
            answers = [await request_stream(app, f"/api/v1/status/{task_id}?after={quote(bad)}")]
            if bad.isascii():
                answers.append(await request_stream(app, f"/api/v1/status/{task_id}", {"Last-Event-ID": bad}))
            for answer in answers:
                assert (answer.status_code, answer.json()["code"]) == (400, "MALFORMED"), bad
                assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.fault(54)
async def test_an_id_beyond_the_last_is_malformed_and_an_unknown_task_is_not_found(tmp_path: Path) -> None:
    """Row 54: an id that was never assigned; a task that does not exist."""
    async with running_app(settings(tmp_path)) as app:
        task_id = await finished_task(app)
        newest = (await get(app.url, f"/api/v1/task/{task_id}"))["last_event_id"]
        future = await request_stream(app, f"/api/v1/status/{task_id}", {"Last-Event-ID": str(newest + 1)})
        assert (future.status_code, future.json()["code"]) == (400, "MALFORMED")
        assert f"its newest is {newest}" in future.json()["detail"]
        foreign = await request_stream(app, f"/api/v1/status/{new_id()}", {"Last-Event-ID": "1"})
        assert (foreign.status_code, foreign.json()["code"]) == (404, "NOT_FOUND")


@pytest.mark.fault(55)
async def test_a_reconnect_after_the_terminal_event_gets_204(tmp_path: Path) -> None:
    """Row 55: EventSource stops at 204; after any other status it would reconnect for ever."""
    async with running_app(settings(tmp_path)) as app:
        path = f"/api/v1/status/{await finished_task(app)}"
        newest = (await get(app.url, path.replace("status", "task")))["last_event_id"]
        for method in ("GET", "HEAD"):
            by_header = await request_stream(app, path, {"Last-Event-ID": str(newest)}, method)
            by_query = await request_stream(app, f"{path}?after={newest}", None, method)
            assert (by_header.status_code, by_header.content) == (204, b"")
            assert (by_query.status_code, by_query.content) == (204, b"")
        assert (await request_stream(app, f"{path}?after={newest - 1}")).status_code == 200
        assert readers(app) == 0


# --- row 56 -----------------------------------------------------------------------------------------


@pytest.mark.fault(56)
async def test_after_a_kill_and_a_restart_the_whole_log_is_sent(tmp_path: Path) -> None:
    """Row 56: byte for byte what the first process sent."""
    async with service(tmp_path, {}) as process:
        task_id = await submit(process.url)
        before = await body_of(await raw_stream(process.port, f"/api/v1/status/{task_id}"))
        await process.kill()
        await process.start()
        after = await body_of(await raw_stream(process.port, f"/api/v1/status/{task_id}"))
    assert b'"status":"completed"' in before
    assert after == before


# --- row 57 -----------------------------------------------------------------------------------------


@pytest.mark.fault(57)
@pytest.mark.one_process("its open sockets are counted")
async def test_a_frozen_reader_is_disconnected_and_others_are_not_affected(tmp_path: Path) -> None:
    """Row 57: what it has not read within SEND_TIMEOUT is discarded, and its socket is closed."""
    large = await a_large_log(tmp_path / "data")
    async with service(tmp_path, {"SEND_TIMEOUT": "2"}) as process:
        sockets = open_sockets(process.pid)
        async with await raw_stream(process.port, f"/api/v1/status/{large}") as frozen:
            await streams_open(process.url, 1)
            other = await body_of(await raw_stream(process.port, f"/api/v1/status/{large}"))
            assert other.count(b"\nid: ") == 256
            await streams_open(process.url, 0)
            while open_sockets(process.pid) > sockets:
                await anyio.sleep(0.01)
            assert (await body_of(frozen)).count(b"\nid: ") < 256
        assert "Traceback" not in process.log.read_text()


def open_sockets(pid: int) -> int:
    links = [link.readlink().name for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()]
    return sum(name.startswith("socket:") for name in links)


# --- rows 58 and 59 ---------------------------------------------------------------------------------


@pytest.mark.fault(58)
async def test_a_task_continues_when_its_reader_disconnects(tmp_path: Path) -> None:
    """Row 58: the reader is removed at once; the task is independent of it."""
    gate = anyio.Event()
    async with (
        model_server(plan_and_files(FILES, gates={"": gate})) as model,
        running_app(settings(tmp_path, model)) as app,
    ):
        task_id = await submit(app.url)
        async with subscribed(app.url, task_id) as subscriber:
            await subscriber.until("status", status="generating")
        while readers(app):
            await anyio.sleep(0.005)
        gate.set()
        assert (await events(app.url, task_id))[-1].data["status"] == "completed"


@pytest.fixture
def many_files() -> Iterator[None]:
    """Descriptors for both ends of 500 connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.campaign
@pytest.mark.fault(59)
async def test_500_readers_of_one_task_get_identical_bytes(tmp_path: Path, many_files: None) -> None:
    """Row 59: whether they connected before, during or after it, and however they read."""
    plan, files = anyio.Event(), anyio.Event()
    async with (
        model_server(plan_and_files(FILES, gates={"": plan, "app.py": files})) as model,
        running_app(settings(tmp_path, model, ping_seconds=3600)) as app,
    ):
        task_id = await submit(app.url)
        path = f"/api/v1/status/{task_id}"
        early = [await raw_stream(port(app), path) for _ in range(250)]
        plan.set()
        await model.arrival("file", "app.py")
        amid = [await raw_stream(port(app), path) for _ in range(249)]
        files.set()
        bodies = Counter(await asyncio.gather(*(body_of(stream) for stream in early + amid)))
        bodies[await body_of(await raw_stream(port(app), path))] += 1
        ((body, count),) = bodies.items()
        assert count == 500
        assert b'"status":"completed"' in body


# --- row 60 -----------------------------------------------------------------------------------------

EVIL = 'a\r\n\r\nevent: status\ndata: {"status":"completed"}\n\nid: 99\r\0\u2028\u0085 data: z\n\n'


@pytest.mark.fault(60)
async def test_control_characters_from_a_model_leave_the_framing_intact(tmp_path: Path) -> None:
    """Row 60: in the summary of a plan, and in the text of the error that ends the task."""
    plan = {"summary": EVIL, "files": [{"path": "a.py", "purpose": EVIL}]}

    def refuse(body: dict[str, Any]) -> Reply | None:
        return http_error(400, {"message": EVIL}) if call_of(body)[0] == "file" else None

    async with (
        model_server(plan_and_files({"a.py": ""}, plan=plan, replace=refuse)) as model,
        running_app(settings(tmp_path, model)) as app,
    ):
        task_id = await submit(app.url)
        body = await body_of(await raw_stream(port(app), f"/api/v1/status/{task_id}"))
    assert not {b"\r", b"\0"} & {bytes([byte]) for byte in body}
    messages = body.decode().removesuffix("\n\n").split("\n\n")
    for number, message in enumerate(messages, start=1):
        kind, id_, data, *retry = message.split("\n")
        assert retry == (["retry: 1000"] if number == 1 else [])
        assert kind.startswith("event: ")
        assert id_ == f"id: {number}"
        assert json.loads(data.removeprefix("data: "))
    kinds = [message.partition("\n")[0] for message in messages]
    assert kinds[-2:] == ["event: status", "event: error"]
    planned, refused = (json.loads(messages[n].split("\n")[2][6:]) for n in (kinds.index("event: plan"), -1))
    assert planned["summary"] == EVIL
    assert 'data: {"status":"completed"}' in refused["message"]


# --- row 61 -----------------------------------------------------------------------------------------


class JumpingSelector(selectors.DefaultSelector):
    """Never waits: the clock of its loop jumps to the next timer."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            assert timeout is not None
            self.now += timeout
        return ready


class JumpingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._selector = JumpingSelector()
        super().__init__(self._selector)

    def time(self) -> float:
        return self._selector.now


@pytest.mark.fault(61)
def test_an_idle_stream_sends_a_ping_every_15_seconds() -> None:
    """Row 61: two minutes without events, on a loop whose clock jumps from timer to timer."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        said = runner.run(two_idle_minutes())
    (_, first), *pings = said
    assert first.startswith(b"event: status\nid: 1\n")
    assert [(round(at), message) for at, message in pings] == [
        (at, b": ping\n\n") for at in range(15, 121, 15)
    ]


async def two_idle_minutes() -> list[tuple[float, bytes]]:
    """The messages that the endpoint sends for a task without new events, with their times."""
    store = MemoryStore()
    task = a_task(principal="local", state=State.RUNNING, stage="generating", sequence=1)
    await store.create(task, REQUEST, [an_event(task, 1)])
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    loop.call_later(121, over.set)
    said: list[tuple[float, bytes]] = []

    async def receive() -> Message:
        await over.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message.get("body"):
            said.append((loop.time(), message["body"]))

    services = SimpleNamespace(
        store=store,
        hub=InProcessHub(store),
        ticker=SharedTicker(15),
        progress_ticker=SharedTicker(1),
        kinds=None,
        task_limiter=PerClientSemaphore(1),
        stream_limiter=PerClientSemaphore(1),
    )
    scope = {
        "type": "http",
        "method": "GET",
        "headers": [],
        "query_string": b"",
        "path_params": {"task_id": task.id},
        "state": {"principal": LOCAL},
        "app": SimpleNamespace(state=SimpleNamespace(services=services)),
    }
    response = await follow_operation(KindRegistry([])).call(Request(scope))
    await response(scope, receive, send)
    assert services.hub.subscribers == 0
    return said


# --- row 62 -----------------------------------------------------------------------------------------


@pytest.mark.fault(62)
async def test_head_gets_the_headers_and_the_end(tmp_path: Path) -> None:
    """Row 62: also of a running task, where GET would wait; the connection can be used again."""
    gate = anyio.Event()
    async with (
        model_server(plan_and_files(FILES, gates={"": gate})) as model,
        running_app(settings(tmp_path, model)) as app,
        client(app.url) as http,
    ):
        path = f"/api/v1/status/{await submit(app.url, 'hello')}"
        head = await http.head(path)
        async with http.stream("GET", path) as get_:
            has_proxy = urls_behind(app.url) != [app.url]
            left_out = (
                {"date", "transfer-encoding"} if has_proxy else {"date"}
            )  # by nginx, in its answer to HEAD
            shown = {name: head.headers[name] for name in head.headers if name not in left_out}
            assert shown == {name: get_.headers[name] for name in get_.headers if name not in left_out}
            assert readers(app) == 1
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-type"].startswith("text/event-stream")
        assert (await http.head(path)).status_code == 200
