"""Servers that accept tasks durably over HTTP, each in a process of its own, for comparison.

    with accepting("gencode", folder) as server: ...     # also: forgetful, fastapi

Each answers `POST server.path` with 202 once the task and its first event are on disk; "forgetful" is the
same service over a store that keeps nothing.
"""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import uvicorn
from fastapi import Depends, FastAPI
from pydantic import BaseModel, Field
from sqlalchemy import JSON, event
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from gencode.bootstrap import app as composition
from gencode.bootstrap import serve as serving
from gencode.bootstrap.app import create_app
from gencode.embedded.server import listen
from gencode.observability.logs import configure_logging
from gencode.settings import NamedProvider
from gencode.storage.memory import MemoryStore
from tests.servers.service import settings

BODY = {"prompt": "x" * 200, "repo_name": "benchmark"}


@dataclass(frozen=True, kw_only=True)
class Server:
    port: int
    path: str


@contextmanager
def accepting(kind: str, folder: Path) -> Iterator[Server]:
    command = [sys.executable, "-m", "tests.servers.accepting", kind, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        port, path = process.stdout.readline().split()
        try:
            yield Server(port=int(port), path=path)
        finally:
            process.kill()


# --- gencode ----------------------------------------------------------------------------------------


async def gencode(folder: Path) -> None:
    """The whole service. One task runs, and waits for a model that never answers; the others are queued."""
    configure_logging("ERROR", "json", tuple)
    with closing(listen()) as silent:
        model = NamedProvider(base_url=f"http://127.0.0.1:{silent.getsockname()[1]}/v1", model="m")
        chosen = settings(
            folder,
            providers={"silent": model},
            rate_limit="1000000/second",
            max_waiting_tasks=10**6,
            max_concurrent_tasks=1,
            first_token_timeout=3600,
        )
        app = create_app(chosen)
        async with app.router.lifespan_context(app):
            with serving.listening("127.0.0.1", 0) as sock:
                _print_address(sock, "/api/v1/generate")
                serving._settle_memory()
                await serving.Server(app, chosen, app.state.services.closing).serve([sock])


async def forgetful(folder: Path) -> None:
    """The same with a store that stores nothing."""

    @asynccontextmanager
    async def memory(_path: Path) -> AsyncIterator[MemoryStore]:
        yield MemoryStore()

    composition.__dict__["open_sqlite"] = memory
    await gencode(folder)


# --- FastAPI and SQLAlchemy -------------------------------------------------------------------------


class Base(DeclarativeBase):
    pass


class Task(Base):
    __tablename__ = "tasks"
    id: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str]
    request: Mapped[dict[str, Any]] = mapped_column(JSON)


class TaskEvent(Base):
    __tablename__ = "events"
    task_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    data: Mapped[dict[str, Any]] = mapped_column(JSON)


class CreateRequest(BaseModel):
    prompt: str = Field(min_length=1, max_length=20_000)
    repo_name: str = Field(min_length=1, max_length=100)


@asynccontextmanager
async def durable_sessions(path: Path) -> AsyncIterator[async_sessionmaker[AsyncSession]]:
    """As durable as ours: SQLite in WAL mode, synchronous=FULL. A minute for the lock and for a place in the
    pool, so that nothing fails."""
    url, patience = f"sqlite+aiosqlite:///{path}", {"timeout": 60}
    engine = create_async_engine(url, connect_args=patience, pool_timeout=60)

    @event.listens_for(engine.sync_engine, "connect")
    def durable(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")

    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield async_sessionmaker(engine, expire_on_commit=False)
    await engine.dispose()


async def accept(opened: AsyncSession, request: dict[str, Any]) -> dict[str, str]:
    task = Task(id=str(uuid4()), status="pending", request=request)
    accepted = {"status": "pending", "message": "accepted"}
    opened.add_all([task, TaskEvent(task_id=task.id, id=1, kind="status", data=accepted)])
    await opened.commit()
    return {"task_id": task.id, **accepted}


def reference(folder: Path) -> FastAPI:
    """As the documentation of both libraries suggests: one session per request, which commits two rows."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with durable_sessions(folder / "reference.db") as app.state.sessions:
            yield

    async def session() -> AsyncIterator[AsyncSession]:
        async with app.state.sessions() as opened:
            yield opened

    app = FastAPI(lifespan=lifespan)

    @app.post("/generate", status_code=202)
    async def generate(
        body: CreateRequest,
        opened: AsyncSession = Depends(session),  # noqa: B008 - FastAPI's way
    ) -> dict[str, str]:
        return await accept(opened, body.model_dump())

    return app


async def fastapi(folder: Path) -> None:
    with listen() as sock:
        _print_address(sock, "/generate")
        config = uvicorn.Config(reference(folder), log_level="error", access_log=False, backlog=2048)
        await uvicorn.Server(config).serve([sock])


def _print_address(sock: socket.socket, path: str) -> None:
    print(sock.getsockname()[1], path, flush=True)


def request(server: Server) -> bytes:
    body = json.dumps(BODY).encode()
    head = f"POST {server.path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


if __name__ == "__main__":
    Path(sys.argv[2]).mkdir(parents=True, exist_ok=True)
    asyncio.run(
        {"gencode": gencode, "forgetful": forgetful, "fastapi": fastapi}[sys.argv[1]](Path(sys.argv[2]))
    )
