"""A checkout of gencode, and the service as a child process of it: only what is public is used."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

START_SECONDS = 60.0
STOP_SECONDS = 20.0
POLL_SECONDS = 0.002
TICKS = os.sysconf("SC_CLK_TCK")
HEADERS = {"Content-Type": "application/json"}


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """`name`: before or now. `compiled`: a folder for what Python compiles, so that none is left in
    `path`."""

    name: str
    path: Path
    compiled: Path

    def environment(self, home: Path) -> dict[str, str]:
        """Nothing is inherited that could be a setting."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "PYTHONPATH": str(self.path),
            "PYTHONPYCACHEPREFIX": str(self.compiled / self.name),
            "PYTHONUNBUFFERED": "1",
        }

    def prove(self) -> None:
        """Raises SystemExit unless a child process imports gencode from here."""
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-c", "import gencode; print(gencode.__file__)"]
            done = subprocess.run(command, cwd=folder, env=self.environment(Path(folder)),
                                  capture_output=True, text=True)  # fmt: skip
        if done.returncode or not Path(done.stdout.strip()).is_relative_to(self.path):
            raise SystemExit(f"{self.path} is no checkout of gencode: {done.stdout}{done.stderr}")


@dataclass(frozen=True, kw_only=True)
class Service:
    """One that runs. `began`: when it was started, by time.perf_counter."""

    pid: int
    port: int
    data_dir: Path
    began: float

    # --- what it is asked ---------------------------------------------------------------------------

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None, *, code: int = 200) -> Any:
        """The JSON of an answer, which must have this status."""
        with self.answer(method, path, body) as answer:
            said = answer.read()
        if answer.status != code:
            raise RuntimeError(f"{method} {path}: {answer.status} {said[:500]!r}")
        return json.loads(said)

    @contextmanager
    def answer(self, method: str, path: str, body: dict[str, Any] | None = None) -> Iterator[HTTPResponse]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, HEADERS)
            yield connection.getresponse()
        finally:
            connection.close()

    def submit(self, **more: Any) -> str:
        """The id of a new task."""
        body = {"prompt": "A library of small modules", "repo_name": f"r{time.time_ns()}", **more}
        task_id: str = self.ask("POST", "/api/v1/generate", body, code=202)["task_id"]
        return task_id

    def events(self, task_id: str, after: int = 0) -> Iterator[tuple[str, dict[str, Any]]]:
        """Kind and data of each of its events, until it is over."""
        kind = ""
        with self.answer("GET", f"/api/v1/status/{task_id}?after={after}") as answer:
            for line in answer:
                name, _, value = line.decode().rstrip("\r\n").partition(": ")
                if name == "event":
                    kind = value
                elif name == "data":
                    yield kind, json.loads(value)

    def follow(self, task_id: str) -> list[tuple[str, dict[str, Any]]]:
        """All its events; it must come to its end."""
        heard = list(self.events(task_id))
        if not any(data.get("status") == "completed" for _, data in heard):
            raise RuntimeError(f"the task did not complete: {heard[-2:]}")
        return heard

    def until(self, task_id: str, enough: Callable[[str, dict[str, Any]], bool]) -> None:
        """Wait until it has had such an event."""
        if not any(enough(kind, data) for kind, data in self.events(task_id)):
            raise RuntimeError(f"the task ended too soon: {self.ask('GET', f'/api/v1/task/{task_id}')}")

    # --- what the kernel and the disk say of it -----------------------------------------------------

    @property
    def cpu(self) -> float:
        """Seconds of processor time, of all its threads and of the children that it has waited for."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / TICKS

    @property
    def rss(self) -> float:
        """MB (of 2**20 bytes)."""
        return int(self._line("status", "VmRSS").split()[0]) / 1024

    @property
    def written(self) -> int:
        """Bytes that it gave to write(2) and pwrite(2): files, but no sockets."""
        return int(self._line("io", "wchar"))

    @property
    def stored(self) -> int:
        """Bytes of the database and its write-ahead log."""
        return sum(path.stat().st_size for path in self.data_dir.glob("*.db*") if path.suffix != ".db-shm")

    def _line(self, file: str, name: str) -> str:
        lines = Path(f"/proc/{self.pid}/{file}").read_text().splitlines()
        return next(line.partition(":")[2] for line in lines if line.startswith(f"{name}:"))


@contextmanager
def serving(checkout: Checkout, **settings: str) -> Iterator[Service]:
    """`python -m gencode serve` of a checkout on a free port and an empty DATA_DIR, once it is ready."""
    with tempfile.TemporaryDirectory(prefix="against-") as name:
        folder = Path(name)
        environment = checkout.environment(folder) | {
            "DATA_DIR": str(folder / "data"),
            "SERVER_PORT": "0",
            "RATE_LIMIT": "10000000/minute",
            "LOG_LEVEL": "ERROR",
            "SHUTDOWN_GRACE": "1",
            **settings,
        }
        said, log = folder / "stdout", folder / "stderr"
        with said.open("wb") as out, log.open("wb") as err:
            began = time.perf_counter()
            process = subprocess.Popen(
                [sys.executable, "-m", "gencode", "serve"],
                stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=folder, env=environment,
            )  # fmt: skip
        try:
            port = _soon(partial(_port, said), process, log)
            service = Service(pid=process.pid, port=port, data_dir=folder / "data", began=began)
            _soon(partial(_ready, service), process, log)
            yield service
        finally:
            _end(process)


def _soon(found: Callable[[], int], process: subprocess.Popen[bytes], log: Path) -> int:
    """Ask until it is found; raises RuntimeError if the process ends, or takes too long."""
    deadline = time.perf_counter() + START_SECONDS
    while not (it := found()):
        if process.poll() is not None or time.perf_counter() > deadline:
            raise RuntimeError(f"gencode did not start: {log.read_text()[-2000:]}")
        time.sleep(POLL_SECONDS)
    return it


def _port(said: Path) -> int:
    """Of the line that welcomes; 0 as long as there is none."""
    line = re.search(r"http://127\.0\.0\.1:(\d+)[^\n]*\n", said.read_text())
    return int(line[1]) if line else 0


def _ready(service: Service) -> bool:
    try:
        with service.answer("GET", "/readyz") as answer:
            return answer.status == 200
    except OSError:
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
