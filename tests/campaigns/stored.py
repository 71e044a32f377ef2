"""What a killed service left on disk, read from a copy: the next one must find the files as they were."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FINISHED = ("succeeded", "failed", "cancelled")


@dataclass(frozen=True, kw_only=True)
class StoredTask:
    """A row of the database. `attempts`: starts since the last checkpoint."""

    id: str
    number: int
    state: str
    attempts: int
    sequence: int
    checkpoints: frozenset[str]

    @property
    def is_finished(self) -> bool:
        return self.state in _FINISHED


def snapshot(data_dir: Path, folder: Path) -> dict[str, StoredTask]:
    """Every task by its id; empty if the service was killed before it made its database. It must not run."""
    for name in ("gencode.db", "gencode.db-wal"):
        copy = folder / name
        copy.unlink(missing_ok=True)
        if (data_dir / name).exists():
            shutil.copyfile(data_dir / name, copy)
    return tasks(folder)


def tasks(folder: Path) -> dict[str, StoredTask]:
    with closing(sqlite3.connect(folder / "gencode.db")) as database:
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'tasks'").fetchall():
            return {}
        checkpoints: Mapping[str, set[str]] = defaultdict(set)
        for task_id, name in database.execute("SELECT task_id, name FROM checkpoints"):
            checkpoints[task_id].add(name)
        rows = database.execute(
            "SELECT id, state, attempts, sequence, requests.data FROM tasks JOIN requests ON task_id = id"
        )
        return {row[0]: stored_task(row, frozenset(checkpoints.get(row[0], ()))) for row in rows}


def logs(data_dir: Path) -> dict[str, list[bytes]]:
    """The log of each task as an event stream, encoded from the rows without the code under test."""
    found: dict[str, list[bytes]] = defaultdict(list)
    with closing(sqlite3.connect(data_dir / "gencode.db")) as database:
        rows = database.execute("SELECT task_id, id, kind, data FROM events ORDER BY task_id, id")
        for task_id, id_, kind, data in rows:
            retry = "retry: 1000\n" if id_ == 1 else ""
            found[task_id].append(f"event: {kind}\nid: {id_}\ndata: {data}\n{retry}\n".encode())
    return found


def stored_task(row: Sequence[Any], checkpoints: frozenset[str]) -> StoredTask:
    """`row`: id, state, attempts, sequence, request."""
    id_, state, attempts, sequence, request = row
    number = int(json.loads(request)["repo_name"].rpartition("-")[2])
    return StoredTask(
        id=id_, number=number, state=state, attempts=attempts, sequence=sequence, checkpoints=checkpoints
    )
