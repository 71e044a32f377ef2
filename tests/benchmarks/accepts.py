"""Durable accepts per second: the store against one that stores nothing, the service against FastAPI."""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from gencode.engine.ports.store import Store
from gencode.storage.memory import MemoryStore
from gencode.storage.sqlite.store import open_sqlite
from tests.servers.accepting import Server, accept, accepting, durable_sessions, request
from tests.unit.storage.samples import a_task, an_event

CALLERS = 1_000
ACCEPTS = 10  # of each caller in each round
ROUNDS = 5
CLIENTS = 100
SECONDS = 2.0  # of each round over HTTP


# --- the store --------------------------------------------------------------------------------------


async def accepts_per_second(store: Store) -> float:
    async def caller() -> None:
        for _ in range(ACCEPTS):
            task = a_task()
            asked = {"prompt": "x" * 200, "repo_name": "benchmark"}
            await store.create(task, asked, [an_event(task, 1, status="pending", message="accepted")])

    begin = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    return CALLERS * ACCEPTS / (time.perf_counter() - begin)


async def stores(folder: Path) -> tuple[float, float, float]:
    durable, forgetful, others = [], [], []
    async with open_sqlite(folder / "ours.db") as store, durable_sessions(folder / "other.db") as sessions:
        for _ in range(ROUNDS):
            durable.append(await accepts_per_second(store))
            forgetful.append(await accepts_per_second(MemoryStore()))
            others.append(await sessions_per_second(sessions))
    return median(durable), median(forgetful), median(others)


async def sessions_per_second(sessions: async_sessionmaker[AsyncSession]) -> float:
    """The same with SQLAlchemy; as many callers with one accept each, because it takes long."""

    async def caller() -> None:
        async with sessions() as session:
            await accept(session, {"prompt": "x" * 200, "repo_name": "benchmark"})

    begin = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    return CALLERS / (time.perf_counter() - begin)


# --- over HTTP --------------------------------------------------------------------------------------


def answers_per_second(server: Server) -> float:
    """Over CLIENTS connections with one request each at a time; in a bare loop, so that the client takes
    little of the processors."""
    asked, done = request(server), 0
    with contextlib.ExitStack() as stack:
        epoll = stack.enter_context(contextlib.closing(select.epoll()))
        clients = {}
        for _ in range(CLIENTS):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            clients[client.fileno()] = client
            epoll.register(client, select.EPOLLIN)
            client.sendall(asked)
        begin = time.perf_counter()
        while (seconds := time.perf_counter() - begin) < SECONDS:
            for number, _ in epoll.poll(0.1):
                part = clients[number].recv(65536)
                assert b"HTTP/1.1" not in part or b"HTTP/1.1 202" in part, part
                if part.endswith(b"}"):  # the end of its body
                    done += 1
                    clients[number].sendall(asked)
    return done / seconds


def services(folder: Path) -> tuple[float, float, float]:
    ours, memory, theirs = [], [], []
    with (
        accepting("gencode", folder / "gencode") as house,
        accepting("forgetful", folder / "forgetful") as same,
        accepting("fastapi", folder / "fastapi") as other,
    ):
        for _ in range(ROUNDS):
            ours.append(answers_per_second(house))
            memory.append(answers_per_second(same))
            theirs.append(answers_per_second(other))
    return median(ours), median(memory), median(theirs)


def main() -> None:
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as folder:
        durable, forgetful, other = asyncio.run(stores(Path(folder)))
        ours, memory, theirs = services(Path(folder))
    print(f"{CALLERS} callers at once")
    print(f"SQLiteStore {durable:8.0f} durable accepts/s")
    print(f"MemoryStore {forgetful:8.0f} accepts/s, forgotten")
    print(f"ratio       {durable / forgetful:8.2f}")
    print(f"SQLAlchemy  {other:8.0f} durable accepts/s, asyncio")
    print(f"ratio       {durable / other:8.2f}")
    print(f"{CLIENTS} clients over HTTP")
    print(f"gencode     {ours:8.0f} durable accepts/s")
    print(f"in memory   {memory:8.0f} accepts/s, the same service over a MemoryStore")
    print(f"ratio       {ours / memory:8.2f}")
    print(f"FastAPI     {theirs:8.0f} durable accepts/s, with SQLAlchemy's asyncio")
    print(f"ratio       {ours / theirs:8.2f}")


if __name__ == "__main__":
    main()
