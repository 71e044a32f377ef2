"""Starts services and commands by fork from a process that has imported gencode once, which takes a second.

A forked service is a process of its own: `python -m MODULE` with the given environment and folder. Where the
start of the interpreter itself matters, `Service.launch` starts a fresh one.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import anyio
import anyio.to_thread
from anyio.abc import ByteReceiveStream

ROOT = Path(__file__).parents[2]
_MESSAGE = 2**17
"""Bytes of a request at most."""
_IMPORTED = ("gencode.bootstrap.command_registry", "gencode.bootstrap.commands.serve")
_IMPORTED_FOR_CLUSTERS = ("gencode.bootstrap.cluster", "gencode.bootstrap.commands.worker")
"""Before the first service with a DATABASE_URL is forked."""
_IMPORTED_FOR_WORKSPACES = ("gencode.bootstrap.workspace",)
"""Before the first service with a workspace is forked."""


@dataclass(frozen=True, kw_only=True)
class _Request:
    arguments: list[str]
    environment: dict[str, str]
    folder: str


# --- the tests' side --------------------------------------------------------------------------------


class ForkedProcess:
    """Like anyio's Process, as far as Service uses it."""

    def __init__(self, pid: int, stdout: int, status: int) -> None:
        self.pid = pid
        self.stdout = _Pipe(stdout)
        self._status = _Pipe(status)
        self._returncode: int | None = None

    @property
    def returncode(self) -> int | None:
        """Negative for the signal that ended it; None while it runs."""
        if self._returncode is None:
            with suppress(BlockingIOError):
                self._returncode = int(self._status.read())
        return self._returncode

    async def wait(self) -> int:
        while self.returncode is None:
            await self._status.readable()
        assert self._returncode is not None
        return self._returncode

    async def aclose(self) -> None:
        await self.stdout.aclose()
        await self._status.aclose()


class _Pipe(ByteReceiveStream):
    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor

    def read(self, max_bytes: int = 65536) -> bytes:
        """Raises BlockingIOError if nothing is there."""
        return os.read(self._descriptor, max_bytes)

    async def readable(self) -> None:
        await anyio.wait_readable(self._descriptor)

    async def receive(self, max_bytes: int = 65536) -> bytes:
        while True:
            await self.readable()
            with suppress(BlockingIOError):
                if data := self.read(max_bytes):
                    return data
                raise anyio.EndOfStream

    async def aclose(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class ForkServer:
    """Its process is started when it is first needed. To be stopped by its owner.

    is_enabled  in a test run; benchmarks and campaigns start each service as users do
    """

    def __init__(self) -> None:
        self.is_enabled = False
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    async def start(
        self, module: Sequence[str], environment: Mapping[str, str], folder: Path, stderr: int | None = None
    ) -> ForkedProcess:
        """`python -m *module` in this folder. Without a descriptor, errors are written to the output."""
        request = _Request(arguments=list(module), environment=dict(environment), folder=str(folder))
        with anyio.CancelScope(shield=True):  # else it would run on, and nobody would know it
            return await anyio.to_thread.run_sync(self._start, json.dumps(asdict(request)).encode(), stderr)

    def stop(self) -> None:
        if self._socket and self._process:
            self._socket.close()
            self._process.wait()
        self._socket = self._process = None

    def _start(self, request: bytes, stderr: int | None) -> ForkedProcess:
        stdout, child_stdout = os.pipe()
        status, server_status = os.pipe()
        try:
            with self._lock:
                connection = self._connected()
                child_stderr = child_stdout if stderr is None else stderr
                socket.send_fds(connection, [request], [child_stdout, child_stderr, server_status])
                pid = int(connection.recv(100))
        finally:
            os.close(child_stdout)
            os.close(server_status)
        return ForkedProcess(pid, stdout, status)

    def _connected(self) -> socket.socket:
        if self._socket is None:
            self._socket, remote = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with remote:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", __name__, str(remote.fileno())],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    cwd=ROOT,
                    env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"},
                    pass_fds=[remote.fileno()],
                )
        return self._socket


FORK_SERVER = ForkServer()
"""Of this process."""


# --- the server -------------------------------------------------------------------------------------


class _Server:
    """Forks at each request; writes the status of each process that ended to the pipe of its request."""

    def __init__(self, requests: socket.socket) -> None:
        self._requests = requests
        self._statuses: dict[int, int] = {}
        self._ended, self._signals = socket.socketpair()
        for one in (self._ended, self._signals):
            one.setblocking(False)
        signal.set_wakeup_fd(self._signals.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)  # otherwise nothing is written to it
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def serve(self) -> list[str]:
        """Returns in a forked process, with its arguments; in the server, [] when the tests are over."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._requests, selectors.EVENT_READ)
            selector.register(self._ended, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.fileobj is self._ended:
                        self._ended.recv(4096)
                        self._report()
                    elif (arguments := self._fork()) is not None:
                        return arguments

    def _fork(self) -> list[str] | None:
        """None in the server, to go on."""
        data, descriptors, _, _ = socket.recv_fds(self._requests, _MESSAGE, 3)
        if not data:
            return []
        stdout, stderr, status = descriptors
        wanted = _Request(**json.loads(data))
        if "DATABASE_URL" in wanted.environment:
            _import(_IMPORTED_FOR_CLUSTERS)
        if wanted.environment.get("WORKSPACE") == "true":
            _import(_IMPORTED_FOR_WORKSPACES)
        if pid := os.fork():
            os.close(stdout)
            os.close(stderr)
            self._statuses[pid] = status
            self._requests.send(str(pid).encode())
            return None
        os.dup2(stdout, 1)
        os.dup2(stderr, 2)
        for descriptor in (*descriptors, *self._statuses.values()):
            os.close(descriptor)
        return self._be_a_fresh_process(wanted)

    def _be_a_fresh_process(self, request: _Request) -> list[str]:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for one in (self._requests, self._ended, self._signals):
            one.close()
        os.environ.clear()
        os.environ.update(request.environment)
        os.chdir(request.folder)
        return request.arguments

    def _report(self) -> None:
        for pid in list(self._statuses):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                descriptor = self._statuses.pop(pid)
                with suppress(BrokenPipeError):
                    os.write(descriptor, str(os.waitstatus_to_exitcode(status)).encode())
                os.close(descriptor)


def _import(modules: Sequence[str]) -> None:
    """Nothing, if they are there."""
    if any(module not in sys.modules for module in modules):
        for module in modules:
            __import__(module)
        gc.collect()
        gc.freeze()


def main() -> None:
    requests = socket.socket(fileno=int(sys.argv[1]))
    _import(_IMPORTED)
    if arguments := _Server(requests).serve():
        sys.argv = arguments
        runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
