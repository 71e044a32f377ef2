"""`gencode prune` on the folder of a stopped service."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gencode.domain.task import State, now
from gencode.engine.ports.store import IdempotencyKey, TaskQuery
from gencode.engine.task_ids import earliest_id
from gencode.storage.data_dir_lock import data_dir_lock
from gencode.storage.sqlite.store import open_sqlite
from tests.servers.command import gencode
from tests.unit.storage.samples import a_task, an_event


@pytest.fixture
async def data_dir(tmp_path: Path) -> Path:
    """Tasks of 100 days ago: two of alice and one of bob are over, one is not. One of today is over."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    then = now() - timedelta(days=100)
    async with open_sqlite(folder / "gencode.db") as store:
        for n, (principal, state, at) in enumerate(
            (
                ("alice", State.SUCCEEDED, then),
                ("alice", State.FAILED, then),
                ("bob", State.CANCELLED, then),
                ("bob", State.PAUSED, then),
                ("alice", State.SUCCEEDED, now()),
            )
        ):
            task = a_task(principal, state=state, created_at=at, updated_at=at, message=str(n))
            task = replace(task, id=earliest_id(at)[:24] + task.id[24:])
            key = IdempotencyKey(principal=principal, value=str(n), digest="d")
            total = {"prompt": 10, "completion": 5, "cached": 0, "cost": "0.5"}
            usage = an_event(task, 1, kind="usage", total=total)
            await store.create(task, {"prompt": "x" * 200_000}, [usage], key)
    return folder


async def left(data_dir: Path) -> set[str]:
    async with open_sqlite(data_dir / "gencode.db") as store:
        return {task.message for task in await store.find(TaskQuery())}


async def pruned(*arguments: str, data_dir: Path, **settings: str) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(
        await gencode("prune", "--json", *arguments, data_dir=data_dir, settings=settings)
    )
    return shown


async def test_a_dry_run_shows_what_goes_and_the_command_makes_the_file_smaller(data_dir: Path) -> None:
    size = (data_dir / "gencode.db").stat().st_size
    dry = await pruned("--older-than", "90", "--dry-run", data_dir=data_dir)
    assert (dry["dry_run"], dry["tasks"], dry["idempotency_keys"], dry["freed_bytes"]) == (True, 3, 4, 0)
    assert [(part["client"], part["tasks"]) for part in dry["deleted"]] == [("alice", 2), ("bob", 1)]
    assert len(await left(data_dir)) == 5
    done = await pruned("--older-than", "90", data_dir=data_dir)
    assert done["deleted"] == dry["deleted"]
    assert done["bytes"] > 600_000
    assert done["idempotency_keys"] == 4  # three of them went with their tasks
    assert done["freed_bytes"] == size - (data_dir / "gencode.db").stat().st_size > 500_000
    assert await left(data_dir) == {"3", "4"}
    async with open_sqlite(data_dir / "gencode.db") as store:
        totals = await store.usage_totals()
    assert {(total.principal, total.tasks, total.cost) for total in totals} == {
        ("alice", 2, "1.0"),
        ("bob", 1, "0.5"),
    }


async def test_without_an_age_the_settings_decide(data_dir: Path) -> None:
    assert (await pruned(data_dir=data_dir, IDEMPOTENCY_KEY_DAYS="0"))["tasks"] == 0
    settings = {"RETENTION_DAYS": "200", "RETENTION_DAYS_BY_CLIENT": '{"bob": 50}'}
    assert (await pruned(data_dir=data_dir, **settings))["tasks"] == 1
    assert await left(data_dir) == {"0", "1", "3", "4"}


async def test_one_clients_tasks_alone(data_dir: Path) -> None:
    words = await gencode("prune", "--older-than", "0.5", "--client", "alice", data_dir=data_dir)
    assert "alice  generate  2 tasks" in words
    assert "0 idempotency keys deleted" in words
    assert await left(data_dir) == {"2", "3", "4"}


async def test_a_running_service_is_left_alone(data_dir: Path) -> None:
    with data_dir_lock(data_dir):
        words = await gencode("prune", "--older-than", "90", data_dir=data_dir, status=2)
    assert "in use by another gencode" in words
    assert "RETENTION_DAYS" in words
    assert len(await left(data_dir)) == 5


async def test_a_folder_without_a_database_is_refused_and_not_made(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    words = await gencode("prune", "--older-than", "90", data_dir=missing, status=2)
    assert "holds no gencode.db" in words
    assert not missing.exists()


@pytest.mark.parametrize("days", ["0", "-1", "nan", "many"])
async def test_an_age_that_is_none_is_refused(tmp_path: Path, days: str) -> None:
    assert "DAYS" in await gencode("prune", f"--older-than={days}", data_dir=tmp_path, status=2)
