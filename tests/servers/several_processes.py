"""GENCODE_TEST_BACKEND=cluster: tests that know the service by its addresses run it as several processes.

`running_app` makes two web applications and three workers on one database, in the test's event loop, behind
nginx, which gives them the requests in turn. With the local forge, which is for one process, it is one of
both roles on PostgreSQL. A test that chooses its database is skipped.
"""

from __future__ import annotations

import atexit
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from functools import cache
from pathlib import Path

import anyio
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette

from gencode.bootstrap.app import build_app
from gencode.bootstrap.roles import Role
from gencode.bootstrap.serve import Server, listening_socket
from gencode.http.kind_factory import KindFactory
from gencode.security.secret_registry import SecretRegistry
from gencode.settings import Settings
from tests.servers.cluster import site
from tests.servers.postgres import MISSING, PostgresServer, is_installed, running_postgres
from tests.servers.proxy import proxy

WEBS, WORKERS = 2, 3
STALE_SECONDS = 4.0


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
