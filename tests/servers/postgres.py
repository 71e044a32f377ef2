"""A PostgreSQL server of a test process, with one database for each test."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from tests.servers.ports import reserve_port

MISSING = "PostgreSQL's initdb was not found: install the package postgresql (make system)"

_SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''  # the path of a socket is limited to 107 characters
fsync = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
shared_buffers = 32MB
max_connections = 200
"""

# If the test process is killed, the pipe ends, and with it the server and its directory.
_WATCH = """
"$@" </dev/null & server=$!
if read -r signal; then kill -"$signal" $server; wait $server
else kill -QUIT $server; wait $server; rm -rf "$PGDATA"; fi
"""


class PostgresServer:
    """A server on a port of 127.0.0.1. Its superuser `gencode` has no password. See `running_postgres`."""

    def __init__(self, directory: Path) -> None:
        self.port = reserve_port()
        self.directory = directory
        self._names = map("test_{}".format, count(1))
        self._templates: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None

    def dsn(self, database: str = "postgres") -> str:
        return f"postgresql://gencode@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Returns when the server accepts connections."""
        command = [_programs() / "postgres", "-D", self.directory, "-p", str(self.port)]
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["sh", "-c", _WATCH, "sh", *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                **_as_server(self.directory),
            )
        self._wait()

    def stop(self, signal: str = "INT") -> None:
        """INT ends all connections in order; QUIT is like a crash: the next start recovers. Returns when the
        server is gone."""
        if self._process:
            self._process.communicate(f"{signal}\n".encode(), timeout=60)
            self._process = None

    def create_database(self, template: str = "template1") -> str:
        """The address of a new database, a copy of another one that nobody is connected to."""
        name = next(self._names)
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*map(sql.Identifier, (name, template)))
        with psycopg.connect(self.dsn(), autocommit=True) as connection:
            # By default since version 15, all of it is written to the log: that takes twice as long.
            is_choice = connection.info.server_version >= 150_000
            connection.execute(create + sql.SQL(" STRATEGY FILE_COPY") if is_choice else create)
        return self.dsn(name)

    def drop_database(self, dsn: str) -> None:
        """Ends the connections to it."""
        name = sql.Identifier(dsn.rpartition("/")[2])
        self.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))

    def template(self, name: str, fill: Callable[[str], None]) -> str:
        """The name of a template that is made once: `fill` gets the address of an empty database."""
        if name not in self._templates:
            dsn = self.create_database()
            fill(dsn)
            self._templates[name] = dsn.rpartition("/")[2]
        return self._templates[name]

    def execute(self, statement: str | sql.Composable, database: str = "postgres") -> list[Any]:
        """Run one statement as superuser; returns its rows."""
        with psycopg.connect(self.dsn(database), autocommit=True) as connection:
            cursor = connection.execute(statement)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def _wait(self) -> None:
        assert self._process
        end = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(self.dsn(), connect_timeout=10).close()
            except psycopg.OperationalError:
                log = (self.directory / "log").read_text(errors="replace")[-2000:]
                assert self._process.poll() is None, log
                assert time.monotonic() < end, log
                time.sleep(0.02)
            else:
                return


def program(name: str) -> Path:
    """One of its programs, such as pg_dump."""
    folder = _programs()
    assert folder
    return folder / name


def is_installed() -> bool:
    return _programs() is not None


@contextmanager
def running_postgres(settings: str = "", parent: Path | None = None) -> Iterator[PostgresServer]:
    """A server in a directory of its own below `parent` (default: the one for temporary files).

    settings   lines of postgresql.conf, which win over those of `_SETTINGS`
    """
    directory = Path(tempfile.mkdtemp(prefix="gencode-postgres-", dir=parent))
    server = PostgresServer(directory)
    try:
        _initialize(directory, settings)
        server.start()
        yield server
    finally:
        server.stop("QUIT")
        shutil.rmtree(directory)


def _initialize(directory: Path, settings: str) -> None:
    if user := _server_user():
        shutil.chown(directory, user)
    options = ["-U", "gencode", "--auth=trust", "-E", "UTF8", "--no-locale", "--no-sync"]
    command = [_programs() / "initdb", "-D", directory, *options]
    made = subprocess.run(command, capture_output=True, text=True, check=False, **_as_server(directory))
    assert made.returncode == 0, made.stderr
    with (directory / "postgresql.conf").open("a") as file:
        file.write(_SETTINGS + settings)


def _as_server(directory: Path) -> dict[str, Any]:
    """How its processes are run: PostgreSQL refuses to run as root. Ctrl-C does not reach them."""
    environment = {"PATH": os.environ["PATH"], "PGDATA": str(directory), "LC_ALL": "C", "TZ": "UTC"}
    run: dict[str, Any] = {"cwd": directory, "env": environment, "start_new_session": True}
    user = _server_user()
    return run | ({"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {})


@cache
def _server_user() -> str | None:
    """None: the present one."""
    if os.geteuid() != 0:
        return None
    users = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in users)


@cache
def _programs() -> Path | None:
    """The directory of initdb. Debian puts it on no path."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    directories = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = sorted(directories, key=lambda path: float(path.parts[4]))
    return newest[-1].parent if newest else None
