"""Commands that work on the database of a cluster: `gencode prune`, `tasks assign`, `backup`, `restore`."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest

from gencode.domain.principal import LOCAL, Principal
from gencode.domain.task import State, now
from gencode.engine.ports.store import IdempotencyKey, TaskQuery
from gencode.engine.task_ids import earliest_id
from gencode.storage.postgres.store import PostgresStore, open_postgres
from tests.servers.calls import FILES, submit
from tests.servers.command import gencode
from tests.servers.model import model_server, plan_and_files
from tests.servers.postgres import PostgresServer, program
from tests.servers.service import environment, service
from tests.servers.stream import events
from tests.unit.storage.samples import a_task, an_event

pytestmark = [pytest.mark.one_process("it has a database of its own"), pytest.mark.campaign]


async def run(dsn: str, folder: Path, *words: str, status: int = 0) -> str:
    return await gencode(*words, data_dir=folder / "data", status=status, settings={"DATABASE_URL": dsn})


async def found(dsn: str) -> dict[str, str]:
    """The principal of each task by its message."""
    async with open_postgres(dsn) as store:
        return {task.message: task.principal.id for task in await store.find(TaskQuery())}


# --- prune ------------------------------------------------------------------------------------------


async def add(store: PostgresStore, owner: str | Principal, name: str, days: int = 0) -> None:
    at = now() - timedelta(days=days)
    task = a_task(owner, state=State.SUCCEEDED, created_at=at, updated_at=at, message=name)
    task = replace(task, id=earliest_id(at)[:24] + task.id[24:])
    key = IdempotencyKey(principal=task.principal.id, value=name.partition(" ")[0], digest="d")
    await store.create(task, {}, [an_event(task, 1)], key)


async def test_old_tasks_are_pruned(tmp_path: Path, postgres: str) -> None:
    async with open_postgres(postgres) as store:
        for days in (0, 50, 100):
            await add(store, "alice", f"{days}", days)
    words = ("prune", "--older-than", "60", "--json")
    dry: dict[str, Any] = json.loads(await run(postgres, tmp_path, *words, "--dry-run"))
    assert dry["tasks"] == 1
    assert len(await found(postgres)) == 3
    assert json.loads(await run(postgres, tmp_path, *words))["deleted"] == dry["deleted"]
    assert {*await found(postgres)} == {"0", "50"}


# --- assign -----------------------------------------------------------------------------------------


@pytest.fixture
async def filled(postgres: str) -> str:
    """Two tasks of local, and one of alice; both have used the key "same"."""
    async with open_postgres(postgres) as store:
        await add(store, LOCAL, "first of local")
        await add(store, LOCAL, "same of local")
        await add(store, "alice", "same of alice")
    return postgres


ASSIGN = ("tasks", "assign", "--from", "local", "--to", "alice")


async def test_tasks_and_keys_go_to_the_other_client(tmp_path: Path, filled: str) -> None:
    before = await found(filled)
    dry = json.loads(await run(filled, tmp_path, *ASSIGN, "--json", "--dry-run"))
    assert await found(filled) == before
    done = json.loads(await run(filled, tmp_path, *ASSIGN, "--json"))
    assert done == {**dry, "dry_run": False}
    assert (done["tasks"], done["idempotency_keys"], done["dropped_keys"]) == (2, 2, 1)
    assert {*(await found(filled)).values()} == {"alice"}
    async with open_postgres(filled) as store:
        for value, named in (("first", "first of local"), ("same", "same of alice")):
            task = await store.find_by_key(IdempotencyKey(principal="alice", value=value, digest="d"))
            assert task
            assert task.message == named


async def test_a_mistake_names_the_clients(tmp_path: Path, filled: str) -> None:
    said = await run(filled, tmp_path, "tasks", "assign", "--from", "locla", "--to", "alice", status=2)
    assert "local (2), alice (1)" in said


async def test_processes_that_run_keep_their_tasks(tmp_path: Path, filled: str) -> None:
    before = await found(filled)
    async with service(tmp_path, {"DATABASE_URL": filled}):
        assert "stop them" in await run(filled, tmp_path, *ASSIGN, status=2)
    assert await found(filled) == before


# --- backup -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("command", "instead"), [("backup", "pg_dump"), ("restore", "pg_restore")])
async def test_a_backup_is_made_by_the_tools_of_postgresql(
    tmp_path: Path, postgres: str, command: str, instead: str
) -> None:
    assert instead in await run(postgres, tmp_path, command, "backup.zip", status=1)


async def test_tasks_go_on_from_a_dump(tmp_path: Path, postgres_server: PostgresServer) -> None:
    """The dump is made while a task runs, whose worker is gone when it is restored."""
    before, after = postgres_server.create_database(), postgres_server.create_database()
    gate, settings = anyio.Event(), {"WORKER_STALE_SECONDS": "4"}
    async with model_server(plan_and_files(FILES, gates={"": gate})) as model:
        async with service(tmp_path, environment(model, DATABASE_URL=before, **settings)) as process:
            task_id = await submit(process.url)
            await model.arrival("plan")
            await copied(before, after, tmp_path / "dump")
            await process.kill()
        gate.set()
        async with service(tmp_path, environment(model, DATABASE_URL=after, **settings)) as process:
            heard = await events(process.url, task_id)
            assert heard[-1].data["status"] == "completed"
    for dsn in (before, after):
        postgres_server.drop_database(dsn)


async def copied(source: str, target: str, file: Path) -> None:
    """As docs/cluster.md says."""
    for command in (
        [program("pg_dump"), "--format=custom", f"--file={file}", source],
        [program("pg_restore"), "--no-owner", "--exit-on-error", f"--dbname={target}", file],
    ):
        done = await anyio.run_process(command, stderr=subprocess.STDOUT, check=False)
        assert done.returncode == 0, done.stdout.decode()
