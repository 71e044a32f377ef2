"""`gencode migrate` takes the folder of a stopped service to PostgreSQL, and the service goes on there."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import psycopg
import pytest

from gencode.auth.key_store import KeyOptions, key_store
from gencode.bootstrap.data_dir_migration import migrate_data_dir
from gencode.bootstrap.database_api_keys import DatabaseKeys
from gencode.domain.callback import Callback
from gencode.domain.errors import StartError, StoreUnusable
from gencode.domain.principal import Principal
from gencode.domain.task import State
from gencode.engine.ports.store import IdempotencyKey, Store, TaskQuery
from gencode.storage import table_copy
from gencode.storage.data_dir_lock import DATABASE, MOVED, data_dir_lock
from gencode.storage.postgres import table_import
from gencode.storage.postgres.store import open_postgres
from gencode.storage.sqlite.store import open_sqlite
from tests.e2e.test_older_data_dir import (
    KNOWN,
    STEPS,
    TASKS,
    busy_model,
    check_paid_once,
    client_of,
    count,
    differences,
    recorded_before,
    run_to_completion,
    statuses,
    tasks_of,
    unpacked,
)
from tests.servers.command import gencode
from tests.servers.history import get_json, record
from tests.servers.model import model_server
from tests.servers.projects import Projects
from tests.servers.service import ROOT, environment, service
from tests.unit.storage.samples import a_task, an_event

pytestmark = pytest.mark.one_process("it has a database of its own")

JOBS = "SELECT lock FROM procrastinate_jobs WHERE status = 'todo' ORDER BY id"
STATES = [State.QUEUED, State.RUNNING, State.PAUSED, State.SUCCEEDED, State.FAILED, State.CANCELLED]


class Killed(Exception):
    """Ends a migration as a kill does: nothing of it runs any further."""


def quiet(step: str, table: str, done: int, total: int) -> None: ...


async def rows(dsn: str, sql: str) -> list[tuple[Any, ...]]:
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        return await (await connection.execute(sql.encode())).fetchall()


async def migrated(data_dir: Path, dsn: str) -> dict[str, Any]:
    printed = await gencode("migrate", "--json", data_dir=data_dir, settings={"DATABASE_URL": dsn})
    found: dict[str, Any] = json.loads(printed)
    return found


@pytest.fixture
async def data_dir(tmp_path: Path) -> Path:
    """Twelve tasks of every state, with strange texts, and with all that belongs to a task."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    async with open_sqlite(folder / DATABASE) as store:
        for number, state in enumerate(STATES * 2):
            await add_task(store, number, state)
        unknown = a_task(kind="of a newer version", state=State.RUNNING)
        await store.create(unknown, {}, [])
    (folder / "webhook.key").write_bytes(b"w" * 32)
    key_store(folder).create("alice", KeyOptions(rate="5/minute"))
    return folder


async def add_task(store: Store, number: int, state: State) -> None:
    """The checkpoints of several tasks mix, and are not in the order of their names."""
    text = f"{number} \0 \1 \u00e9 \U0001f600"
    task = a_task(Principal(id=f"client {number % 3}"), state=state, message=text, sequence=2)
    told = Callback(task_id=task.id, kind="webhook", url=text, host="example.com:443", due=number or None)
    key = IdempotencyKey(principal=task.principal.id, value=text, digest="d")
    await store.create(task, {"prompt": text}, [an_event(task, 1), an_event(task, 2, text=text)], key, told)
    await store.commit(replace(task, version=1), [], {"z": text, f"piece:{number}": "", "a": text * number})


async def content(store: Store) -> list[Any]:
    """All that can be read of its tasks."""
    tasks = await store.find(TaskQuery())
    return [
        (
            task,
            await store.request(task.id),
            await store.events(task.id),
            list((await store.checkpoints(task.id)).items()),
        )
        for task in tasks
    ]


async def test_everything_is_there_afterwards(data_dir: Path, postgres: str) -> None:
    done = await migrated(data_dir, postgres)
    assert {name: table["rows"] for name, table in done["tables"].items()} == {
        **dict.fromkeys(("tasks", "requests"), 13),
        **dict.fromkeys(("idempotency_keys", "callbacks"), 12),
        "events": 24,
        "checkpoints": 36,
        "usage_totals": 0,
    }
    async with open_sqlite(data_dir / DATABASE) as before, open_postgres(postgres) as now:
        assert await content(now) == await content(before)
        unfinished = [
            task.id
            for task in await now.find(TaskQuery())
            if task.state in (State.QUEUED, State.RUNNING) and task.kind == "generate"
        ]
    assert await rows(postgres, JOBS) == [(task_id,) for task_id in sorted(unfinished)]
    assert (done["queued"], done["signing_keys"]) == (len(unfinished), ["webhook"])
    assert await rows(postgres, "SELECT key FROM gencode.signing_keys") == [(b"w" * 32,)]
    assert done["api_keys"] == 1
    assert DatabaseKeys(postgres).read() == key_store(data_dir).read()


@pytest.mark.campaign
async def test_it_goes_on_after_it_was_killed_anywhere(
    data_dir: Path, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each attempt gets one report further than the one before."""
    monkeypatch.setattr(table_copy, "PAGE_ROWS", 5)
    monkeypatch.setattr(table_import, "DIGEST_ROWS", 7)
    attempts, done = 0, None
    while done is None:
        attempts += 1
        left = attempts

        def report(step: str, table: str, done: int, total: int) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise Killed

        try:
            done = await migrate_data_dir(data_dir, postgres, report)
        except Killed:
            async with open_sqlite(data_dir / DATABASE):
                pass
    assert attempts > 30
    assert done.continued
    async with open_sqlite(data_dir / DATABASE) as before, open_postgres(postgres) as now:
        assert await content(now) == await content(before)
    jobs = await rows(postgres, JOBS)
    assert len(jobs) == len({*jobs}) == done.queued == 4


@pytest.mark.campaign
async def test_a_killed_command_goes_on(data_dir: Path, postgres: str) -> None:
    """It waits for a table that the test has locked, and is killed there."""
    assert await migrated_up_to(data_dir, postgres, "callbacks") == -signal.SIGKILL
    with pytest.raises(StoreUnusable, match="gencode migrate again"):
        async with open_postgres(postgres):
            pass
    assert (await migrated(data_dir, postgres))["continued"]
    async with open_sqlite(data_dir / DATABASE) as before, open_postgres(postgres) as now:
        assert await content(now) == await content(before)


async def migrated_up_to(data_dir: Path, dsn: str, table: str) -> int:
    """Its exit status; it is killed when it has copied the tables before this one."""
    async with open_postgres(dsn):
        pass
    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        await connection.execute(f"LOCK TABLE gencode.{table} IN EXCLUSIVE MODE".encode())
        process = await anyio.open_process(
            [sys.executable, "-m", "gencode", "migrate"],
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(ROOT),
                "DATA_DIR": str(data_dir),
                "DATABASE_URL": dsn,
            },
            stdout=subprocess.DEVNULL,
            cwd=data_dir.parent,
        )
        async with process:
            assert process.stderr
            said = ""
            while "copied idempotency_keys: 12 of 12" not in said:
                said += (await process.stderr.receive()).decode()
            process.kill()
            return await process.wait()


async def test_a_database_with_other_tasks_is_refused(data_dir: Path, postgres: str) -> None:
    async with open_postgres(postgres) as store:
        other = a_task()
        await store.create(other, {}, [])
    with pytest.raises(StoreUnusable, match="tasks of its own"):
        await migrate_data_dir(data_dir, postgres, quiet)
    assert await rows(postgres, "SELECT id FROM gencode.tasks") == [(other.id,)]
    assert not (data_dir / MOVED).exists()


async def test_a_second_time_is_refused(data_dir: Path, postgres: str) -> None:
    await migrate_data_dir(data_dir, postgres, quiet)
    with pytest.raises(StoreUnusable, match="tasks of its own"):
        await migrate_data_dir(data_dir, postgres, quiet)


async def test_a_part_of_another_folder_is_refused(data_dir: Path, postgres: str) -> None:
    """It may be this one, if a service has used it since."""
    with pytest.raises(Killed):
        await migrate_data_dir(data_dir, postgres, killed_after_copying("events"))
    async with open_sqlite(data_dir / DATABASE) as store:
        await store.create(a_task(), {}, [])
    with pytest.raises(StoreUnusable, match="before it changed"):
        await migrate_data_dir(data_dir, postgres, quiet)


def killed_after_copying(name: str) -> table_copy.Report:
    def report(step: str, table: str, done: int, total: int) -> None:
        if (step, table) == ("copied", name):
            raise Killed

    return report


@pytest.mark.parametrize("table", table_copy.TABLES, ids=lambda table: table.name)
async def test_a_row_that_differs_is_found(data_dir: Path, postgres: str, table: table_copy.Table) -> None:
    """Here another program changes one after it was copied."""
    await add_total(data_dir)
    with pytest.raises(Killed):
        await migrate_data_dir(data_dir, postgres, killed_after_copying(table.name))
    column = table.columns[-1]
    await rows(
        postgres,
        f"UPDATE gencode.{table.name} SET {column} = concat({column}, 'x') WHERE ctid ="
        f" (SELECT ctid FROM gencode.{table.name} LIMIT 1) RETURNING 1",
    )
    with pytest.raises(StoreUnusable, match=f"the table {table.name} differs"):
        await migrate_data_dir(data_dir, postgres, quiet)
    assert not (data_dir / MOVED).exists()


async def add_total(data_dir: Path) -> None:
    with closing(sqlite3.connect(data_dir / DATABASE)) as connection, connection:
        connection.execute(
            "INSERT INTO usage_totals VALUES ('alice', 'generate', 'm', '2026-10', 1, 2, 3, 4, NULL)"
        )


async def test_a_folder_in_use_is_refused(data_dir: Path, postgres: str) -> None:
    with data_dir_lock(data_dir):
        said = await gencode("migrate", data_dir=data_dir, status=2, settings={"DATABASE_URL": postgres})
    assert "only while the service is stopped" in said


async def test_a_database_in_use_is_refused(tmp_path: Path, data_dir: Path, postgres: str) -> None:
    (tmp_path / "other").mkdir()
    async with service(tmp_path / "other", {"DATABASE_URL": postgres}):
        with pytest.raises(StoreUnusable, match="stop them"):
            await migrate_data_dir(data_dir, postgres, quiet)


async def test_the_folder_says_where_its_tasks_are(tmp_path: Path, data_dir: Path, postgres: str) -> None:
    """Else its unfinished tasks would run in both."""
    await migrated(data_dir, postgres)
    with pytest.raises(RuntimeError, match="set DATABASE_URL"):
        async with service(tmp_path, {}):
            pass
    (data_dir / MOVED).unlink()
    async with service(tmp_path, {}):
        pass


@pytest.mark.parametrize(
    ("url", "what"), [("", "DATABASE_URL"), ("postgresql://x@127.0.0.1:1/x", "127.0.0.1:1")]
)
async def test_a_missing_database_is_told(data_dir: Path, url: str, what: str) -> None:
    assert what in await gencode("migrate", data_dir=data_dir, status=2, settings={"DATABASE_URL": url})


async def test_an_empty_folder_is_told(tmp_path: Path, postgres: str) -> None:
    with pytest.raises(StartError, match="DATA_DIR"):
        await migrate_data_dir(tmp_path, postgres, quiet)


# --- a folder of 0.1.0 ------------------------------------------------------------------------------


@pytest.mark.campaign
async def test_tasks_of_an_older_release_go_on(tmp_path: Path, postgres: str) -> None:
    """What is over is shown as before, and what is not is completed, without paying twice."""
    moved, projects = unpacked(tmp_path), Projects(KNOWN["projects"])
    await migrated(moved.data_dir, postgres)
    async with (
        model_server(projects) as model,
        service(tmp_path, environment(model, DATABASE_URL=postgres)) as process,
    ):
        for client in KNOWN["keys"]:
            async with client_of(process, client) as http:
                assert await get_json(http, "/webhook-secret") == {"secret": KNOWN["webhook_secrets"][client]}
                for name, task in tasks_of(client, "completes"):
                    log = await run_to_completion(http, task, moved)
                    assert statuses(log) == STEPS, name
                    assert count(log, "resumed") == (task["status"] != "pending"), name
                    check_paid_once(projects, name)


@pytest.mark.campaign
async def test_finished_tasks_of_an_older_release_are_shown_as_before(tmp_path: Path, postgres: str) -> None:
    moved = unpacked(tmp_path)
    await migrated(moved.data_dir, postgres)
    async with (
        busy_model() as model,
        service(tmp_path, environment(model, DATABASE_URL=postgres)) as process,
    ):
        for name, task in TASKS.items():
            if task["status"] in ("completed", "failed", "cancelled"):
                async with client_of(process, task["client"]) as http:
                    found = await record(http, task["id"], moved.with_old_addresses)
                    assert not differences(recorded_before(task), found), name
