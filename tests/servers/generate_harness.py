"""Runs the generate pipeline in the test's event loop: a scripted model, a scripted GitHub, real sockets.

async with generate_harness(tmp_path, plan_and_files({"a.py": "x = 1\\n"})) as harness:
    task = await harness.run()
    assert await harness.pushed() == {"a.py": b"x = 1\\n"}
"""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio

from gencode.codegen.file_generator import WritingLimits
from gencode.codegen.plan import Plan
from gencode.codegen.repair_loop import RepairLoop, Validate
from gencode.codegen.secrets_scan import SecretFinding, scan
from gencode.codegen.validation.findings import Finding
from gencode.domain.event import Event
from gencode.domain.task import Task
from gencode.engine.executor import TaskExecutor
from gencode.engine.ports.store import Store, TaskQuery
from gencode.engine.service import TaskService
from gencode.githosts.connection_options import HostOptions
from gencode.githosts.github import github_host
from gencode.githosts.http_client import http_client
from gencode.hub.in_process import InProcessHub
from gencode.llm.openai.quirks import Quirks
from gencode.llm.session import LLMSessionFactory
from gencode.observability.metrics import Metrics
from gencode.outbound.transport import Outbound
from gencode.pipelines.generate.committed_report import Reporter
from gencode.pipelines.generate.generating import Generating
from gencode.pipelines.generate.merging_files import Merging
from gencode.pipelines.generate.pipeline import Generate
from gencode.pipelines.generate.prompt_cache import Mode, PromptCache
from gencode.queue.in_process import FairQueue
from gencode.resilience.retry import Retry
from gencode.storage.memory import MemoryStore
from tests.servers.githttp import git_environment
from tests.servers.github import TOKEN, ScriptedGitHub, github_server
from tests.servers.model import ModelServer, Script, model_server
from tests.servers.model_client import opening, provider_for
from tests.unit.storage.samples import a_task

NO_CERTIFICATES = Outbound(tls=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))  # loading the roots takes long
NATIVE = Quirks(prefix="deepseek")
INSTRUCTED = Quirks(prefix="none")


@dataclass(kw_only=True)
class GenerateHarness:
    """A task service with one pipeline, and its servers. `waits`: seconds for which retries would have
    slept."""

    model: ModelServer
    github: ScriptedGitHub
    store: Store
    hub: InProcessHub
    task_service: TaskService
    pipeline: Generate
    waits: list[float] = field(default_factory=list)

    async def submit(self, *, client: str = "alice", **fields: Any) -> Task:
        request = {"prompt": "say hello", "repo_name": "hello", "model": "test", "private": True, **fields}
        parameters = {name: value for name, value in request.items() if name != "prompt"}
        return await self.task_service.submit(a_task(client, parameters=parameters), request)

    async def run(self, **request: Any) -> Task:
        """Submit, and wait until the task is over."""
        task = await self.submit(**request)
        await self.stream_of(task)
        return await self.task(task)

    async def stream_of(self, task: Task) -> bytes:
        """The whole stream of the task, to its end."""
        return b"".join([chunk async for chunk in self.hub.subscribe(task.id, live=True)])

    async def task(self, task: Task) -> Task:
        (found,) = await self.store.find(TaskQuery(id=task.id))
        return found

    async def restored(self, task: Task, checkpoints: Mapping[str, str]) -> Any:
        """The artifact that the pipeline makes from these checkpoints."""
        request = {**await self.store.request(task.id), **task.parameters}
        return self.pipeline.restore(task, request, checkpoints)

    async def events(self, task: Task, kind: str) -> list[Event]:
        return [event for event in await self.store.events(task.id) if event.kind == kind]

    async def code(self, **request: Any) -> str:
        """Run until the task fails; its error code."""
        task = await self.run(**request)
        assert task.failure is not None, task.status
        return task.failure.code

    def calls(self, kind: str = "file") -> int:
        return sum(count for (what, _), count in self.model.started.items() if what == kind)

    async def pushed(self, name: str = "hello") -> dict[str, bytes]:
        """Every file in the tree of the head, read with plain Git."""
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


async def no_check(files: Mapping[str, str], plan: Plan) -> tuple[Finding, ...]:
    return ()


async def no_signatures(path: str, text: str) -> tuple[str, ...]:
    return ()


async def scan_here(files: Mapping[str, str], message: str, own: Sequence[str]) -> list[SecretFinding]:
    """As `ProjectChecker.scan`, without a process."""
    return scan(files, message, own)


@asynccontextmanager
async def generate_harness(
    folder: Path,
    script: Script,
    *,
    quirks: Quirks = NATIVE,
    limits: WritingLimits | None = None,
    store: Store | None = None,
    check: Validate = no_check,
    prompt_cache: Mode = "off",
    **client_options: Any,
) -> AsyncIterator[GenerateHarness]:
    """A running task service with one pipeline. With the `store` of an earlier harness it resumes the tasks
    there."""
    store = store or MemoryStore()
    hub, metrics = InProcessHub(store), Metrics()
    async with (
        model_server(script) as model,
        github_server(folder / "github") as github,
        provider_for(model.base_url, quirks=quirks, **client_options) as provider,
        http_client(NO_CERTIFICATES) as client,
        anyio.create_task_group() as tg,
    ):
        waits: list[float] = []

        async def sleep(seconds: float) -> None:
            waits.append(seconds)

        retry = Retry(sleep=sleep)
        options = HostOptions(retry=retry, metrics=metrics, spacing=0)
        host = github_host(github.api_url, TOKEN, client, options)
        sessions = LLMSessionFactory(opening(provider), retry, metrics)
        cache = PromptCache(store, prompt_cache, "settings", threshold=0.9)
        generating = Generating(sessions, no_signatures, limits or WritingLimits(), prompt_cache=cache)
        repair_loop = RepairLoop(check, no_signatures, limits or WritingLimits())
        merging = Merging(sessions, repair_loop, scan_here, "gencode <gencode@localhost>", Reporter(store))
        pipeline = Generate(generating, merging, host)
        executor = TaskExecutor(store, {"generate": pipeline}, metrics, timeout=60)
        task_service = TaskService(executor, store, hub, FairQueue(10), metrics, concurrency=2)
        await tg.start(task_service.run)
        yield GenerateHarness(
            model=model,
            github=github,
            store=store,
            hub=hub,
            task_service=task_service,
            pipeline=pipeline,
            waits=waits,
        )
        tg.cancel_scope.cancel()
