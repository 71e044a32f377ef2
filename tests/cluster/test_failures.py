"""Processes, connections and the database fail under tasks that are under way.

Nothing is lost, nothing happens twice, and no completed model call is paid again.
"""

from __future__ import annotations

import json
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import anyio
import anyio.to_thread
import httpx
import pytest
import pytest_asyncio

from tests.cluster.conftest import Prepare, Shared
from tests.cluster.test_service import PAID_ONCE, STEPS, are_dense, statuses
from tests.e2e.test_cli import gencode, lines
from tests.servers.calls import FILES, get, post, submit
from tests.servers.cluster import asking, needs_nginx
from tests.servers.model import Body, Call, Reply, plan_and_files
from tests.servers.service import Service
from tests.servers.stream import ReceivedEvent, events, subscribed

pytestmark = [needs_nginx, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def _all_run_again(shared: Shared) -> AsyncIterator[None]:
    yield
    async with anyio.create_task_group() as group:
        for process in (*shared.cluster.webs, *shared.cluster.workers):
            if process.is_running:
                process.thaw()
            else:
                group.start_soon(process.start)


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(60):
        while not condition():
            await anyio.sleep(0.02)


async def check_finished(it: Shared, task_id: str, heard: list[ReceivedEvent]) -> None:
    """One log without gaps, one repository, one head, each step once."""
    assert are_dense(heard)
    assert statuses(heard) == STEPS
    assert await it.github.head("hello") == heard[-1].data["commit"]
    assert it.github.effects == {"create": 1, "push": 1}
    assert (await get(it.url, f"/api/v1/task/{task_id}"))["last_event_id"] == heard[-1].id


async def stop_workers(it: Shared, *kept: Service) -> None:
    for worker in it.cluster.workers:
        if worker not in kept:
            assert await worker.terminate() == 0


async def no_jobs(it: Shared) -> None:
    with anyio.fail_after(60):
        while await it.cluster.rows("SELECT 1 FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"):
            await anyio.sleep(0.1)


async def test_another_worker_goes_on_with_the_task_of_a_killed_one(prepare: Prepare) -> None:
    """It repeats the call that was under way, and no other."""
    gate = anyio.Event()
    it = prepare(plan_and_files(FILES, gates={"README.md": gate}))
    task_id = await submit(it.one)
    async with subscribed(it.other, task_id, include="delta") as stream:
        await it.model.arrival("file", "README.md")
        killed = it.cluster.asking(it.model)
        await killed.kill()
        await until(lambda: it.model.started["file", "README.md"] == 2)
        assert it.cluster.asking(it.model) is not killed
        gate.set()
        heard = await stream.rest()
    await check_finished(it, task_id, heard)
    assert dict(it.model.completed) == PAID_ONCE
    assert [event.data["attempt"] for event in heard if event.kind == "resumed"] == [2]


async def test_a_displaced_worker_pays_nothing_and_ends_nothing(prepare: Prepare) -> None:
    """It is stopped (SIGSTOP) for longer than the stale time, and goes on when its successor writes the next
    file."""
    gates = {path: anyio.Event() for path in FILES}
    it = prepare(plan_and_files(FILES, gates=gates))
    task_id = await submit(it.one)
    async with subscribed(it.other, task_id) as stream:
        await it.model.arrival("file", "app.py")
        displaced = it.cluster.asking(it.model)
        displaced.freeze()
        await until(lambda: it.model.started["file", "app.py"] == 2)
        gates["app.py"].set()
        await it.model.arrival("file", "README.md")
        successor = it.cluster.asking(it.model)
        assert successor is not displaced
        displaced.thaw()
        await until(lambda: "left to another worker" in displaced.log.read_text())
        gates["README.md"].set()
        heard = await stream.rest()
    await check_finished(it, task_id, heard)
    assert it.model.started == {("plan", ""): 1, ("file", "app.py"): 2, ("file", "README.md"): 1}
    await no_jobs(it)
    await stop_workers(it, displaced)
    assert (await events(it.url, await submit(it.url, "next")))[-1].data["status"] == "completed"


async def test_a_worker_that_was_stopped_between_its_reserve_and_its_request_does_not_send_it(
    prepare: Prepare,
) -> None:
    """It stops itself there; its successor waits for the model when it goes on."""
    gate = anyio.Event()
    it = prepare(plan_and_files(FILES, gates={"README.md": gate}))
    await stop_workers(it)
    stopped, successor = it.cluster.workers[:2]
    await stopped.start("reserve.after:3")  # of the plan, the first file, the second
    task_id = await submit(it.one)
    await it.model.arrival("file", "app.py")
    await successor.start()
    await it.model.arrival("file", "README.md")
    assert it.cluster.asking(it.model) is successor
    stopped.thaw()
    await until(lambda: "left to another worker" in stopped.log.read_text())
    gate.set()
    heard = await events(it.other, task_id)
    await check_finished(it, task_id, heard)
    assert it.model.started == PAID_ONCE
    await stopped.terminate()


async def test_a_worker_that_stops_gives_its_task_to_another_at_once(prepare: Prepare) -> None:
    """SIGTERM while the model answers, which it does not within the time that the worker has."""
    gate = anyio.Event()
    it = prepare(plan_and_files(FILES, gates={"README.md": gate}))
    task_id = await submit(it.one)
    await it.model.arrival("file", "README.md")
    stopped = it.cluster.asking(it.model)
    assert await stopped.terminate() == 0
    await it.model.drop("file", "README.md")
    await until(lambda: it.model.started["file", "README.md"] == 2)
    assert it.cluster.asking(it.model) is not stopped
    gate.set()
    heard = await events(it.other, task_id)
    await check_finished(it, task_id, heard)
    assert dict(it.model.completed) == PAID_ONCE
    assert [event.data["attempt"] for event in heard if event.kind == "resumed"] == [1]


async def test_a_watcher_goes_on_at_another_web_process(
    prepare: Prepare, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Each is killed once; the other one, or the same after its restart, has what follows."""
    gates = {path: anyio.Event() for path in FILES}
    it = prepare(plan_and_files(FILES, gates=gates))
    task_id = await submit(it.url)
    folder = tmp_path_factory.mktemp("cli")
    ids: list[int] = []
    async with gencode(folder, it.url, "watch", task_id, "--json") as process:
        async for line in lines(process):
            event = json.loads(line)
            ids += [event["id"]] if event["id"] else []
            if event["event"] == "plan":
                await it.cluster.webs[0].kill()
                await it.cluster.webs[0].start()
                gates["app.py"].set()
            elif event["event"] == "usage" and event["data"]["about"] == "app.py":
                await it.cluster.webs[1].kill()
                gates["README.md"].set()
        assert await process.wait() == 0
    assert ids == list(range(1, len(ids) + 1))
    await check_finished(it, task_id, await events(it.one, task_id))


async def test_a_task_whose_job_was_deleted_gets_another(prepare: Prepare) -> None:
    gate = anyio.Event()
    it = prepare(plan_and_files(FILES, gates={"": gate}))
    await stop_workers(it)
    waiting = await submit(it.url)
    deleted = await it.cluster.rows("DELETE FROM procrastinate_jobs WHERE lock = %s RETURNING id", waiting)
    assert len(deleted) == 1
    for worker in it.cluster.workers[:2]:
        await worker.start()
    await it.model.arrival("plan")
    assert await it.cluster.rows("DELETE FROM procrastinate_jobs WHERE lock = %s RETURNING id", waiting)
    gate.set()
    heard = await events(it.other, waiting)
    await check_finished(it, waiting, heard)
    assert dict(it.model.completed) == PAID_ONCE
    assert not [event for event in heard if event.kind == "resumed"]
    await no_jobs(it)


@pytest.mark.slow
async def test_killed_around_each_step_it_happens_once(prepare: Prepare) -> None:
    """One worker after the other kills itself, the next goes on; what was stored is never asked for again."""
    failpoints = [
        *("answer.after:1", "commit.after:2", "answer.after:1", "commit.before:4"),
        *("repo.before:1", "repo.after:1", "push.before:1", "push.after:1"),
    ]
    it = prepare(plan_and_files(FILES))
    await stop_workers(it)
    task_id = await submit(it.url)
    paid: dict[Call, int] = {}
    worker = it.cluster.workers[0]
    for failpoint in failpoints:
        await worker.launch(failpoint)
        assert await worker.ended() == -signal.SIGKILL
        assert paid == {call: it.model.started[call] for call in paid}
        for call in await stored_calls(it, task_id):
            paid.setdefault(call, it.model.started[call])
    await worker.start()
    heard = await events(it.other, task_id)
    await check_finished(it, task_id, heard)
    assert paid == dict(it.model.started)
    assert paid.keys() == PAID_ONCE.keys()


async def stored_calls(it: Shared, task_id: str) -> list[Call]:
    """The model calls whose answers are in checkpoints."""
    rows = await it.cluster.rows("SELECT name FROM gencode.checkpoints WHERE task_id = %s", task_id)
    names = [str(name).split(":", 2) for (name,) in rows]
    files = [("file", parts[2]) for parts in names if parts[0] == "piece"]
    return [*files, *([("plan", "")] if ["plan"] in names else [])]


@pytest.mark.slow
async def test_a_task_that_kills_its_workers_is_given_up(prepare: Prepare) -> None:
    """Others that run beside it are finished."""
    poison: list[Service] = []

    def kill(body: Body) -> Reply | None:
        if "poison" in json.dumps(body):
            poison.append(it.cluster.workers[asking(it.model.requests[-1])])
            poison[-1].signal(signal.SIGKILL)
        return None

    it = prepare(plan_and_files(FILES, replace=kill))
    body = {"prompt": "poison", "repo_name": "poison"}
    task_id = (await post(it.url, "/generate", body)).json()["task_id"]
    async with subscribed(it.url, task_id) as stream, anyio.create_task_group() as group:

        async def restart() -> None:
            while True:
                await until(lambda: bool(poison))
                worker = poison.pop()
                await worker.ended()
                await worker.start()

        group.start_soon(restart)
        healthy = await submit(it.url)
        heard = await stream.rest()
        group.cancel_scope.cancel()
    assert heard[-1].data["code"] == "CRASH_LOOP"
    assert it.model.requests[-1].call == ("plan", "")
    assert (await events(it.url, healthy))[-1].data["status"] == "completed"
    assert are_dense(heard)


@pytest.mark.slow
async def test_all_connections_to_the_database_are_cut(prepare: Prepare) -> None:
    gate = anyio.Event()
    it = prepare(plan_and_files(FILES, gates={"README.md": gate}))
    task_id = await submit(it.one)
    async with subscribed(it.other, task_id) as stream:
        await it.model.arrival("file", "README.md")
        await it.cluster.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        gate.set()
        heard = await stream.rest()
    await check_finished(it, task_id, heard)
    assert dict(it.model.completed) == PAID_ONCE
    assert it.model.started["file", "README.md"] == 1
    assert (await events(it.one, await submit(it.one, "next")))[-1].data["status"] == "completed"


@pytest.mark.slow
@pytest.mark.parametrize(("how", "seconds"), [("INT", 6), ("QUIT", 60)])
async def test_the_database_is_unreachable(prepare: Prepare, how: str, seconds: int) -> None:
    """For longer than the stale time, and than a connection is waited for. Streams stay open; a submission
    meanwhile is refused or stored, and its key tells which."""
    gate = anyio.Event()
    it = prepare(plan_and_files(FILES, gates={"README.md": gate}))
    task_id = await submit(it.one)
    async with subscribed(it.other, task_id) as stream:
        await it.model.arrival("file", "README.md")
        await anyio.to_thread.run_sync(it.postgres.stop, how)
        body, key = {"prompt": "say hello", "repo_name": "later"}, {"Idempotency-Key": f"away-{how}"}
        with suppress(httpx.TimeoutException):
            refused = await post(it.one, "/generate", body, **key)
            assert (refused.status_code, refused.json()["code"]) == (503, "STORAGE")
        await anyio.sleep(seconds)
        await anyio.to_thread.run_sync(it.postgres.start)
        gate.set()
        heard = await stream.rest()
        later = await post(it.one, "/generate", body, **key)
        assert later.status_code == 202
    assert are_dense(heard)
    assert statuses(heard) == STEPS
    assert (await events(it.other, later.json()["task_id"]))[-1].data["status"] == "completed"
    assert it.github.effects == {"create": 2, "push": 2}
    assert it.model.completed["file", "README.md"] <= 3
