"""Row 64: kill -9 between any two steps of a task; a later process resumes it, and nothing happens twice."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from gencode.domain.task import Task
from gencode.engine.ports.store import TaskQuery
from gencode.storage.sqlite.store import open_sqlite
from tests.servers.calls import FILES, submit
from tests.servers.github import ScriptedGitHub, github_server
from tests.servers.model import Call, ModelServer, model_server, plan_and_files
from tests.servers.service import Service, environment, service
from tests.servers.stream import events

CALLS = [("plan", ""), ("file", "app.py"), ("file", "README.md")]


@asynccontextmanager
async def killed_at_the_plan(folder: Path) -> AsyncIterator[tuple[Service, str, ModelServer, ScriptedGitHub]]:
    """A service that was killed while it waited for the plan, its task, and the servers that it uses."""
    gate = anyio.Event()
    async with (
        model_server(plan_and_files(FILES, gates={"": gate})) as model,
        github_server(folder / "github") as github,
        service(folder, environment(model, github, FILES_AT_ONCE="1")) as process,
    ):
        task_id = await submit(process.url)
        await model.arrival("plan")
        await process.kill()
        gate.set()
        yield process, task_id, model, github


class StoredCalls:
    """Reads the checkpoints that each killed process left: their model calls must never be made again."""

    def __init__(self, process: Service, model: ModelServer) -> None:
        self._process = process
        self._model = model
        self._paid: dict[Call, int] = {}

    async def task(self) -> Task:
        """The task as the last process left it."""
        async with open_sqlite(self._process.data_dir / "gencode.db") as store:
            (task,) = await store.find(TaskQuery())
            checkpoints = await store.checkpoints(task.id)
        self.check()
        for call in map(call_of_checkpoint, checkpoints):
            if call in self._model.completed:
                self._paid.setdefault(call, self._model.started[call])
        return task

    def check(self) -> None:
        assert self._paid == {call: self._model.started[call] for call in self._paid}

    @property
    def paid(self) -> set[Call]:
        return set(self._paid)


def call_of_checkpoint(part: str) -> Call:
    """The model call whose answer is in a checkpoint."""
    kind, _, rest = part.partition(":")
    return ("file", rest.partition(":")[2]) if kind == "piece" else (kind, "")


async def check_finished(process: Service, task_id: str, github: ScriptedGitHub, lives: int) -> None:
    """There must be one repository, one head, and one log without gaps."""
    heard = await events(process.url, task_id)
    assert [event.id for event in heard] == list(range(1, len(heard) + 1))
    assert heard[-1].data["status"] == "completed"
    steps = [event.data["status"] for event in heard if event.kind == "status"]
    assert steps == ["pending", "generating", "merging_files", "creating_repo", "pushing", "completed"]
    assert sum(event.kind == "resumed" for event in heard) == lives
    assert await github.head("hello") == heard[-1].data["commit"]
    assert github.effects == {"create": 1, "push": 1}


@pytest.mark.long
@pytest.mark.fault(64)
@pytest.mark.one_process("it is killed at a moment within")
async def test_killed_after_each_of_its_commits_the_task_still_completes(tmp_path: Path) -> None:
    """Row 64: each process gets one step further, and no answered model call is made again."""
    async with killed_at_the_plan(tmp_path) as (process, task_id, model, github):
        ledger, reached = StoredCalls(process, model), []
        while not (task := await ledger.task()).state.is_terminal:
            reached.append(task)
            await process.launch(failpoint="commit.after:2")  # the first one counts the attempt
            assert await process.ended() == -signal.SIGKILL
        assert {task.status for task in reached} == {
            "generating",
            "merging_files",
            "creating_repo",
            "pushing",
        }
        assert len({task.sequence for task in reached}) == len(reached)
        await process.start()
        await check_finished(process, task_id, github, lives=len(reached))
        ledger.check()
        assert ledger.paid == set(CALLS)


@pytest.mark.long
@pytest.mark.fault(64)
@pytest.mark.one_process("it is killed at a moment within")
async def test_killed_around_each_outside_effect_it_happens_once(tmp_path: Path) -> None:
    """Row 64: before and after the repository is created, before and after the push, and when an answer has
    come that is in no checkpoint yet."""
    failpoints = ["answer.after:2", "repo.before:1", "repo.after:1", "push.before:1", "push.after:1"]
    async with killed_at_the_plan(tmp_path) as (process, task_id, model, github):
        ledger = StoredCalls(process, model)
        for failpoint in failpoints:
            await process.launch(failpoint)
            assert await process.ended() == -signal.SIGKILL
            await ledger.task()
        await process.start()
        await check_finished(process, task_id, github, lives=len(failpoints) + 1)
        ledger.check()
        assert ledger.paid == set(CALLS)
