"""Runs migrations between generated versions of blueprints on real databases.

    python -m tests.campaigns.migration --count 200 --seed 1 --databases postgresql,mysql

Each case goes to the older version, inserts rows, goes to the newer one, compares the database with the
models (`alembic check`, and every column and constraint), compares the rows, goes back, and up again.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from gencode.blueprints.rendering import Database
from tests.campaigns.migration_case import CaseReport, run_case
from tests.servers.mariadb import running_mariadb
from tests.servers.postgres import running_postgres
from tests.unit.blueprints.generated_versions import generated_versions


@contextmanager
def database_url(database: Database) -> Iterator[str]:
    """Of an empty database of a server that is started for it."""
    if database is Database.POSTGRESQL:
        with running_postgres() as server:
            yield server.create_database().replace("postgresql://", "postgresql+psycopg://")
        return
    with running_mariadb() as socket:
        pymysql: Any = import_module("pymysql")
        with pymysql.connect(unix_socket=str(socket), user="root") as connection:
            connection.cursor().execute("CREATE DATABASE cases CHARACTER SET utf8mb4")
        yield f"mysql+pymysql://root@localhost/cases?unix_socket={socket}&charset=utf8mb4"


def run_seed(seed: int, database: Database, url: str) -> CaseReport:
    """Raises MigrationFault, or what the database says."""
    old, new = generated_versions(seed)
    with tempfile.TemporaryDirectory() as folder:
        return run_case(old, new, database, url, Path(folder), seed)


def run_campaign(database: Database, seeds: range) -> Counter[str]:
    """How many cases did what; `faults` must be 0. Each fault is printed with its seed."""
    counts: Counter[str] = Counter()
    waiting = list(seeds)
    while waiting:
        with database_url(database) as url:
            while waiting and _run(waiting.pop(0), database, url, counts):
                pass
    return counts


def _run(seed: int, database: Database, url: str, counts: Counter[str]) -> bool:
    """Whether the database can be used for a further case."""
    counts["cases"] += 1
    try:
        report = run_seed(seed, database, url)
    except Exception:
        counts["faults"] += 1
        print(f"--- seed {seed} on {database.value}", flush=True)
        traceback.print_exc(limit=-2, file=sys.stdout)
        return False
    counts["operations"] += report.operations
    counts["destructive operations"] += report.destructive
    counts["values kept"] += report.values_kept
    counts["held for a decision"] += report.held
    counts["downgrades held"] += report.held_back
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--databases", default="postgresql,mysql")
    given = parser.parse_args()
    faults = 0
    for name in given.databases.split(","):
        started = time.monotonic()
        counts = run_campaign(Database(name), range(given.seed, given.seed + given.count))
        told = ", ".join(f"{count:,} {what}" for what, count in counts.items())
        print(f"{name}: {told}; {time.monotonic() - started:.0f} s", flush=True)
        faults += counts["faults"]
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
