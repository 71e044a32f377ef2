"""What a dead service left on disk, read from a copy: recovery must find the files as the kill left them."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections import defaultdict
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_OVER = ("completed", "failed", "cancelled")


@dataclass(frozen=True, kw_only=True)
class Stored:
    """One task as the store has it. `attempts`: starts since the last progress that was kept."""

    id: str
    number: int
    status: str
    attempts: int
    sequence: int
    checkpoints: frozenset[str]

    @property
    def over(self) -> bool:
        return self.status in _OVER


def snapshot(data_dir: Path, folder: Path) -> dict[str, Stored]:
    """Every task by its id. The service must not run; empty if it never came to make its database."""
    for name in ("gencode.db", "gencode.db-wal"):
        copy = folder / name
        copy.unlink(missing_ok=True)
        if (data_dir / name).exists():
            shutil.copyfile(data_dir / name, copy)
    return tasks(folder)


def tasks(folder: Path) -> dict[str, Stored]:
    with closing(sqlite3.connect(folder / "gencode.db")) as database:
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'tasks'").fetchall():
            return {}
        checkpoints: Mapping[str, set[str]] = defaultdict(set)
        for task_id, name in database.execute("SELECT task_id, name FROM parts"):
            checkpoints[task_id].add(name)
        rows = database.execute("SELECT id, status, attempts, sequence, request FROM tasks")
        return {row[0]: _stored(row, frozenset(checkpoints.get(row[0], ()))) for row in rows}


def logs(data_dir: Path) -> dict[str, list[bytes]]:
    """Each task's log as the event-stream format wants it, made from the rows without the product's code."""
    found: dict[str, list[bytes]] = defaultdict(list)
    with closing(sqlite3.connect(data_dir / "gencode.db")) as database:
        rows = database.execute("SELECT task_id, id, kind, data FROM events ORDER BY task_id, id")
        for task_id, id_, kind, data in rows:
            found[task_id].append(f"event: {kind}\nid: {id_}\ndata: {data}\n\n".encode())
    return found


def _stored(row: tuple[Any, ...], checkpoints: frozenset[str]) -> Stored:
    id_, status, attempts, sequence, request = row
    number = int(json.loads(request)["repo_name"].rpartition("-")[2])
    return Stored(
        id=id_, number=number, status=status, attempts=attempts, sequence=sequence, checkpoints=checkpoints
    )
