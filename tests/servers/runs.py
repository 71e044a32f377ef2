"""Whole runs of the generate pipeline in the test's loop: a scripted model, a scripted GitHub, real sockets.

async with house(tmp_path, plan_and_files({"a.py": "x = 1\\n"})) as its:
    task = await its.run()
    assert await its.pushed() == {"a.py": b"x = 1\\n"}
"""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio

from gencode.engine.manager import Manager
from gencode.engine.runner import Runner
from gencode.event import Event
from gencode.hosts.github import GitHub
from gencode.hosts.wire import http_client
from gencode.hubs.memory import MemoryHub
from gencode.metrics import Metrics
from gencode.pipelines.generate.artifacts import Plan
from gencode.pipelines.generate.asking import Askers
from gencode.pipelines.generate.checking import Finding
from gencode.pipelines.generate.committed_report import Reporter
from gencode.pipelines.generate.gate import Check, Gate
from gencode.pipelines.generate.generating import Generating
from gencode.pipelines.generate.merging_files import Merging
from gencode.pipelines.generate.pipeline import Generate
from gencode.pipelines.generate.recall import Mode, Recall
from gencode.pipelines.generate.writing import Limits
from gencode.providers.quirks import Quirks
from gencode.retry import Retry
from gencode.store import Query, Store
from gencode.stores.memory import MemoryStore
from gencode.task import Task
from tests.servers.asking import client_of
from tests.servers.githttp import git_environment
from tests.servers.github import TOKEN, ScriptedGitHub, github_server
from tests.servers.model import ModelServer, Script, model_server
from tests.unit.stores.samples import a_task

NATIVE = Quirks(prefix="deepseek")
IN_WORDS = Quirks(prefix="none")


@dataclass(kw_only=True)
class House:
    """What runs, and what a test looks at. `waits`: the seconds that retries would have slept."""

    model: ModelServer
    github: ScriptedGitHub
    store: Store
    hub: MemoryHub
    manager: Manager
    waits: list[float] = field(default_factory=list)

    async def submit(self, *, client: str = "alice", **request: Any) -> Task:
        asked = {"prompt": "say hello", "repo_name": "hello", "model": "test", "private": True, **request}
        return await self.manager.submit(a_task(client=client, request=asked))

    async def run(self, **request: Any) -> Task:
        """Submit, and wait until it is over."""
        task = await self.submit(**request)
        await self.heard(task)
        return await self.task(task)

    async def heard(self, task: Task) -> bytes:
        """The task's whole stream, to its end."""
        return b"".join([chunk async for chunk in self.hub.subscribe(task.id, deltas=True)])

    async def task(self, task: Task) -> Task:
        (found,) = await self.store.find(Query(id=task.id))
        return found

    async def events(self, task: Task, kind: str) -> list[Event]:
        return [event for event in await self.store.events(task.id) if event.kind == kind]

    async def code(self, **request: Any) -> str:
        """Run to a failure; its code."""
        task = await self.run(**request)
        assert task.failure is not None, task.status
        return task.failure.code

    def calls(self, kind: str = "file") -> int:
        return sum(count for (what, _), count in self.model.started.items() if what == kind)

    async def pushed(self, name: str = "hello") -> dict[str, bytes]:
        """Every file of the head's tree, by plain Git."""
        path = self.github.git.path(self.github.login, name)
        names = await self._git(path, "ls-tree", "-r", "-z", "--name-only", "main")
        return {
            name: await self._git(path, "cat-file", "blob", f"main:{name}")
            for name in names.decode().split("\0")
            if name
        }

    async def _git(self, path: Path, *arguments: str) -> bytes:
        done = await anyio.run_process(
            ["git", *arguments], cwd=path, env=git_environment(path), stderr=subprocess.PIPE
        )
        return done.stdout

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


async def no_check(files: Mapping[str, str], plan: Plan) -> tuple[Finding, ...]:
    return ()


async def nothing_to_say(path: str, text: str) -> tuple[str, ...]:
    return ()


@asynccontextmanager
async def house(
    folder: Path,
    script: Script,
    *,
    quirks: Quirks = NATIVE,
    limits: Limits | None = None,
    store: Store | None = None,
    check: Check = no_check,
    recall: Mode = "off",
    **client_options: Any,
) -> AsyncIterator[House]:
    """A manager at work on one pipeline. Given a `store` of an earlier house, it goes on from there."""
    store = store or MemoryStore()
    hub, metrics = MemoryHub(store), Metrics()
    async with (
        model_server(script) as model,
        github_server(folder / "github") as github,
        client_of(model.base_url, quirks=quirks, **client_options) as provider,
        http_client(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)) as client,  # loading certificates takes long
        anyio.create_task_group() as tg,
    ):
        its = House(model=model, github=github, store=store, hub=hub, manager=None)  # type: ignore[arg-type]
        retry = Retry(sleep=its.sleep)
        host = GitHub(github.api_url, TOKEN, client, retry, metrics=metrics, spacing=0)
        askers = Askers(lambda name: provider, retry, metrics, {})
        recalling = Recall(store, recall, "settings", threshold=0.9)
        generating = Generating(askers, nothing_to_say, limits or Limits(), recall=recalling)
        gate = Gate(check, nothing_to_say, limits or Limits())
        merging = Merging(askers, gate, "gencode <gencode@localhost>", Reporter(store))
        pipeline = Generate(generating, merging, host)
        runner = Runner(store, [pipeline], metrics, timeout=60)
        its.manager = Manager(runner, store, hub, metrics, concurrency=2, waiting=10)
        await tg.start(its.manager.run)
        yield its
        tg.cancel_scope.cancel()
