"""One cluster for all tests of a module: its start takes seconds."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from tests.servers.cluster import Cluster, cluster
from tests.servers.github import ScriptedGitHub, github_server
from tests.servers.model import ModelServer, Script, model_server, plan_and_files
from tests.servers.postgres import MISSING, PostgresServer, is_installed, running_postgres
from tests.servers.receiver import Receiver, receiver
from tests.servers.service import environment

SETTINGS = {
    "MAX_CONCURRENT_TASKS": "2",
    "RATE_LIMIT": "100000/minute",
    "WEBHOOK_ALLOW_NETWORKS": "127.0.0.1/32",
    "WEBHOOK_ALLOW_HTTP": "true",
    "FILES_AT_ONCE": "1",
}


@dataclass(frozen=True, kw_only=True)
class Shared:
    cluster: Cluster
    model: ModelServer
    github: ScriptedGitHub
    hooks: Receiver
    postgres: PostgresServer

    @property
    def url(self) -> str:
        return self.cluster.url

    @property
    def one(self) -> str:
        """A web process, without the proxy."""
        return self.cluster.webs[0].url

    @property
    def other(self) -> str:
        return self.cluster.webs[1].url


Prepare = Callable[[Script], Shared]
"""Resets the servers: the model answers by this script from now on."""


@asynccontextmanager
async def _started(folder: Path) -> AsyncIterator[Shared]:
    with running_postgres() as postgres:
        async with (
            model_server(plan_and_files({})) as model,
            github_server(folder / "github") as github,
            receiver() as hooks,
            cluster(folder, postgres.create_database(), environment(model, github, **SETTINGS)) as it,
        ):
            yield Shared(cluster=it, model=model, github=github, hooks=hooks, postgres=postgres)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shared]:
    """With a database server of its own, which a test may stop. pytest-asyncio ends a fixture in another task
    than it began, which task groups do not allow."""
    if not is_installed():
        pytest.skip(MISSING)
    made: asyncio.Future[Shared] = asyncio.get_running_loop().create_future()
    over = asyncio.Event()

    async def hold() -> None:
        async with _started(tmp_path_factory.mktemp("cluster")) as it:
            made.set_result(it)
            await over.wait()

    holder = asyncio.create_task(hold())
    await asyncio.wait([made, holder], return_when=asyncio.FIRST_COMPLETED)
    if not made.done():
        holder.result()
    yield made.result()
    over.set()
    await holder


@pytest.fixture
def prepare(shared: Shared, tmp_path: Path) -> Prepare:
    def prepared(script: Script) -> Shared:
        shared.model.reset(script)
        shared.github.reset(tmp_path)
        shared.hooks.seen.clear()
        return shared

    return prepared


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The hook gets the tests of all folders."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.campaign)
    if os.environ.get("CLUSTER") != "all":
        skip = pytest.mark.skip(reason="left to `make test-cluster`")
        for item in items:
            if item.get_closest_marker("slow"):
                item.add_marker(skip)
