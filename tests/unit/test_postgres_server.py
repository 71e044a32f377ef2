"""The server that tests of PostgreSQL use."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.servers.postgres import MISSING, PostgresServer, is_installed, running_postgres


@pytest.fixture
def other_server() -> Iterator[PostgresServer]:
    """To be stopped by its test."""
    if not is_installed():
        pytest.skip(MISSING)
    with running_postgres() as server:
        yield server


def rows(dsn: str) -> list[tuple[int]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute("SELECT n FROM t ORDER BY n").fetchall()


def fill(dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS n")


def test_each_test_has_a_database_of_its_own(postgres_server: PostgresServer, postgres: str) -> None:
    other = postgres_server.create_database()
    fill(postgres)
    fill(other)
    postgres_server.drop_database(other)
    assert rows(postgres) == [(1,)]
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(other)


def test_databases_are_copies_of_a_template_that_is_filled_once(postgres_server: PostgresServer) -> None:
    names = [postgres_server.template("of this test", fill) for _ in range(2)]
    first, second = map(postgres_server.create_database, names)
    with psycopg.connect(first) as connection:
        connection.execute("INSERT INTO t VALUES (2)")
    assert [rows(first), rows(second)] == [[(1,), (2,)], [(1,)]]


@pytest.mark.parametrize("signal", ["INT", "QUIT"])
def test_a_server_that_is_started_again_has_its_data(other_server: PostgresServer, signal: str) -> None:
    dsn = other_server.create_database()
    fill(dsn)
    other_server.stop(signal)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(dsn)
    other_server.start()
    assert rows(dsn) == [(1,)]


def test_a_killed_test_process_leaves_no_server_behind() -> None:
    if not is_installed():
        pytest.skip(MISSING)
    code = (
        "import os, signal, sys\n"
        "from tests.servers.postgres import running_postgres\n"
        "with running_postgres() as server:\n"
        "    print(server.directory, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    ) as killed:
        assert killed.stdout
        directory = Path(killed.stdout.readline().strip())
    assert killed.returncode == -9
    end = time.monotonic() + 60
    while directory.exists():
        assert time.monotonic() < end
        time.sleep(0.02)
