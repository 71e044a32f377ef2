"""Two web processes and three workers are one service: what is begun at one goes on at any other."""

from __future__ import annotations

import json
from typing import Any

import anyio
import pytest

from tests.cluster.conftest import Prepare, Shared
from tests.e2e.test_cli import gencode, lines
from tests.faults.test_webhooks import delivered, submitted
from tests.servers.calls import BODY, FILES, client, get, post, submit
from tests.servers.cluster import asking, needs_nginx
from tests.servers.model import Body, Reply, call_of, http_error, plan_and_files
from tests.servers.stream import ReceivedEvent, events, subscribed

pytestmark = [needs_nginx, pytest.mark.asyncio(loop_scope="module")]

STEPS = ["pending", "generating", "merging_files", "creating_repo", "pushing", "completed"]
PAID_ONCE = {("plan", ""): 1} | {("file", path): 1 for path in FILES}


def statuses(heard: list[ReceivedEvent]) -> list[str]:
    return [event.data["status"] for event in heard if event.kind == "status"]


def are_dense(heard: list[ReceivedEvent]) -> bool:
    """Live messages have no id of their own."""
    ids = [event.id for event in heard if event.kind != "delta"]
    return ids == list(range(1, len(ids) + 1))


async def raw_events(url: str, task_id: str, after: int = 0) -> bytes:
    """The rest of a finished task's stream."""
    headers = {"Last-Event-ID": str(after)} if after else {}
    async with client(url) as http:
        return (await http.get(f"/api/v1/status/{task_id}", headers=headers)).content


async def test_a_task_is_followed_at_a_process_that_did_not_accept_it(prepare: Prepare) -> None:
    gates = {path: anyio.Event() for path in ("", *FILES)}
    it = prepare(plan_and_files(FILES, gates=gates))
    task_id = await submit(it.one)
    async with subscribed(it.other, task_id, include="delta") as stream, client(it.url) as http:
        for gate in gates.values():
            gate.set()
        heard = await stream.rest()
        assert (await http.get(f"/api/v1/task/{task_id}")).json()["status"] == "completed"
    assert are_dense(heard)
    assert statuses(heard) == STEPS
    assert {event.data["about"] for event in heard if event.kind == "delta"} == {"plan", *FILES}
    assert dict(it.model.completed) == PAID_ONCE
    assert await it.github.head("hello") == heard[-1].data["commit"]


async def test_a_stream_is_resumed_at_another_process(prepare: Prepare) -> None:
    gates = {path: anyio.Event() for path in FILES}
    it = prepare(plan_and_files(FILES, gates=gates))
    task_id = await submit(it.url)
    async with subscribed(it.one, task_id) as stream:
        await stream.until("plan")
        heard = list(stream.heard)
    for gate in gates.values():
        gate.set()
    heard += await events(it.other, task_id, after=heard[-1].id)
    assert are_dense(heard)
    assert statuses(heard) == STEPS
    both = [await raw_events(url, task_id) for url in (it.one, it.other)]
    assert both[0] == both[1] != b""
    assert await raw_events(it.other, task_id, after=3) == both[1].split(b"\n\n", 3)[3]


async def test_a_key_that_is_sent_to_two_processes_at_once_makes_one_task(prepare: Prepare) -> None:
    it = prepare(plan_and_files(FILES))
    answers: list[Any] = []

    async def send(url: str) -> None:
        answers.append(await post(url, "/generate", BODY, **{"Idempotency-Key": "both"}))

    async with anyio.create_task_group() as group:
        for url in (it.one, it.other) * 3:
            group.start_soon(send, url)
    (task_id,) = {answer.json()["task_id"] for answer in answers}
    assert [answer.status_code for answer in answers] == [202] * 6
    await events(it.url, task_id)
    assert dict(it.model.completed) == PAID_ONCE
    assert it.github.effects == {"create": 1, "push": 1}
    listed = [(await get(url, "/api/v1/tasks"))["tasks"][0] for url in (it.one, it.other)]
    assert listed[0] == listed[1]
    assert listed[0]["task_id"] == task_id


async def test_a_plan_is_changed_at_one_process_and_approved_at_both(prepare: Prepare) -> None:
    plan = {"summary": "a project", "files": [{"path": "app.py", "purpose": "p"}]}
    it = prepare(plan_and_files(FILES, plan=plan))
    task_id = (await post(it.one, "/generate", BODY | {"approve_plan": True})).json()["task_id"]
    async with subscribed(it.other, task_id) as stream:
        await stream.until("approval")
        async with client(it.other) as http:
            changed = await http.put(f"/api/v1/task/{task_id}/plan", json={"files": [{"path": "README.md"}]})
        assert changed.status_code == 200
        assert await get(it.one, f"/api/v1/task/{task_id}/plan") == changed.json()
        codes: list[int] = []

        async def click(url: str) -> None:
            codes.append((await post(url, f"/task/{task_id}/approve")).status_code)

        async with anyio.create_task_group() as group:
            for url in (it.one, it.other) * 2:
                group.start_soon(click, url)
        heard = await stream.rest()
    assert codes == [202] * 4
    assert are_dense(heard)
    kinds = [event.kind for event in heard]
    assert (kinds.count("approval"), kinds.count("approved"), heard[-1].data["status"]) == (1, 1, "completed")
    assert it.model.completed == {("plan", ""): 1, ("file", "README.md"): 1}


async def test_a_failed_task_is_retried_at_both_processes_and_goes_on_once(prepare: Prepare) -> None:
    empty = [True]

    def account(body: Body) -> Reply | None:
        return http_error(402, "empty") if empty[0] and call_of(body) == ("file", "README.md") else None

    it = prepare(plan_and_files(FILES, replace=account))
    task_id = await submit(it.one)
    failed = await events(it.one, task_id)
    assert failed[-1].data["code"] == "LLM_BALANCE"
    empty[0] = False
    codes: list[int] = []

    async def click(url: str) -> None:
        codes.append((await post(url, f"/task/{task_id}/retry")).status_code)

    async with anyio.create_task_group() as group:
        for url in (it.one, it.other) * 2:
            group.start_soon(click, url)
    assert set(codes) <= {202, 409}
    heard = failed + await events(it.other, task_id, after=failed[-1].id)
    assert are_dense(heard)
    assert statuses(heard).count("completed") == 1
    assert dict(it.model.completed) == PAID_ONCE


async def test_a_running_task_is_cancelled_at_any_process(prepare: Prepare) -> None:
    """Its model call ends, and the caller gets his answer when nothing of it runs any more."""
    for accepting, cancelling in (("one", "other"), ("other", "one")):
        it = prepare(plan_and_files(FILES, gates={"": anyio.Event()}))
        task_id = await submit(getattr(it, accepting))
        await it.model.arrival("plan")
        view = (await post(getattr(it, cancelling), f"/task/{task_id}/cancel")).json()
        assert view["status"] == "cancelled"
        await it.model.drop("plan")
        assert (await events(it.url, task_id))[-1].data["status"] == "cancelled"
        assert (await post(it.url, f"/task/{task_id}/cancel")).json()["status"] == "cancelled"


async def test_a_waiting_task_is_cancelled_at_any_process(prepare: Prepare) -> None:
    """Six run; the seventh has no worker."""
    gate = anyio.Event()
    it = prepare(plan_and_files(FILES, gates={"": gate}))
    running = [await submit(it.url, f"running-{number}") for number in range(6)]
    while it.model.started["plan", ""] < len(running):
        await anyio.sleep(0.01)
    assert {asking(seen) for seen in it.model.requests} == {0, 1, 2}
    task_id = await submit(it.one, "waiting")
    view = (await post(it.other, f"/task/{task_id}/cancel")).json()
    assert view["status"] == "cancelled"
    gate.set()
    for each in running:
        assert (await events(it.url, each))[-1].data["status"] == "completed"
    assert statuses(await events(it.url, task_id)) == ["pending", "cancelled"]
    assert it.model.started["plan", ""] == len(running)


async def test_a_budget_holds_wherever_the_task_runs(prepare: Prepare) -> None:
    it = prepare(plan_and_files(FILES))
    answer = await post(it.url, "/generate", BODY | {"max_tokens": 10})
    heard = await events(it.url, answer.json()["task_id"])
    assert heard[-1].data["code"] == "BUDGET_EXCEEDED"
    assert not it.model.requests


async def test_each_status_is_delivered_once(prepare: Prepare) -> None:
    """Three workers deliver."""
    it = prepare(plan_and_files(FILES))
    tasks = [await submitted(it.url, it.hooks.url, f"hello-{number}") for number in range(4)]
    for task_id in tasks:
        assert (await delivered(it.other, task_id))["state"] == "open"
    for task_id in tasks:
        told = [seen.json["data"] for seen in it.hooks.seen if seen.json["data"]["task_id"] == task_id]
        assert [one["status"] for one in told] == STEPS


async def _call(url: str, name: str, **arguments: Any) -> dict[str, Any]:
    message = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": name, "arguments": arguments},
    }
    async with client(url) as http:
        accepts = {"Accept": "application/json, text/event-stream"}
        answer = (await http.post("/mcp", json=message, headers=accepts)).json()
    return dict(answer["result"]["structuredContent"])


async def test_an_assistant_may_reach_another_process_with_each_call(prepare: Prepare) -> None:
    it = prepare(plan_and_files(FILES))
    task_id = (await _call(it.one, "generate", **BODY))["task_id"]
    now = await _call(it.other, "status", task_id=task_id, wait_seconds=30)
    assert now["status"] == "completed"
    read = await _call(it.one, "files", task_id=task_id, path="app.py")
    assert read["text"] == FILES["app.py"]


async def test_the_command_line_follows_through_the_proxy(prepare: Prepare, tmp_path_factory: Any) -> None:
    gates = {path: anyio.Event() for path in FILES}
    it = prepare(plan_and_files(FILES, gates=gates))
    task_id = await submit(it.url)
    folder = tmp_path_factory.mktemp("cli")
    async with gencode(folder, it.url, "watch", task_id, "--json") as process:
        told = []
        async for line in lines(process):
            told.append(json.loads(line))
            if told[-1]["event"] == "plan":
                for gate in gates.values():
                    gate.set()
        assert await process.wait() == 0
    ids = [event["id"] for event in told if event["id"]]
    assert ids == list(range(1, len(ids) + 1))
    assert told[-1]["data"]["status"] == "completed"


async def test_all_processes_serve_the_same_page(shared: Shared) -> None:
    async with client(shared.one) as one, client(shared.other) as other:
        for path in ("/", "/openapi.json", "/api/v1/kinds", "/docs"):
            answers = [await http.get(path) for http in (one, other)]
            assert {answer.status_code for answer in answers} == {200}, path
            assert answers[0].content.replace(shared.one.encode(), b"") == answers[1].content.replace(
                shared.other.encode(), b""
            )
            assert answers[0].headers.get("etag") == answers[1].headers.get("etag")
