"""A MariaDB server of a test process, which is reached by a socket only."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

_OPTIONS = ("--no-defaults", "--skip-networking", "--skip-log-bin", "--innodb-flush-log-at-trx-commit=0")

# If the test process is killed, the pipe ends, and with it the server.
_WATCH = '"$@" </dev/null & server=$!; read -r _; kill $server; wait $server'


def is_installed() -> bool:
    """The server, and a driver for it."""
    programs = shutil.which("mariadbd"), shutil.which("mariadb-install-db")
    return None not in programs and find_spec("pymysql") is not None


@contextmanager
def running_mariadb() -> Iterator[Path]:
    """The socket of a server in a directory of its own; the user `root` has no password."""
    directory = Path(tempfile.mkdtemp(prefix="gencode-mariadb-"))
    try:
        _initialize(directory)
        with _started(directory) as socket:
            yield socket
    finally:
        shutil.rmtree(directory)


def _initialize(directory: Path) -> None:
    if user := _user():
        shutil.chown(directory, user)
    options = ["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]
    user_option = [f"--user={user}"] if user else []
    command = ["mariadb-install-db", *options, f"--datadir={directory}/data", *user_option]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr


@contextmanager
def _started(directory: Path) -> Iterator[Path]:
    socket, log = directory / "socket", directory / "log"
    user = _user()
    places = [f"--datadir={directory}/data", f"--socket={socket}", f"--pid-file={directory}/pid"]
    command = ["mariadbd", *_OPTIONS, *places, *([f"--user={user}"] if user else [])]
    with log.open("ab") as output:
        process = subprocess.Popen(
            ["sh", "-c", _WATCH, "sh", *command],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _wait(process, socket, log)
        yield socket
    finally:
        process.communicate(b"\n", timeout=60)


def _wait(process: subprocess.Popen[bytes], socket: Path, log: Path) -> None:
    """The socket is made when the server listens."""
    end = time.monotonic() + 60
    while not socket.exists():
        written = log.read_text(errors="replace")[-2000:]
        assert process.poll() is None, written
        assert time.monotonic() < end, written
        time.sleep(0.05)


def _user() -> str | None:
    """None: the present one. As root, it must be told."""
    if os.geteuid() != 0:
        return None
    users = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("mysql", "nobody", "root") if name in users)
