"""Row 64: kill -9 between any two steps of a task; a later process goes on, and nothing happens twice."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import httpx
import pytest

from gencode.store import Query
from gencode.stores.sqlite import open_sqlite
from gencode.task import Status, Task
from tests.servers.github import ScriptedGitHub, github_server
from tests.servers.model import ModelServer, model_server, plan_and_files
from tests.servers.service import Service, environment, service
from tests.servers.stream import events

FILES = {"app.py": "print('hello')\n", "README.md": "# Hello\n"}
CALLS = [("plan", ""), ("file", "app.py"), ("file", "README.md")]


@asynccontextmanager
async def interrupted(folder: Path) -> AsyncIterator[tuple[Service, str, ModelServer, ScriptedGitHub]]:
    """A service that was killed while it waited for the plan, its task, and the servers it talks to."""
    gate = anyio.Event()
    async with (
        model_server(plan_and_files(FILES, gates={"": gate})) as model,
        github_server(folder / "github") as github,
        service(folder, environment(model, github, FILES_AT_ONCE="1")) as process,
    ):
        body = {"prompt": "say hello", "repo_name": "hello"}
        answer = httpx.post(f"{process.url}/api/v1/generate", json=body)
        await model.arrival("plan")
        await process.kill()
        gate.set()
        yield process, answer.json()["task_id"], model, github


async def left_behind(process: Service) -> Task:
    """The task as a dead process left it."""
    async with open_sqlite(process.data_dir / "gencode.db") as store:
        (task,) = await store.find(Query())
        return task


async def check_finished(process: Service, task_id: str, github: ScriptedGitHub, lives: int) -> None:
    """One repository, one head, one unbroken log."""
    heard = await events(process.url, task_id)
    assert [event.id for event in heard] == list(range(1, len(heard) + 1))
    assert heard[-1].data["status"] == "completed"
    steps = [event.data["status"] for event in heard if event.kind == "status"]
    assert steps == ["pending", "generating", "merging_files", "creating_repo", "pushing", "completed"]
    assert sum(event.kind == "resumed" for event in heard) == lives
    assert await github.head("hello") == heard[-1].data["commit"]
    assert github.effects == {"create": 1, "push": 1}


@pytest.mark.fault(64)
async def test_a_process_that_dies_after_each_of_its_commits_still_ends_the_task(tmp_path: Path) -> None:
    """Row 64: every life gets one step further, and no model call is made again."""
    async with interrupted(tmp_path) as (process, task_id, model, github):
        reached = []
        while not (task := await left_behind(process)).status.is_terminal:
            reached.append((task.status, task.sequence))
            await process.launch(failpoint="commit.after:2")  # the first one counts the attempt
            assert await process.ended() == -signal.SIGKILL
        assert {status for status, _ in reached} == set(Status) - {
            Status.PENDING,
            Status.COMPLETED,
            Status.FAILED,
            Status.CANCELLED,
        }
        assert len({sequence for _, sequence in reached}) == len(reached)
        await process.start()
        await check_finished(process, task_id, github, lives=len(reached))
        assert model.started == dict.fromkeys(CALLS, 1) | {("plan", ""): 2}  # the first was cut off
        assert model.completed == dict.fromkeys(CALLS, 1)


async def die_at(process: Service, failpoints: Iterable[str]) -> None:
    for failpoint in failpoints:
        await process.launch(failpoint)
        assert await process.ended() == -signal.SIGKILL


@pytest.mark.fault(64)
async def test_killed_around_each_outside_effect_it_happens_once(tmp_path: Path) -> None:
    """Row 64: before and after the repository is created, before and after the push; and an answer that
    nobody had kept yet is the one thing that is asked for again."""
    async with interrupted(tmp_path) as (process, task_id, model, github):
        effects = ["repo.before:1", "repo.after:1", "push.before:1", "push.after:1"]
        await die_at(process, ["answer.after:2", *effects])
        await process.start()
        await check_finished(process, task_id, github, lives=6)
        assert model.completed == {("plan", ""): 1, ("file", "app.py"): 2, ("file", "README.md"): 1}
