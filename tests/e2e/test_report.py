"""The report of a task: of one that completed, and of one that failed and was retried."""

from __future__ import annotations

import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from gencode.client import Client
from gencode.llm.prices import Price
from gencode.pipelines.generate.api import report_and_bundle
from tests.e2e.test_retry import FILES, Account
from tests.servers.calls import get, post, submit
from tests.servers.github import github_server
from tests.servers.model import USAGE, model_server, plan_and_files
from tests.servers.service import environment, running_app, service, settings
from tests.servers.stream import events

PRICES = {"scripted": Price(prompt=Decimal(1), completion=Decimal(2))}
STAGES = ["pending", "generating", "merging_files", "creating_repo", "pushing", "completed"]


async def report(url: str, task_id: str) -> dict[str, Any]:
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.get(f"{url}/api/v1/task/{task_id}/report")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_it_describes_a_failure_and_then_the_whole_task(tmp_path: Path) -> None:
    account = Account()
    async with (
        model_server(plan_and_files(FILES, replace=account)) as model,
        github_server(tmp_path / "github") as github,
        running_app(settings(tmp_path, model, github, files_at_once=1, prices=PRICES)) as app,
        Client(app.url) as client,
    ):
        task_id = (await client.submit("say hello", "hello"))["task_id"]
        last = (await events(app.url, task_id))[-1].id
        failed = await report(app.url, task_id)
        assert (failed["status"], failed["commit"], failed["retries"], failed["calls"]) == (
            *("failed", None, 0),
            2,
        )
        assert [failure["code"] for failure in failed["failures"]] == ["LLM_BALANCE"]
        written = {file["path"]: file["bytes"] for file in failed["files"]}
        assert written == dict.fromkeys(FILES) | {"app.py": len(FILES["app.py"])}

        account.empty = False
        await client.retry(task_id)
        heard = await events(app.url, task_id, after=last)
        done = await report(app.url, task_id)
    assert (done["status"], done["commit"]) == ("completed", heard[-1].data["commit"])
    assert [file["path"] for file in done["plan"]["files"]] == list(FILES)
    assert {file["path"]: file["bytes"] for file in done["files"]} == {p: len(t) for p, t in FILES.items()}
    assert all(file["calls"] == 1 and file["tokens"]["prompt"] == USAGE.prompt for file in done["files"])
    calls = 1 + len(FILES)
    assert (done["calls"], done["retries"], done["resumed"], len(done["failures"])) == (calls, 1, 1, 1)
    assert done["usage"] == {
        "prompt": calls * USAGE.prompt,
        "completion": calls * USAGE.completion,
        "cached": calls * USAGE.cached,
        "estimated": False,
        "cost": f"{Decimal(calls * (USAGE.prompt + 2 * USAGE.completion)) / 10**6:.6f}",
    }
    assert [stage["status"] for stage in done["stages"]] == [*STAGES[:2], "failed", *STAGES[1:]]
    assert [stage["seconds"] for stage in done["stages"]][-1] is None
    assert all(stage["seconds"] >= 0 for stage in done["stages"][:-1])


async def test_it_exists_from_the_start(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path)) as app, Client(app.url) as client:
        task_id = (await client.submit("a static page", "page"))["task_id"]
        first = await report(app.url, task_id)
        assert first["stages"][0]["status"] == "pending"
        await events(app.url, task_id)
        assert (await report(app.url, task_id))["status"] == "completed"


@pytest.mark.parametrize("what", ["report", "bundle"])
async def test_it_is_made_outside_of_the_event_loop(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads a whole project, which would delay every stream."""
    inner, where = getattr(report_and_bundle, f"make_{what}"), set()

    def make(*arguments: Any) -> Any:
        where.add(threading.current_thread())
        return inner(*arguments)

    monkeypatch.setattr(report_and_bundle, f"make_{what}", make)
    async with running_app(settings(tmp_path)) as app, Client(app.url) as client:
        task_id = (await client.submit("a static page", "page"))["task_id"]
        await events(app.url, task_id)
        await get(app.url, f"/api/v1/task/{task_id}/{what}")
    assert where
    assert threading.main_thread() not in where


async def test_a_call_that_a_kill_cut_off_is_charged_although_the_task_makes_no_other(tmp_path: Path) -> None:
    """Two tasks are killed in their only file. The older one then keeps the only worker, and the other one is
    cancelled."""
    prices = '{"scripted": {"prompt": "1000", "completion": "2000"}}'
    async with model_server(plan_and_files({"app.py": ""}, gates={"app.py": anyio.Event()})) as model:
        variables = environment(model, PRICES=prices, MAX_OUTPUT_TOKENS="1000")
        async with service(tmp_path, variables) as served:
            _, task = [await submit(served.url, name) for name in ("one", "two")]
            while model.started["file", "app.py"] < 2:
                await anyio.sleep(0.01)
            await served.kill()
        async with service(tmp_path, variables | {"MAX_CONCURRENT_TASKS": "1"}) as served:
            assert (await post(served.url, f"/task/{task}/cancel")).json()["status"] == "cancelled"
            log = await events(served.url, task)
            found = await report(served.url, task)
    plan, lost = [event.data["tokens"] for event in log if event.kind == "usage"]
    assert (lost["completion"], lost["estimated"]) == (1000, True)
    prompt, completion = (plan[name] + lost[name] for name in ("prompt", "completion"))
    assert found["usage"] == {
        "prompt": prompt,
        "completion": completion,
        "cached": USAGE.cached,
        "estimated": True,
        "cost": f"{Decimal(prompt + 2 * completion) / 1000:.6f}",
    }
    assert (found["calls"], found["status"]) == (2, "cancelled")
