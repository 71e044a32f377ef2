"""Databases of earlier releases are opened with all that is in them."""

from __future__ import annotations

import json
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from gencode.domain.principal import PrincipalKind
from gencode.domain.task import Failure, State, Task
from gencode.engine.ports.store import IdempotencyKey, TaskQuery
from gencode.storage.sqlite import schema
from gencode.storage.sqlite.connection import connect
from gencode.storage.sqlite.store import open_sqlite

FIXTURES = Path(__file__).parents[3] / "fixtures"
KNOWN: dict[str, Any] = json.loads((FIXTURES / "data_dir_0_1_0.json").read_text(encoding="utf-8"))
WORKING = ("generating", "merging_files", "creating_repo", "pushing")


def unpacked(folder: Path, name: str) -> Path:
    with tarfile.open(FIXTURES / f"{name}.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    return folder / "data" / "gencode.db"


def rows(path: Path, sql: str) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(path)) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute(sql)]


@contextmanager
def database_of_version(path: Path, version: int) -> Iterator[sqlite3.Connection]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:version])
        patch.setattr(schema, "VERSION", version)
        database = connect(path, 0)
    with closing(database):
        yield database


def insert_task(database: sqlite3.Connection, **columns: Any) -> None:
    moment = "2026-11-29T17:06:10.562000+00:00"
    row = {
        "id": "t",
        "kind": "generate",
        "client": "alice",
        "language": "en",
        "status": "pending",
        "message": "",
        "attempts": 0,
        "sequence": 0,
        "created_at": moment,
        "updated_at": moment,
        "failure": None,
        "result": "{}",
        "request": '{"prompt":"p","model":"m"}',
        **columns,
    }
    sql = f"INSERT INTO tasks ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})"
    database.execute(sql, list(row.values()))


async def migrated(path: Path) -> dict[str, Task]:
    async with open_sqlite(path) as store:
        return {task.id: task for task in await store.find(TaskQuery(limit=1000))}


async def test_every_task_of_a_real_folder_is_there_with_its_log(tmp_path: Path) -> None:
    path = unpacked(tmp_path, "data_dir_0_1_0")
    before = {row["id"]: row for row in rows(path, "SELECT * FROM tasks")}
    tables = ("events", "parts", "keys", "callbacks")
    others = {table: rows(path, f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables}
    tasks = await migrated(path)
    assert tasks.keys() == before.keys()
    for id_, task in tasks.items():
        old = before[id_]
        assert task.status == old["status"]
        assert task.principal.id == old["client"]
        assert (task.principal.kind is PrincipalKind.LOCAL) == (old["client"] == "local")
        assert task.sequence == old["sequence"]
        assert task.created_at.isoformat() == old["created_at"]
        assert task.result == json.loads(old["result"])
        assert task.retries == json.loads(old["retries"])
        assert task.cache_key == old["digest"]
        request = json.loads(old["request"])
        assert task.parameters == {name: value for name, value in request.items() if name != "prompt"}
    requests = {row["task_id"]: row["data"] for row in rows(path, "SELECT * FROM requests")}
    assert requests == {id_: old["request"] for id_, old in before.items()}
    assert rows(path, "SELECT * FROM events ORDER BY 1, 2") == others["events"]
    assert rows(path, "SELECT * FROM checkpoints ORDER BY 1, 2") == others["parts"]
    assert rows(path, "SELECT * FROM callbacks ORDER BY 1, 2") == others["callbacks"]
    assert (
        rows(path, "SELECT principal AS client, value, digest, task_id FROM idempotency_keys")
        == others["keys"]
    )


async def test_states_of_a_real_folder(tmp_path: Path) -> None:
    tasks = await migrated(unpacked(tmp_path, "data_dir_0_1_0"))
    found = {name: tasks[known["id"]] for name, known in KNOWN["tasks"].items()}
    assert {(t.state, t.stage) for t in found.values() if t.state is State.SUCCEEDED} == {
        (State.SUCCEEDED, "pushing")
    }
    assert (found["planned"].state, found["planned"].stage) == (State.PAUSED, "generating")
    assert found["planned"].paused_until is not None
    assert [found[name].state for name in ("halfway", "repairing", "pushing")] == [State.RUNNING] * 3
    assert [found[name].state for name in ("queued", "linedup")] == [State.QUEUED] * 2
    assert (found["stopped"].state, found["stopped"].stage) == (State.CANCELLED, "")
    assert (found["faulty"].state, found["faulty"].stage) == (State.FAILED, "merging_files")


async def test_keys_of_a_real_folder_still_name_their_tasks(tmp_path: Path) -> None:
    path = unpacked(tmp_path, "data_dir_0_1_0")
    keys = rows(path, "SELECT * FROM keys")
    async with open_sqlite(path) as store:
        for key in keys:
            wanted = IdempotencyKey(principal=key["client"], value=key["value"], digest=key["digest"])
            task = await store.find_by_key(wanted)
            assert task
            assert task.id == key["task_id"]


async def test_foreign_rows_are_shown_as_they_are_and_no_pipeline_knows_their_stage(tmp_path: Path) -> None:
    path = unpacked(tmp_path, "foreign_rows_0_1_0")
    before = {row["id"]: row for row in rows(path, "SELECT * FROM tasks")}
    tasks = await migrated(path)
    assert {id_: task.status for id_, task in tasks.items()} == {
        id_: old["status"] for id_, old in before.items()
    }
    dreaming = next(task for task in tasks.values() if task.status == "dreaming")
    assert (dreaming.state, dreaming.stage) == (State.QUEUED, "dreaming")
    failed = next(task for task in tasks.values() if task.kind == "teleport" and task.state is State.FAILED)
    assert failed.failure == Failure(
        code="LOST", message="in between", retryable=True, stage="", retry_helps="later"
    )
    assert failed.parameters == {"to": "there"}


@pytest.mark.parametrize("status", ["pending", *WORKING])
async def test_a_task_that_was_cut_short(tmp_path: Path, status: str) -> None:
    path = tmp_path / "gencode.db"
    with database_of_version(path, 5) as database:
        insert_task(database, status=status)
    (task,) = (await migrated(path)).values()
    pending = status == "pending"
    assert (task.state, task.stage) == ((State.QUEUED, "") if pending else (State.RUNNING, status))
    assert (task.status, task.paused_until, task.version) == (status, None, 0)


@pytest.mark.parametrize(
    ("failure", "stage"),
    [
        ('{"code":"C","message":"m","retryable":true,"stage":"pushing"}', "pushing"),
        ('{"code":"C","message":"m","retryable":true,"stage":"pending"}', ""),
        ('{"code":"C","message":"m","retryable":true}', ""),
        ("{", ""),
        (None, ""),
    ],
)
async def test_a_failed_task_is_in_the_stage_where_it_failed(
    tmp_path: Path, failure: str | None, stage: str
) -> None:
    path = tmp_path / "gencode.db"
    with database_of_version(path, 5) as database:
        insert_task(database, status="failed", failure=failure)
    (task,) = (await migrated(path)).values()
    assert (task.state, task.stage) == (State.FAILED, stage)
    assert (task.failure.stage if task.failure else "") == stage


@pytest.mark.parametrize(
    ("client", "kind"),
    [
        ("local", PrincipalKind.LOCAL),
        ("alice", PrincipalKind.API_KEY),
        ("slackers", PrincipalKind.API_KEY),
        ("slack:T0/U0", PrincipalKind.SERVICE),
        ("mattermost:t/u", PrincipalKind.SERVICE),
    ],
)
async def test_the_kind_of_a_principal_follows_from_its_name(
    tmp_path: Path, client: str, kind: PrincipalKind
) -> None:
    path = tmp_path / "gencode.db"
    with database_of_version(path, 5) as database:
        insert_task(database, client=client)
    (task,) = (await migrated(path)).values()
    assert (task.principal.id, task.principal.kind) == (client, kind)


@pytest.mark.parametrize("request_text", ["{", '{ "prompt" : "p", "n": 1.50 }', "5", ""])
async def test_a_request_is_kept_byte_for_byte(tmp_path: Path, request_text: str) -> None:
    path = tmp_path / "gencode.db"
    with database_of_version(path, 5) as database:
        insert_task(database, request=request_text)
    assert (await migrated(path)).keys() == {"t"}
    assert rows(path, "SELECT data FROM requests") == [{"data": request_text}]


async def test_tasks_of_the_first_schema_come_through_all_steps(tmp_path: Path) -> None:
    path = tmp_path / "gencode.db"
    with database_of_version(path, 1) as database:
        insert_task(database, status="completed")
        database.execute("INSERT INTO parts (task_id, name, data) VALUES ('t', 'plan', '{}')")
    (task,) = (await migrated(path)).values()
    assert (task.id, task.state, task.retries, task.cache_key) == ("t", State.SUCCEEDED, {}, "")
    assert rows(path, "SELECT task_id, name FROM checkpoints") == [{"task_id": "t", "name": "plan"}]


async def test_rows_without_a_task_do_not_stop_the_migration(tmp_path: Path) -> None:
    """Another program may have written them: SQLite checks references only where it is told to."""
    path = tmp_path / "gencode.db"
    with database_of_version(path, 5) as database:
        database.execute("PRAGMA foreign_keys = OFF")
        database.execute("INSERT INTO events VALUES ('lost', 1, 'status', '{}')")
    assert await migrated(path) == {}
    assert len(rows(path, "SELECT * FROM events")) == 1


async def test_references_are_enforced_after_the_migration(tmp_path: Path) -> None:
    path = tmp_path / "gencode.db"
    with database_of_version(path, 5):
        pass
    with closing(connect(path, 0)) as database, pytest.raises(sqlite3.IntegrityError):
        database.execute("INSERT INTO checkpoints (task_id, name, data) VALUES ('lost', 'n', '{}')")
