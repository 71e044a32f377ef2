"""GENCODE_TEST_BACKEND=cluster: tests that know the service by its addresses run it as several processes.

`running_app` makes two web applications and three workers on one database, in the test's event loop, behind a
relay that gives each connection to the next of the two; `service` makes as many processes behind nginx. With
the local forge, which is for one process, it is one of both roles on PostgreSQL. A test that asks for what
several processes do not have is skipped.
"""

from __future__ import annotations

import asyncio
import atexit
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, suppress
from functools import cache
from itertools import cycle
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
from tests.servers.postgres import MISSING, PostgresServer, is_installed, running_postgres

WEBS, WORKERS = 2, 3
STALE_SECONDS = 4.0


def is_chosen() -> bool:
    return os.environ.get("GENCODE_TEST_BACKEND") == "cluster"


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
) -> AsyncIterator[tuple[Starlette, int]]:
    """The first web application, and the port at which all of them are reached."""
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
        port = await stack.enter_async_context(_relay([port for port in ports if port]))
        yield made[0], port


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


@asynccontextmanager
async def _relay(ports: Sequence[int]) -> AsyncIterator[int]:
    """Its port. Nothing of HTTP is known here: what a client sends and does arrives at the service."""
    turns, handlers = cycle(ports), set[asyncio.Task[None]]()

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handler = asyncio.current_task()
        assert handler
        handlers.add(handler)
        handler.add_done_callback(handlers.discard)
        with suppress(OSError, asyncio.CancelledError):
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", next(turns))
            pair = [_copy(reader, inner_writer), _copy(inner_reader, writer)]
            await asyncio.wait(map(asyncio.ensure_future, pair), return_when=asyncio.ALL_COMPLETED)
            inner_writer.close()
        writer.close()

    server = await asyncio.start_server(accepted, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for handler in list(handlers):
            handler.cancel()
        await asyncio.gather(*handlers, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.transport.abort()
