"""A database server of the run: started in an empty folder, reached over a Unix socket, asked by its own
client. What the project says about its database is not asked."""

from __future__ import annotations

import glob
import os
import re
import shutil
import subprocess
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gencode.certification.programs import gencode_build_commands as commands
else:
    import gencode_build_commands as commands

START_SECONDS, QUERY_SECONDS = 60.0, 60.0
POLL_SECONDS = 0.05


class Broken(Exception):
    """The server does not run: a fault of the machine."""


class Unavailable(Exception):
    """The server is not installed here."""


class Database:
    """A server with its folder."""

    name = ""
    programs: tuple[str, ...] = ()

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.server: subprocess.Popen[bytes] | None = None
        self._paths = {name: self._found(name) for name in self.programs}

    def _found(self, name: str) -> str:
        path = shutil.which(name, path=os.pathsep.join([*self.places(), os.environ["PATH"]]))
        if not path:
            raise Unavailable(f"{name} ({self.name}) is not installed in the sandbox")
        return path

    def places(self) -> Sequence[str]:
        return ()

    def make_command(self) -> list[str]:
        raise NotImplementedError

    def serve_command(self) -> list[str]:
        raise NotImplementedError

    def query_command(self, database: str, sql: str) -> list[str]:
        raise NotImplementedError

    def url(self, database: str) -> str:
        """As SQLAlchemy reads it."""
        raise NotImplementedError

    @property
    def version(self) -> str:
        said = self._asked([self._paths[self.programs[0]], "--version"])
        found = re.search(r"\d+(?:\.\d+)+", said)
        return found[0] if found else said.strip()[:50]

    def start(self) -> None:
        os.makedirs(self.folder, exist_ok=True)
        self._asked(self.make_command())
        with open(f"{self.folder}/log", "wb") as log:
            self.server = commands.start(self.serve_command(), self.folder, {}, log.fileno())
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                self.query("", "select 1")
            except Broken:
                if time.monotonic() > until or self.server.poll() is not None:
                    raise Broken(f"{self.name} does not start: {self._last_line()}") from None
                time.sleep(POLL_SECONDS)
            else:
                return

    def _last_line(self) -> str:
        with open(f"{self.folder}/log", encoding="utf-8", errors="replace") as log:
            lines = log.read()[-5000:].strip().splitlines()
        return lines[-1][:300] if lines else "it said nothing"

    def _asked(self, command: list[str]) -> str:
        try:
            done = subprocess.run(  # noqa: S603
                command,
                capture_output=True,
                close_fds=False,
                timeout=QUERY_SECONDS,
                check=False,
                stdin=subprocess.DEVNULL,
            )
        except subprocess.TimeoutExpired:
            raise Broken(f"{command[0]} does not end") from None
        if done.returncode:
            raise Broken(f"{command[0]}: {done.stderr.decode('utf-8', 'replace').strip()[-300:]}")
        return done.stdout.decode("utf-8", "replace")

    def query(self, database: str, sql: str) -> list[str]:
        """The lines of the answer."""
        return self._asked(self.query_command(database, sql)).splitlines()

    def create(self, database: str) -> None:
        raise NotImplementedError

    def quoted(self, table: str) -> str:
        raise NotImplementedError

    def table_names(self) -> str:
        """A query."""
        raise NotImplementedError

    def tables(self, database: str) -> list[str]:
        return [name for name in self.query(database, self.table_names()) if name != "alembic_version"]

    def counts(self, database: str) -> dict[str, int]:
        """Rows by table."""
        tables = self.tables(database)
        each = " union all ".join(f"select {n}, count(*) from {self.quoted(t)}" for n, t in enumerate(tables))  # noqa: S608
        lines = self.query(database, each) if tables else []
        rows = [re.split(r"[|\t]", line) for line in lines]
        return {tables[int(number)]: int(count) for number, count in rows}


class PostgreSQL(Database):
    name = "postgresql"
    programs = ("postgres", "initdb", "psql")

    def places(self) -> Sequence[str]:
        found = glob.glob("/usr/lib/postgresql/*/bin")
        return sorted(found, key=lambda path: [int(part) for part in re.findall(r"\d+", path)], reverse=True)

    def make_command(self) -> list[str]:
        options = ("--auth=trust", "--username=sandbox", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
        return [self._paths["initdb"], "-D", f"{self.folder}/data", *options]

    def serve_command(self) -> list[str]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": self.folder,
            "fsync": "off",
            "shared_buffers": "16MB",
            "max_connections": "40",
            "dynamic_shared_memory_type": "mmap",
            "autovacuum": "off",
            "jit": "off",
        }
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [self._paths["postgres"], "-D", f"{self.folder}/data", *words]

    def query_command(self, database: str, sql: str) -> list[str]:
        where = ("-h", self.folder, "-U", "sandbox", "-d", database or "postgres")
        return [self._paths["psql"], "-X", *where, "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql]

    def create(self, database: str) -> None:
        self.query("", f"create database {database}")

    def quoted(self, table: str) -> str:
        return '"' + table.replace('"', '""') + '"'

    def table_names(self) -> str:
        return "select tablename from pg_tables where schemaname = 'public' order by 1"

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://sandbox@/{database}?host={self.folder}"


class MariaDB(Database):
    name = "mariadb"
    programs = ("mariadbd", "mariadb-install-db", "mariadb")

    def places(self) -> Sequence[str]:
        return ("/usr/sbin", "/usr/bin")

    def _socket(self) -> str:
        return f"{self.folder}/socket"

    def make_command(self) -> list[str]:
        options = ("--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve")
        program = self._paths["mariadb-install-db"]
        return [program, "--no-defaults", f"--datadir={self.folder}/data", *options, *_SMALL]

    def serve_command(self) -> list[str]:
        places = (f"--datadir={self.folder}/data", f"--socket={self._socket()}", f"--tmpdir={self.folder}")
        return [self._paths["mariadbd"], "--no-defaults", *places, "--skip-networking", *_SMALL]

    def query_command(self, database: str, sql: str) -> list[str]:
        where = ("-u", "root", f"--socket={self._socket()}", *((database,) if database else ()))
        return [self._paths["mariadb"], "--no-defaults", *where, "--batch", "--skip-column-names", "-e", sql]

    def create(self, database: str) -> None:
        self.query("", f"create database {database} character set utf8mb4")

    def quoted(self, table: str) -> str:
        return "`" + table.replace("`", "``") + "`"

    def table_names(self) -> str:
        return "select table_name from information_schema.tables where table_schema = database() order by 1"

    def url(self, database: str) -> str:
        return f"mysql+pymysql://root@localhost/{database}?unix_socket={self._socket()}&charset=utf8mb4"


_SMALL = (
    "--innodb-log-file-size=8M",
    "--innodb-buffer-pool-size=32M",
    "--innodb-flush-log-at-trx-commit=0",
    "--performance-schema=off",
)
DATABASES = {"postgresql": PostgreSQL, "mysql": MariaDB}
