"""The first process of a sandbox: writes the files, runs the program with limits, ends all processes, and
returns what was asked for.

Its text is given to the Python of the sandbox, which may be older than the service's (3.8), so it uses the
standard library only. It reads from standard input one line of JSON and the files, and writes to standard
output READY, then one line of JSON and the data. The program cannot reach these pipes: it is another process,
and this one cannot be traced, nor killed from inside, because it is process 1.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import select
import signal
import stat
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

READY = b"gencode sandbox 1\n"
POLL_SECONDS = 0.02
PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 4, 36, 38
NOT_STARTED = 127
PART = 65536


def main() -> None:
    _protect()
    head = json.loads(sys.stdin.buffer.readline())
    os.chdir(head["folder"])
    for path, size in head["files"]:
        _write(path, sys.stdin.buffer.read(size))
    sys.stdout.buffer.write(READY)
    sys.stdout.buffer.flush()
    began = time.monotonic()
    program, output = _start(head)
    run = Run(program, output, head["limits"])
    run.supervise()
    seconds = time.monotonic() - began
    run.end_all()
    _answer(run, seconds, head)


def _protect() -> None:
    """Other processes of the same user can then neither trace this one nor open its files. It becomes the
    parent of processes that the program leaves behind."""
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def _write(path: str, data: bytes) -> None:
    folder = os.path.dirname(path)
    if folder:
        os.makedirs(folder, exist_ok=True)
    with open(path, "xb") as file:
        file.write(data)


def _start(head: dict[str, Any]) -> tuple[int, int]:
    """The id of the program's process, and the descriptor from which its output is read."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        _become(head, writing)
    os.close(writing)
    return child, reading


def _become(head: dict[str, Any], output: int) -> NoReturn:
    """Make this process the program."""
    command: list[str] = head["command"]
    try:
        os.setsid()
        os.nice(10)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (output, 1), (output, 2)):
            os.dup2(source, target)
        _limit(head["limits"], head["counts_processes"])
        os.execvpe(command[0], command, head["environment"])  # noqa: S606
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
    finally:
        os._exit(NOT_STARTED)


def _limit(limits: dict[str, Any], counts_processes: bool) -> None:
    values = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: limits["cpu_seconds"],
        resource.RLIMIT_AS: limits["address_space"],
        resource.RLIMIT_FSIZE: limits["file_bytes"],
    }
    if counts_processes:
        values[resource.RLIMIT_NPROC] = limits["processes"]
    for kind, value in values.items():
        hard = resource.getrlimit(kind)[1]
        most = value + 1 if kind == resource.RLIMIT_CPU else value
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (min(value, most), most))


class Run:
    """One program with its descendants."""

    def __init__(self, program: int, output: int, limits: dict[str, Any]) -> None:
        self.killed_by = ""
        self.output = bytearray()
        self._program = program
        self._status: int | None = None
        self._pipe = output
        self._limits = limits
        self._next_look = 0.0

    @property
    def exit_code(self) -> int:
        status = self._status or 0
        return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)

    def supervise(self) -> None:
        """Return when the program has ended, or a limit is exceeded."""
        until = time.monotonic() + self._limits["seconds"]
        pipes = [self._pipe, 0]
        while self._status is None and not self.killed_by:
            ready = select.select(pipes, [], [], POLL_SECONDS)[0]
            if 0 in ready and not os.read(0, 1):
                self.end_all()
                sys.exit("the service has ended")
            if self._pipe in ready and not self._read():
                pipes = [0]
            while self._wait(os.WNOHANG):
                pass
            self._compare(until)

    def end_all(self) -> None:
        """End every process of the sandbox, then read what is left of the output."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getpid() == 1:
                os.kill(-1, signal.SIGKILL)
            else:
                os.killpg(self._program, signal.SIGKILL)
        while self._wait(0):
            pass
        os.set_blocking(self._pipe, False)
        with contextlib.suppress(BlockingIOError):
            while not self.killed_by and self._read():
                pass

    def _read(self) -> bytes:
        part = os.read(self._pipe, PART)
        room = self._limits["output_bytes"] - len(self.output)
        self.output += part[:room]
        if len(part) > room:
            self.killed_by = "output"
        return part

    def _wait(self, flags: int) -> bool:
        """Whether a process had ended."""
        try:
            pid, status, used = os.wait4(-1, flags)
        except ChildProcessError:
            return False
        if pid == self._program:
            self._status = status
            if self.exit_code == -signal.SIGXCPU or self._is_spent(used):
                self.killed_by = self.killed_by or "processor_time"
        return pid != 0

    def _is_spent(self, used: resource.struct_rusage) -> bool:
        """Whether a program that does not end by SIGXCPU was killed a second later."""
        seconds = used.ru_utime + used.ru_stime
        return self.exit_code == -signal.SIGKILL and seconds >= self._limits["cpu_seconds"]

    def _compare(self, until: float) -> None:
        """With the limits, unless the program has ended."""
        if self._status is None and not self.killed_by:
            self.killed_by = self._exceeded(until)

    def _exceeded(self, until: float) -> str:
        """The limit that all processes together exceed, or ""."""
        now = time.monotonic()
        if now >= until:
            return "time"
        if os.getpid() != 1 or now < self._next_look:
            return ""
        self._next_look = now + POLL_SECONDS
        tasks, pages = _usage()
        if tasks > self._limits["processes"]:
            return "processes"
        return "memory" if pages * resource.getpagesize() > self._limits["memory"] else ""


def _usage() -> tuple[int, int]:
    """Processes and threads, and pages of memory, of all processes but this one."""
    tasks = pages = 0
    for name in os.listdir("/proc"):
        if name.isdigit() and name != "1":
            with contextlib.suppress(OSError, ValueError, IndexError), open(f"/proc/{name}/statm") as file:
                pages += int(file.read().split()[1])
                tasks += len(os.listdir(f"/proc/{name}/task"))
    return tasks, pages


def _answer(run: Run, seconds: float, head: dict[str, Any]) -> None:
    files = _collected(head["folder"], head["collect"], head["limits"]["collected_bytes"])
    answer = {
        "exit_code": run.exit_code,
        "killed_by": run.killed_by,
        "seconds": seconds,
        "output": len(run.output),
        "files": [[path, len(data)] for path, data in files],
    }
    out = sys.stdout.buffer
    out.write(json.dumps(answer).encode() + b"\n" + bytes(run.output))
    for _, data in files:
        out.write(data)
    out.flush()


def _collected(folder: str, paths: list[str], most: int) -> list[tuple[str, bytes]]:
    """Those of the files that are regular, reached without a link, and together within the limit."""
    found = []
    for path in paths:
        data = _regular_file(folder, path, most)
        if data is not None:
            found.append((path, data))
            most -= len(data)
    return found


def _regular_file(folder: str, path: str, most: int) -> bytes | None:
    with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
        *parents, name = path.split("/")
        at: int | None = None
        for part in (folder, *parents):
            at = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
            stack.callback(os.close, at)
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=at)
        stack.callback(os.close, file)
        about = os.fstat(file)
        if stat.S_ISREG(about.st_mode) and about.st_nlink == 1 and about.st_size <= most:
            return _at_most(most, lambda: os.read(file, PART))
    return None


def _at_most(most: int, read: Callable[[], bytes]) -> bytes | None:
    data = bytearray()
    while len(data) <= most:
        part = read()
        if not part:
            return bytes(data)
        data += part
    return None


if __name__ == "__main__":
    main()
