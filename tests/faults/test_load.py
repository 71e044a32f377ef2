"""More load than the service can take: rows 85 to 88."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Mapping
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import TypeVar

import anyio
import anyio.lowlevel
import httpx
import pytest
from pydantic import SecretStr

from gencode.domain.principal import Principal, PrincipalKind
from gencode.domain.task import Task
from gencode.engine.ports.store import Store, TaskQuery
from gencode.http.tool_declaration import ToolCall
from tests.faults.test_input import check_problem
from tests.servers.calls import BODY, FILES, client, get, post, submit
from tests.servers.model import ModelServer, model_server, plan_and_files
from tests.servers.raw import Answer, Raw, raw
from tests.servers.service import App, Service, running_app, service, settings
from tests.servers.stream import events, subscribed

T = TypeVar("T")
TWO = SecretStr("alice=alices-key,bob=bobs-key")


async def submit_as(url: str, who: str, name: str = "x") -> httpx.Response:
    """A task whose prompt and repository have this name: a taken repository fails before its plan."""
    body = {"prompt": name, "repo_name": name}
    return await post(url, "/generate", body, **{"X-API-Key": f"{who}s-key"})


# --- row 85 -----------------------------------------------------------------------------------------


@pytest.mark.fault(85)
async def test_a_burst_over_the_limit_of_a_client_gets_retry_after(tmp_path: Path) -> None:
    """Row 85: 429 with Retry-After and the state of the limit; other clients are not affected."""
    async with running_app(settings(tmp_path, api_keys=TWO, rate_limit="3/hour")) as app:
        answers = await asyncio.gather(*(submit_as(app.url, "alice") for _ in range(5)))
        assert sorted(answer.status_code for answer in answers) == [202, 202, 202, 429, 429]
        left = [answer.headers["ratelimit-remaining"] for answer in answers if answer.status_code == 202]
        assert set(left) <= {"0", "1", "2"}
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert check_problem(refused, 429, "RATE_LIMITED")["retryable"]
        assert 3500 <= int(refused.headers["retry-after"]) <= 3601
        stand = {name: refused.headers[f"ratelimit-{name}"] for name in ("limit", "remaining", "reset")}
        assert stand == {"limit": "3", "remaining": "0", "reset": refused.headers["retry-after"]}
        assert len(await app.services.store.find(TaskQuery(principal="alice"))) == 3
        bobs = await submit_as(app.url, "bob")
        assert (bobs.status_code, bobs.headers["ratelimit-remaining"]) == (202, "2")


@pytest.mark.fault(85)
async def test_reading_is_not_limited(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path, rate_limit="1/hour")) as app, client(app.url) as http:
        task_id = await submit(app.url)
        for _ in range(20):
            assert (await http.get(f"/api/v1/task/{task_id}")).status_code == 200


# --- row 86 -----------------------------------------------------------------------------------------


@pytest.mark.fault(86)
@pytest.mark.one_process("several may exceed the limit by what they accept within a second")
async def test_a_full_queue_refuses_stores_nothing_and_accepts_again_later(tmp_path: Path) -> None:
    """Row 86: 503 with Retry-After; of many at once exactly as many are accepted as fit."""
    gate = anyio.Event()
    async with model_server(plan_and_files(FILES, gates={"": gate})) as model:
        chosen = settings(tmp_path, model, max_concurrent_tasks=1, max_waiting_tasks=2)
        async with running_app(chosen) as app:
            running = await submit(app.url, "running")
            await model.arrival("plan")
            answers = await asyncio.gather(*(post(app.url, "/generate", BODY) for _ in range(10)))
            assert sorted(answer.status_code for answer in answers) == [202] * 2 + [503] * 8
            for refused in (answer for answer in answers if answer.status_code == 503):
                assert check_problem(refused, 503, "QUEUE_FULL")["retryable"]
                assert int(refused.headers["retry-after"]) >= 1
            assert len(await app.services.store.find(TaskQuery())) == 3
            gate.set()
            await events(app.url, running)
            for answer in answers:
                if answer.status_code == 202:
                    await events(app.url, answer.json()["task_id"])
            await submit(app.url, "again")


@pytest.mark.fault(86)
@pytest.mark.one_process("several may exceed the limit by what they accept within a second")
async def test_a_repeated_submission_finds_its_task_in_the_full_queue(tmp_path: Path) -> None:
    gate = anyio.Event()
    key = {"Idempotency-Key": "lost reply"}
    async with model_server(plan_and_files(FILES, gates={"": gate})) as model:
        chosen = settings(tmp_path, model, max_concurrent_tasks=1, max_waiting_tasks=1)
        async with running_app(chosen) as app:
            await submit(app.url, "running")
            await model.arrival("plan")
            first = await post(app.url, "/generate", BODY, **key)
            check_problem(await post(app.url, "/generate", BODY), 503, "QUEUE_FULL")
            again = await post(app.url, "/generate", BODY, **key)
            assert (again.status_code, again.json()) == (202, first.json())
            gate.set()
            await events(app.url, first.json()["task_id"])


# --- row 87 -----------------------------------------------------------------------------------------


@pytest.mark.fault(87)
async def test_the_flood_of_one_client_does_not_delay_the_task_of_another(tmp_path: Path) -> None:
    """Row 87: a task that comes after 30 of another client is next but one, not the 31st."""
    gate = anyio.Event()
    async with model_server(plan_and_files(FILES, gates={"": gate})) as model:
        chosen = settings(tmp_path, model, api_keys=TWO, max_concurrent_tasks=1)
        async with running_app(chosen) as app:
            for number in range(30):
                assert (await submit_as(app.url, "alice", f"alice-{number}")).status_code == 202
            await model.arrival("plan")
            bobs = (await submit_as(app.url, "bob", "bob-0")).json()["task_id"]
            gate.set()
            await wait_until_over(app.url, bobs)
            # After those that run it is next but one; with it begin as many as there are workers.
            assert "bob" in order_of_plans(model)[: 2 * app.workers + 1]


async def wait_until_over(url: str, task_id: str, who: str = "bob") -> None:
    async with client(url) as http:
        answer = await http.get(f"/api/v1/status/{task_id}", headers={"X-API-Key": f"{who}s-key"})
        assert "event: status" in answer.text


def order_of_plans(model: ModelServer) -> list[str]:
    """The clients whose tasks were started, in order."""
    prompts = [json.dumps(seen.body) for seen in model.requests if seen.call == ("plan", "")]
    return ["bob" if "bob-0" in prompt else "alice" for prompt in prompts]


@pytest.mark.fault(118)
@pytest.mark.parametrize("path", ["status/{}", "status/{}?after=1", "task/{}", "task/{}/files"])
@pytest.mark.one_process("reads are counted in its store")
async def test_of_one_clients_reads_few_are_in_the_store_at_once(tmp_path: Path, path: str) -> None:
    """So that another client's is next, however many connections the flood has. Counted in the store."""
    async with running_app(settings(tmp_path, api_keys=TWO)) as app:
        task_id = (await submit_as(app.url, "alice")).json()["task_id"]
        await wait_until_over(app.url, task_id, "alice")
        store = count_reads(app)
        async with client(app.url) as http, anyio.create_task_group() as group:
            for _ in range(40):
                ask = partial(
                    http.get, f"/api/v1/{path.format(task_id)}", headers={"X-API-Key": "alices-key"}
                )
                group.start_soon(ask)
    assert store.calls >= 40
    assert 1 <= store.most <= (1 if path.endswith("/files") else 2)  # one look-up, one log


@pytest.mark.fault(118)
@pytest.mark.one_process("reads are counted in its store")
async def test_an_assistant_and_other_connections_of_one_client_share_its_place(tmp_path: Path) -> None:
    """The tool `files` looked tasks up beside the limit of the route."""
    async with running_app(settings(tmp_path, api_keys=TWO)) as app:
        task_id = (await submit_as(app.url, "alice")).json()["task_id"]
        await wait_until_over(app.url, task_id, "alice")
        store = count_reads(app)
        tool = next(tool for tool in app.services.kinds.tools if tool.name == "files")
        call = ToolCall(
            principal=Principal(id="alice", kind=PrincipalKind.API_KEY),
            api="/api/v1",
            arguments={"task_id": task_id},
        )

        async def ask_tool() -> None:
            await tool.call(call)

        headers = {"X-API-Key": "alices-key"}
        async with client(app.url) as http, anyio.create_task_group() as group:
            for _ in range(10):
                group.start_soon(ask_tool)
                group.start_soon(partial(http.get, f"/api/v1/task/{task_id}/files", headers=headers))
    assert store.calls >= 40
    assert store.most == 1


def count_reads(app: App) -> CountingStore:
    """From now on."""
    store = CountingStore(app.services.store)
    object.__setattr__(app.services, "store", store)
    app.services.hub._store = store  # type: ignore[attr-defined]
    app.services.checkpoint_reader._store = store  # type: ignore[assignment]
    object.__setattr__(next(e for e in app.services.extensions if hasattr(e, "store")), "store", store)
    return store


class CountingStore:
    """Counts the look-ups of tasks and of checkpoints, which take a few turns of the loop each."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.calls = self.present = self.most = 0

    async def find(self, query: TaskQuery) -> list[Task]:
        return await self._count(self._store.find(query))

    async def checkpoints(self, task_id: str) -> Mapping[str, str]:
        return await self._count(self._store.checkpoints(task_id))

    async def _count(self, read: Awaitable[T]) -> T:
        self.calls += 1
        self.present += 1
        self.most = max(self.most, self.present)
        try:
            for _ in range(20):
                await anyio.lowlevel.checkpoint()
            return await read
        finally:
            self.present -= 1

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


# --- row 88 -----------------------------------------------------------------------------------------

LIVEZ = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def open_connections(stack: AsyncExitStack, process: Service, size: int) -> list[Raw]:
    """Open connections that send nothing."""
    return [await stack.enter_async_context(raw(process.port)) for _ in range(size)]


BODY_COMES = (
    "POST /api/v1/generate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    "Content-Length: 9\r\nExpect: 100-continue\r\n\r\n"
)


async def open_busy_connections(stack: AsyncExitStack, process: Service, size: int) -> list[Raw]:
    """Open connections with a request whose body does not come, though the service asks for it."""
    busy = await open_connections(stack, process, size)
    for peer in busy:
        await peer.send(BODY_COMES)
        assert (await peer.received()).startswith(b"HTTP/1.1 100 ")
    return busy


@pytest.mark.fault(88)
@pytest.mark.one_process("MAX_CONNECTIONS is of each process")
async def test_connections_beyond_the_limit_get_503_and_others_stay(tmp_path: Path) -> None:
    """Row 88: of ten allowed connections, all busy, the eleventh gets 503 and Retry-After; a freed place is
    used again."""
    async with service(tmp_path, {"MAX_CONNECTIONS": "10"}) as process, AsyncExitStack() as stack:
        inside = await open_busy_connections(stack, process, 10)
        answer = await answer_to_new_connection(process)
        assert (answer.status, json.loads(answer.body)["code"]) == (503, "OVERLOADED")
        assert answer.headers["retry-after"] == "5"
        await inside[9].close()
        await wait_until_accepted(process)
        await inside[0].send("not json!")
        assert (await inside[0].answer()).status == 400


async def answer_to_new_connection(process: Service) -> Answer:
    async with raw(process.port) as peer:
        await peer.send(LIVEZ)
        return await peer.answer()


@pytest.mark.fault(112)
@pytest.mark.one_process("MAX_CONNECTIONS is of each process")
async def test_connections_that_ask_nothing_give_way_to_new_ones(tmp_path: Path) -> None:
    """The oldest first, also those that have been answered; one with a request under way stays."""
    async with service(tmp_path, {"MAX_CONNECTIONS": "10"}) as process, AsyncExitStack() as stack:
        (busy,) = await open_busy_connections(stack, process, 1)
        answered = await stack.enter_async_context(raw(process.port))
        await answered.send(LIVEZ)
        assert (await answered.answer()).status == 200
        idle = await open_connections(stack, process, 30)
        for _ in range(3):
            assert (await answer_to_new_connection(process)).status == 200
        assert await answered.rest() == b""
        assert await idle[0].rest() == b""
        await busy.send("not json!")
        assert (await busy.answer()).status == 400


async def wait_until_accepted(process: Service) -> None:
    """Until the service has noticed that a connection was closed."""
    async with client(process.url) as http:
        while (await http.get("/livez")).status_code == 503:
            await anyio.sleep(0.01)


@pytest.mark.campaign
@pytest.mark.fault(88)
@pytest.mark.one_process("its file descriptors are limited")
async def test_when_descriptors_are_few_a_flood_is_shed_and_work_goes_on(tmp_path: Path) -> None:
    """Row 88: 128 descriptors, 300 connections: the running task completes, nothing breaks, and after the
    flood connections are accepted again."""
    async with service(tmp_path, {"HEADER_TIMEOUT": "60"}, nofile=128) as process:
        task_id = await submit(process.url)
        async with AsyncExitStack() as stack, subscribed(process.url, task_id) as subscriber:
            flood = await open_connections(stack, process, 300)
            assert await flood[0].rest() == b""  # it gave way to another
            assert (await subscriber.until("status", status="completed")).data["repo_url"]
        await wait_until_accepted(process)
        assert (await get(process.url, "/readyz")) == {"status": "ok"}
        again = await submit(process.url, "again")
        assert (await events(process.url, again))[-1].data["status"] == "completed"
        assert '"error"' not in process.log.read_text()
