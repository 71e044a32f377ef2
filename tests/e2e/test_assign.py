"""`gencode tasks assign` on the folder of a stopped service."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from gencode.domain.callback import Callback
from gencode.domain.errors import StoreUnusable
from gencode.domain.principal import LOCAL, Principal, PrincipalKind
from gencode.domain.task import State
from gencode.engine.ports.store import IdempotencyKey, TaskQuery
from gencode.storage.data_dir_lock import DATABASE, data_dir_lock
from gencode.storage.sqlite import ownership_transfer
from gencode.storage.sqlite.store import SQLiteStore, open_sqlite
from tests.servers.command import gencode
from tests.servers.service import service
from tests.unit.storage.samples import a_task, an_event

PROMPT = {"prompt": "A static page", "repo_name": "page"}


async def add(store: SQLiteStore, owner: str | Principal, key: str, *, callback: bool = False) -> None:
    """A completed task whose message and idempotency key are `key`."""
    task = a_task(owner, state=State.SUCCEEDED, message=f"{key} of {owner if owner != LOCAL else 'local'}")
    told = Callback(task_id=task.id, kind="webhook", url="https://example.com", host="example.com:443")
    await store.create(
        task,
        {},
        [an_event(task, 1)],
        IdempotencyKey(principal=task.principal.id, value=key, digest="d"),
        told if callback else None,
    )


@pytest.fixture
async def data_dir(tmp_path: Path) -> Path:
    """Two tasks of local, one of alice and one of bob; local and alice have both used the key "same"."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    async with open_sqlite(folder / DATABASE) as store:
        await add(store, LOCAL, "first", callback=True)
        await add(store, LOCAL, "same")
        await add(store, "alice", "same")
        await add(store, "bob", "first")
    return folder


async def tasks_of(data_dir: Path) -> dict[str, list[str]]:
    """The messages of the tasks, by the id and the kind of their client."""
    found: dict[str, list[str]] = {}
    async with open_sqlite(data_dir / DATABASE) as store:
        for task in await store.find(TaskQuery()):
            found.setdefault(f"{task.principal.id} {task.principal.kind}", []).append(task.message)
    return {client: sorted(messages) for client, messages in found.items()}


async def named_by(data_dir: Path, client: str, value: str) -> str | None:
    async with open_sqlite(data_dir / DATABASE) as store:
        task = await store.find_by_key(IdempotencyKey(principal=client, value=value, digest="d"))
        return task.message if task else None


BEFORE = {
    "local local": ["first of local", "same of local"],
    "alice api_key": ["same of alice"],
    "bob api_key": ["first of bob"],
}


async def assigned(data_dir: Path, *options: str) -> dict[str, Any]:
    said = await gencode("tasks", "assign", "--from", "local", *options, "--json", data_dir=data_dir)
    document: dict[str, Any] = json.loads(said)
    return document


async def test_tasks_callbacks_and_keys_go_to_the_other_client_and_nothing_else(data_dir: Path) -> None:
    dry = await assigned(data_dir, "--to", "alice", "--dry-run")
    assert await tasks_of(data_dir) == BEFORE
    done = await assigned(data_dir, "--to", "alice")
    assert done == {**dry, "dry_run": False}
    assert {name: done[name] for name in ("tasks", "callbacks", "idempotency_keys", "dropped_keys")} == {
        "tasks": 2,
        "callbacks": 1,
        "idempotency_keys": 2,
        "dropped_keys": 1,
    }
    assert await tasks_of(data_dir) == {
        "alice api_key": ["first of local", "same of alice", "same of local"],
        "bob api_key": ["first of bob"],
    }
    named = [
        await named_by(data_dir, *key) for key in (("alice", "first"), ("alice", "same"), ("bob", "first"))
    ]
    assert named == ["first of local", "same of alice", "first of bob"]
    assert await named_by(data_dir, "local", "same") is await named_by(data_dir, "local", "first") is None


async def test_tasks_that_are_given_back_to_local_have_its_kind(data_dir: Path) -> None:
    said = await gencode("tasks", "assign", "--from", "bob", "--to", "local", data_dir=data_dir)
    assert "1 tasks of bob" in said
    assert (await tasks_of(data_dir))[f"local {PrincipalKind.LOCAL}"] == [
        "first of bob",
        "first of local",
        "same of local",
    ]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--from", "locla", "--to", "alice"), "clients that have some: local (2), alice (1), bob (1)"),
        (("--from", "local", "--to", "local"), "the same client"),
        (("--from", "local", "--to", "not a name"), "1 to 64 of A-Z"),
    ],
)
async def test_a_mistake_changes_nothing(data_dir: Path, options: tuple[str, ...], words: str) -> None:
    assert words in await gencode("tasks", "assign", *options, data_dir=data_dir, status=2)
    assert await tasks_of(data_dir) == BEFORE


async def test_a_folder_that_is_in_use_is_left_alone(data_dir: Path) -> None:
    with data_dir_lock(data_dir):
        said = await gencode(
            "tasks", "assign", "--from", "local", "--to", "alice", data_dir=data_dir, status=2
        )
    assert "[DATA_DIR_LOCKED]" in said
    assert "only while the service is stopped" in said
    assert await tasks_of(data_dir) == BEFORE


async def test_a_folder_without_a_database_is_refused_and_left_empty(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    said = await gencode(
        "tasks", "assign", "--from", "local", "--to", "a", data_dir=tmp_path / "empty", status=2
    )
    assert "set DATA_DIR" in said
    assert list((tmp_path / "empty").iterdir()) == []


async def test_a_failure_half_way_changes_nothing(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ownership_transfer, "_USED_BY_BOTH", "DELETE FROM no_such_table")
    with pytest.raises(StoreUnusable):
        ownership_transfer.transfer_tasks(data_dir / DATABASE, "local", Principal(id="alice"))
    assert await tasks_of(data_dir) == BEFORE


@pytest.mark.one_process("its DATA_DIR is changed; test_cluster_commands.py does the same in a database")
async def test_the_tasks_from_before_the_first_key_are_handed_over(tmp_path: Path) -> None:
    """As the message of the first key says."""
    async with service(tmp_path, {}) as process:
        async with httpx.AsyncClient(base_url=f"{process.url}/api/v1", trust_env=False) as http:
            sent = {"Idempotency-Key": "order"}
            task = (await http.post("/generate", json=PROMPT, headers=sent)).json()["task_id"]
            assert '"status":"completed"' in (await http.get(f"/status/{task}")).text
        said = await gencode("keys", "make", "alice", data_dir=process.data_dir)
        key = next(word for word in said.split() if word.startswith("gck_"))
        command = said.strip().rpartition("run: gencode ")[2].split()
        assert "DATA_DIR_LOCKED" in await gencode(*command, data_dir=process.data_dir, status=2)
        await process.terminate()
        assert "1 tasks of local" in await gencode(*command, data_dir=process.data_dir)
        await process.start()
        headers = {"Authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(
            base_url=f"{process.url}/api/v1", trust_env=False, headers=headers
        ) as http:
            assert [one["task_id"] for one in (await http.get("/tasks")).json()["tasks"]] == [task]
            again = await http.post("/generate", json=PROMPT, headers={"Idempotency-Key": "order"})
            assert (again.json()["task_id"], again.headers["Idempotency-Replayed"]) == (task, "true")
