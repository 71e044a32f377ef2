"""Plans that a person approves first: no file is written before, and the approved plan is what is written."""

from __future__ import annotations

import signal
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from gencode.llm.prices import Price
from tests.servers.calls import BODY, client, get, post
from tests.servers.github import github_server
from tests.servers.model import ModelServer, http_error, model_server, plan_and_files
from tests.servers.service import Service, environment, running_app, service, settings
from tests.servers.stream import ReceivedEvent, events, subscribed

FILES = {"app.py": "x = 1\n", "README.md": "# Hello\n"}
MORE = FILES | {"tool.py": "y = 2\n"}


def script() -> Any:
    """The model plans FILES, and can write MORE."""
    plan = {"summary": "a project", "files": [{"path": path, "purpose": "p"} for path in FILES]}
    return plan_and_files(MORE, plan=plan)


async def submitted(url: str) -> str:
    answer = await post(url, "/generate", BODY | {"approve_plan": True})
    assert answer.status_code == 202
    return str(answer.json()["task_id"])


async def paused(url: str, task: str) -> ReceivedEvent:
    async with subscribed(url, task) as stream:
        return await stream.until("approval")


async def put(url: str, task: str, json: Any, **headers: str) -> httpx.Response:
    async with client(url) as http:
        return await http.put(f"/api/v1/task/{task}/plan", json=json, headers=headers)


def requested_files(model: ModelServer) -> set[str]:
    return {path for kind, path in model.started if kind == "file"}


async def test_changes_of_a_plan_count_against_the_rate_limit(tmp_path: Path) -> None:
    """Each change is an event with the whole plan, which is never deleted."""
    async with (
        model_server(script()) as model,
        github_server(tmp_path / "github") as github,
        running_app(settings(tmp_path, model, github, rate_limit="2/hour")) as app,
    ):
        task = await submitted(app.url)
        await paused(app.url, task)
        changed = [await put(app.url, task, {"files": [{"path": "app.py"}]}) for _ in range(2)]
        assert [answer.status_code for answer in changed] == [200, 429]
        assert [answer.headers["ratelimit-remaining"] for answer in changed] == ["0", "0"]
        assert (await get(app.url, f"/api/v1/task/{task}/plan"))["revision"] == 2


async def test_the_changed_and_approved_plan_is_written(tmp_path: Path) -> None:
    async with (
        model_server(script()) as model,
        github_server(tmp_path / "github") as github,
        running_app(settings(tmp_path, model, github)) as app,
    ):
        task = await submitted(app.url)
        async with subscribed(app.url, task) as stream:
            approval = await stream.until("approval")
            assert approval.data["awaiting_approval"] is True
            assert (approval.data["status"], approval.data["approve_by"] > approval.data["at"]) == (
                *("generating", True),
            )
            view = await get(app.url, f"/api/v1/task/{task}")
            assert (view["status"], view["awaiting_approval"]) == ("generating", True)
            assert (view["approve_by"], view["message"]) == (
                approval.data["approve_by"],
                approval.data["message"],
            )
            assert requested_files(model) == set()

            shown = await get(app.url, f"/api/v1/task/{task}/plan")
            assert [file["path"] for file in shown["files"]] == list(FILES)
            tool = {"path": "tool.py", "purpose": "a tool", "lines": 3}
            files = [{"path": "app.py", "needs": ["tool.py"]}, tool]
            one = await put(app.url, task, {"files": files}, **{"If-Match": '"1"'})
            assert (one.status_code, one.headers["etag"], one.json()["revision"]) == (200, '"2"', 2)
            other = await put(app.url, task, {"files": [tool]}, **{"If-Match": '"1"'})
            assert (other.status_code, other.json()["code"]) == (412, "PLAN_CHANGED")
            stale = await post(app.url, f"/task/{task}/approve", **{"If-Match": '"1"'})
            assert (stale.status_code, stale.json()["code"]) == (412, "PLAN_CHANGED")
            assert await get(app.url, f"/api/v1/task/{task}/plan") == one.json()

            answers: list[httpx.Response] = []

            async def click() -> None:
                answers.append(await post(app.url, f"/task/{task}/approve"))

            async with anyio.create_task_group() as tg:
                for _ in range(3):
                    tg.start_soon(click)
            assert [answer.status_code for answer in answers] == [202] * 3
            heard = await stream.rest()
        assert [event.id for event in heard] == list(range(1, len(heard) + 1))
        assert heard[-1].data["status"] == "completed"
        kinds = [event.kind for event in heard]
        assert (kinds.count("plan"), kinds.count("approval"), kinds.count("approved")) == (2, 1, 1)
        assert requested_files(model) == {"app.py", "tool.py"}
        assert set(model.completed.values()) == {1}
        listed = await get(app.url, f"/api/v1/task/{task}/files")
        assert [file["path"] for file in listed["files"]] == ["app.py", "tool.py"]
        assert await github.head("hello") == heard[-1].data["commit"]
        report = await get(app.url, f"/api/v1/task/{task}/report")
        (told,) = report["approvals"]
        assert (told["revision"], told["asked"] <= told["approved"]) == (2, True)
        late = await post(app.url, f"/task/{task}/approve")
        assert (late.status_code, late.json()["status"]) == (202, "completed")
        refused = await put(app.url, task, {"files": files})
        assert (refused.status_code, refused.json()["code"]) == (409, "ALREADY_OVER")


@pytest.mark.parametrize("price", [None, Price(prompt=Decimal(1000), completion=Decimal(2000))])
async def test_a_plan_that_waits_has_an_estimate_of_what_follows(price: Price | None, tmp_path: Path) -> None:
    files = [{"path": "app.py", "lines": 100}, {"path": "README.md"}]
    prices = {"scripted": price} if price else {}
    async with (
        model_server(plan_and_files(FILES, plan={"summary": "s", "files": files})) as model,
        github_server(tmp_path / "github") as github,
        running_app(settings(tmp_path, model, github, prices=prices)) as app,
    ):
        task = await submitted(app.url)
        told = (await paused(app.url, task)).data["estimate"]
        assert told["model"] == "scripted"
        assert told["completion_tokens"] == {"low": 100 * 7 + 300, "high": 100 * 14 + 1200}
        assert 200 < told["prompt_tokens"] < 2000
        assert "planned lines" in told["basis"]
        costs = [told["prompt_tokens"] + 2 * tokens for tokens in (1000, 2600)]
        shown_costs = {"low": f"{costs[0] / 1000:.6f}", "high": f"{costs[1] / 1000:.6f}"}
        assert told["cost"] == (shown_costs if price else None)
        assert (await get(app.url, f"/api/v1/task/{task}/plan"))["estimate"] == told
        smaller = (await put(app.url, task, {"files": [{"path": "app.py", "lines": 10}]})).json()["estimate"]
        assert smaller["completion_tokens"] == {"low": 70, "high": 140}
        assert smaller["prompt_tokens"] < told["prompt_tokens"]
        assert (await post(app.url, f"/task/{task}/approve")).status_code == 202
        await events(app.url, task)
        assert (await get(app.url, f"/api/v1/task/{task}/plan"))["estimate"] is None


WRONG: list[tuple[Any, list[str]]] = [
    ({"files": []}, ["files"]),
    ({"files": [{"path": "a", "other": 1}]}, ["files.0.other"]),
    ({"files": [{"path": ""}], "more": 1}, ["files.0.path", "more"]),
    ({"files": [{"path": "../a"}, {"path": "b", "needs": ["c"]}]}, ["files.0.path", "files.1.needs.0"]),
    ({"files": [{"path": "a"}, {"path": "a"}]}, ["files.1.path"]),
    ({"files": [{"path": "a", "purpose": "x" * 2001}]}, ["files.0.purpose"]),
    ({"files": [{"path": "a", "lines": -1}], "summary": 1}, ["files.0.lines", "summary"]),
    ([], ["body"]),
]


async def test_a_wrong_plan_is_refused_field_by_field_and_changes_nothing(tmp_path: Path) -> None:
    async with model_server(script()) as model, running_app(settings(tmp_path, model)) as app:
        task = await submitted(app.url)
        await paused(app.url, task)
        before = await get(app.url, f"/api/v1/task/{task}/plan")
        for body, fields in WRONG:
            answer = await put(app.url, task, body)
            assert answer.status_code == 422, body
            assert [broken["field"] for broken in answer.json()["errors"]] == fields
        assert await get(app.url, f"/api/v1/task/{task}/plan") == before


async def test_only_a_task_that_awaits_approval_can_be_approved(tmp_path: Path) -> None:
    gate = anyio.Event()
    files = plan_and_files(FILES, gates={"": gate})
    async with model_server(files) as model, running_app(settings(tmp_path, model)) as app:
        task = str((await post(app.url, "/generate", BODY)).json()["task_id"])
        await model.arrival("plan")
        early = [
            await post(app.url, f"/task/{task}/approve"),
            await put(app.url, task, {"files": [{"path": "a"}]}),
        ]
        assert [(answer.status_code, answer.json()["code"]) for answer in early] == [(409, "NOT_HELD")] * 2
        async with client(app.url) as http:
            assert (await http.get(f"/api/v1/task/{task}/plan")).status_code == 404
            unknown = await http.request("DELETE", f"/api/v1/task/{task}/plan")
            assert sorted(unknown.headers["allow"].split(", ")) == ["GET", "HEAD", "PUT"]
        gate.set()
        await events(app.url, task)
        done = await post(app.url, f"/task/{task}/approve")
        assert (done.status_code, done.json()["code"]) == (409, "ALREADY_OVER")


async def test_a_task_that_awaits_approval_can_be_cancelled(tmp_path: Path) -> None:
    async with model_server(script()) as model, running_app(settings(tmp_path, model)) as app:
        task = await submitted(app.url)
        await paused(app.url, task)
        view = (await post(app.url, f"/task/{task}/cancel")).json()
        assert (view["status"], view["awaiting_approval"], view["approve_by"]) == ("cancelled", False, None)
        assert (await events(app.url, task))[-1].data["status"] == "cancelled"
        refused = await post(app.url, f"/task/{task}/approve")
        assert (refused.status_code, refused.json()["code"]) == (409, "ALREADY_OVER")


async def test_an_approval_expires_and_a_retry_awaits_it_again(tmp_path: Path) -> None:
    chosen = {"approval_timeout": 0.2}
    async with model_server(script()) as model, running_app(settings(tmp_path, model, **chosen)) as app:
        task = await submitted(app.url)
        heard = await events(app.url, task)
        assert heard[-1].data["code"] == "APPROVAL_EXPIRED"
        assert (heard[-1].data["retryable"], heard[-1].data["stage"]) == (True, "generating")
        assert (await post(app.url, f"/task/{task}/retry")).status_code == 202
        again = await events(app.url, task, after=heard[-1].id)
        assert "approval" in [event.kind for event in again]
        assert requested_files(model) == set()
        assert model.completed == {("plan", ""): 1}


# --- kill -9 ----------------------------------------------------------------------------------------


async def finished(process: Service, task: str, model: ModelServer) -> list[ReceivedEvent]:
    heard = await events(process.url, task)
    assert [event.id for event in heard] == list(range(1, len(heard) + 1))
    assert heard[-1].data["status"] == "completed"
    assert set(model.completed.values()) == {1}
    kinds = [event.kind for event in heard]
    assert (kinds.count("approval"), kinds.count("approved")) == (1, 1)
    return heard


@pytest.mark.fault(64)
async def test_a_task_stays_paused_after_each_kill(tmp_path: Path) -> None:
    """Row 64: more kills than a crash loop would count; the changed plan stays."""
    async with (
        model_server(script()) as model,
        github_server(tmp_path / "github") as github,
        service(tmp_path, environment(model, github)) as process,
    ):
        task = await submitted(process.url)
        newest = (await paused(process.url, task)).id
        changed = await put(process.url, task, {"files": [{"path": "tool.py"}]})
        assert changed.status_code == 200
        for _ in range(3):
            await process.kill()
            await process.start()
            view = await get(process.url, f"/api/v1/task/{task}")
            assert (view["awaiting_approval"], view["last_event_id"]) == (True, newest + 1)
            assert await get(process.url, f"/api/v1/task/{task}/plan") == changed.json()
        async with subscribed(process.url, task, after=newest) as stream:
            assert (await post(process.url, f"/task/{task}/approve")).status_code == 202
            await stream.until("status", status="completed")
        await finished(process, task, model)
        assert requested_files(model) == {"tool.py"}


@pytest.mark.fault(64)
@pytest.mark.one_process("it is killed at a moment within")
async def test_killed_at_each_commit_around_the_approval(tmp_path: Path) -> None:
    """Row 64: each process is killed after its first two commits until the task is paused; then the approval
    itself is committed, and the kill comes before anything of it is published."""
    gate = anyio.Event()
    held_plan = plan_and_files(FILES, gates={"": gate})
    async with (
        model_server(held_plan) as model,
        github_server(tmp_path / "github") as github,
        service(tmp_path, environment(model, github)) as process,
    ):
        task = await submitted(process.url)
        await model.arrival("plan")
        await process.kill()
        gate.set()
        for _ in range(2):  # the plan is stored; then the task is paused
            await process.launch("commit.after:2")
            assert await process.ended() == -signal.SIGKILL
        for failpoint in ("commit.before:1", "commit.after:1"):
            await process.start(failpoint)
            assert (await get(process.url, f"/api/v1/task/{task}"))["awaiting_approval"] is True
            with pytest.raises(httpx.HTTPError):
                await post(process.url, f"/task/{task}/approve")
            assert await process.ended() == -signal.SIGKILL
        await process.start()
        again = await post(process.url, f"/task/{task}/approve")
        assert again.status_code == 202
        await finished(process, task, model)
        assert github.effects == {"create": 1, "push": 1}


@pytest.mark.fault(119)
@pytest.mark.parametrize("by", ["http", "mcp"])
async def test_a_retry_counts_against_the_limit_of_paused_tasks_until_the_plan_is_approved(
    tmp_path: Path, by: str
) -> None:
    """Else failed tasks could be made to pause without limit, by retrying them."""
    scripts = {"now": http_error(401, {"message": "no"})}
    async with (
        model_server(lambda body: scripts["now"](body)) as model,
        running_app(settings(tmp_path, model, max_paused_tasks=1)) as app,
    ):
        failed = await submitted(app.url)
        await get(app.url, f"/api/v1/status/{failed}")
        scripts["now"] = script()
        waiting = await submitted(app.url)
        await paused(app.url, waiting)
        assert "QUEUE_FULL" in await retried(app.url, failed, by)
        assert (await get(app.url, f"/api/v1/task/{failed}"))["status"] == "failed"
        assert (await post(app.url, f"/task/{waiting}/cancel")).status_code == 200
        assert "QUEUE_FULL" not in await retried(app.url, failed, by)
        await paused(app.url, failed)


async def retried(url: str, task: str, by: str) -> str:
    if by == "http":
        return (await post(url, f"/task/{task}/retry")).text
    call = {"name": "retry", "arguments": {"task_id": task}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    async with client(url) as http:
        accepts = {"Accept": "application/json, text/event-stream"}
        return (await http.post("/mcp", json=message, headers=accepts)).text
