"""GENCODE_TEST_BACKEND=cluster: tests that know the service by its addresses run it as several processes.

`running_app` makes two web applications and three workers on one database, in the test's event loop, behind
nginx, which gives them the requests in turn; `service` makes as many processes, which are killed and started
together. With the local forge, which is for one process, it is one of both roles on PostgreSQL. A test that
chooses its database, or a moment within one process, is skipped.
"""

from __future__ import annotations

import atexit
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from functools import cache
from pathlib import Path

import anyio
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette

from gencode.bootstrap.app import build_app
from gencode.bootstrap.process_roles import Role
from gencode.bootstrap.serve import Server, listening_socket
from gencode.http.kind_dependencies import KindFactory
from gencode.security.secret_registry import SecretRegistry
from gencode.settings import Settings
from tests.servers.cluster import STALE_SECONDS, Cluster, cluster, site
from tests.servers.postgres import MISSING, PostgresServer, is_installed, running_postgres
from tests.servers.proxy import proxy
from tests.servers.service import Service

WEBS, WORKERS = 2, 3


@cache
def _postgres() -> PostgresServer:
    if not is_installed():
        pytest.skip(MISSING)
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(running_postgres())


@cache
def database_of(data_dir: Path) -> str:
    """A test that starts the service again with the same folder finds what it left."""
    return _postgres().create_database()


def has_git_host(settings: Settings) -> bool:
    return bool(settings.hosts or settings.github_token.get_secret_value())


@asynccontextmanager
async def applications(
    settings: Settings, kinds: Sequence[KindFactory], secrets: SecretRegistry
) -> AsyncIterator[tuple[Starlette, str]]:
    """The first web application, and the address at which all of them are reached."""
    if settings.database_url.get_secret_value():
        pytest.skip("the test chooses its database")
    roles = [Role.WEB] * WEBS + [Role.WORKER] * WORKERS if has_git_host(settings) else [Role.ALL]
    made = [
        build_app(_of_process(settings, number), secrets, kinds, role) for number, role in enumerate(roles)
    ]
    async with AsyncExitStack() as stack:
        ports = [
            await stack.enter_async_context(_served(app, settings, role))
            for app, role in zip(made, roles, strict=True)
        ]
        folder = Path(tempfile.mkdtemp(prefix="proxy-", dir=settings.data_dir.parent)) / "nginx"
        url = await stack.enter_async_context(proxy(site([port for port in ports if port]), folder, ports[0]))
        yield made[0], url


def _of_process(settings: Settings, number: int) -> Settings:
    """Only the first one has the test's folder."""
    folder = settings.data_dir if number == 0 else settings.data_dir.with_name(f"data{number}")
    return settings.model_copy(
        update={
            "database_url": SecretStr(database_of(settings.data_dir)),
            "worker_stale_seconds": STALE_SECONDS,
            "data_dir": folder,
        }
    )


@asynccontextmanager
async def _served(app: Starlette, settings: Settings, role: Role) -> AsyncIterator[int]:
    """The port; 0 for a worker."""
    async with AsyncExitStack() as stack:
        if not role.serves:
            await stack.enter_async_context(app.router.lifespan_context(app))
            yield 0
            return
        sock = stack.enter_context(listening_socket("127.0.0.1", 0))
        await stack.enter_async_context(app.router.lifespan_context(app))
        group = await stack.enter_async_context(anyio.create_task_group())
        server = Server(app, settings, app.state.services.closing)
        group.start_soon(server.serve, [sock])
        try:
            yield sock.getsockname()[1]
        finally:
            server.stop()


# --- as processes -----------------------------------------------------------------------------------


class Services:
    """All processes of a cluster, where a test has one Service."""

    def __init__(self, it: Cluster) -> None:
        self._all = [*it.webs, *it.workers]
        self.url = it.url
        self.port = int(it.url.rpartition(":")[2])
        self.log = it.webs[0].log
        self.data_dir = it.webs[0].data_dir

    @property
    def pid(self) -> int:
        pytest.skip("there are several processes")

    async def start(self, failpoint: str = "") -> None:
        if failpoint:
            pytest.skip("a moment of one process is meant")
        await self._each(Service.start)

    async def launch(self, failpoint: str = "") -> None:
        if failpoint:
            pytest.skip("a moment of one process is meant")
        await self._each(Service.launch)

    async def ready(self) -> bool:
        return await self._all[0].ready()

    async def ended(self) -> int:
        return await self._all[0].ended()

    async def kill(self) -> None:
        await self._each(Service.kill)

    async def terminate(self) -> int:
        return max([await one.terminate() for one in self._all], key=abs)

    async def _each(self, act: Callable[[Service], Awaitable[object]]) -> None:
        async with anyio.create_task_group() as group:
            for one in self._all:
                group.start_soon(act, one)


@asynccontextmanager
async def services(
    folder: Path, environment: Mapping[str, str], *others: object
) -> AsyncIterator[Service | Services]:
    """See tests.servers.service.service. `others`: what cannot be had from several processes."""
    if any(others):
        pytest.skip("one process is meant")
    dsn = database_of(folder / "data")
    if environment.keys() & {"GITHUB_TOKEN", "HOSTS"}:
        async with cluster(folder, dsn, environment) as it:
            yield Services(it)
        return
    process = Service(
        folder, {**environment, "DATABASE_URL": dsn, "WORKER_STALE_SECONDS": f"{STALE_SECONDS:g}"}
    )
    try:
        await process.start()
        yield process
    finally:
        with anyio.CancelScope(shield=True):
            await process.close()
