"""Processes and files of the runs: what a run leaves behind is ended and removed, and cannot reach the
process that judges it."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shutil
import signal
import stat
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 4, 36
POLL_SECONDS, LOOK_SECONDS, LEAVE_SECONDS = 0.005, 0.25, 1.0
KEPT = ("cache", "node_modules")
"""Folders of the work folder that runs share."""
_HELPERS = (b"multiprocessing.resource_tracker", b"multiprocessing.forkserver")
"""Processes that Python itself leaves running."""


class Answer:
    """Writes the report to the standard output of this process, which no child has."""

    def __init__(self) -> None:
        self._out = os.dup(1)
        discard_output()

    def close(self) -> None:
        """In a child."""
        os.close(self._out)

    def write(self, report: Any) -> None:
        data = report.encode() if isinstance(report, str) else json.dumps(report).encode()
        while data:
            data = data[os.write(self._out, data) :]


def protect() -> None:
    """Children can neither trace this process nor open its files, and their orphans become its children."""
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def unprotect() -> None:
    """In a child, which programs may look at as usual."""
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)


def discard_output() -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.close(nothing)


def wait(process: int, seconds: float, progress: Callable[[], object], stall_seconds: float) -> bool:
    """Until a child ends; whether it did so by itself. It is ended after `seconds`, or if what `progress`
    returns has not changed for `stall_seconds`."""
    begun = changed = looked = time.monotonic()
    known = progress()
    while True:
        if os.waitpid(process, os.WNOHANG)[0]:
            return True
        now = time.monotonic()
        if now - looked >= LOOK_SECONDS:
            looked, (known, changed) = now, _changed(progress(), known, changed, now)
        if now - begun > seconds or now - changed > stall_seconds:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            return False
        time.sleep(POLL_SECONDS)


def _changed(found: object, known: object, changed: float, now: float) -> tuple[object, float]:
    return (known, changed) if found == known else (found, now)


def left_behind() -> bool:
    """Whether orphans of a run that has ended are still there after a moment."""
    until = time.monotonic() + LEAVE_SECONDS
    while any(_is_running(pid) for pid in children()):
        if time.monotonic() > until:
            return True
        time.sleep(POLL_SECONDS)
    return False


def end_children(kept: Iterable[int] = ()) -> None:
    """All descendants but those of `kept`: orphans become children of this process, too."""
    while found := [pid for pid in children() if pid not in kept]:
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for pid in found:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


def children() -> Iterator[int]:
    for name in os.listdir("/proc"):
        if name.isdigit() and _parent(name) == os.getpid():
            yield int(name)


def _parent(name: str) -> int:
    with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
        return int(file.read().rpartition(b")")[2].split()[1])
    return 0


def _is_running(pid: int) -> bool:
    with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as file:
        command = file.read()
        return bool(command) and not any(helper in command for helper in _HELPERS)
    return False


def clean(folder: str, *others: str) -> None:
    """Remove what is in these folders, except KEPT; in others than the first one only if they are a
    sandbox's: this process is then the first one after process 1."""
    for place in (folder, *(others if (os.getppid(), os.getpid()) == (1, 2) else ())):
        with contextlib.suppress(OSError):
            for name in os.listdir(place):
                if name not in KEPT:
                    remove(os.path.join(place, name))


def remove(path: str) -> None:
    """A file or folder, also one whose mode does not allow it."""
    if os.path.islink(path) or not os.path.isdir(path):
        with contextlib.suppress(OSError):
            os.unlink(path)
        return
    for parent, folders, _ in os.walk(path):
        for name in folders:
            inner = os.path.join(parent, name)
            if not os.path.islink(inner):
                with contextlib.suppress(OSError):
                    os.chmod(inner, stat.S_IRWXU)
    shutil.rmtree(path, ignore_errors=True)


def write_project(folder: str, files: dict[str, str]) -> None:
    for path, content in files.items():
        target = os.path.join(folder, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w", encoding="utf-8", newline="") as file:
            file.write(content)


def read_project(folder: str) -> Iterator[tuple[str, str]]:
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            with open(path, encoding="utf-8", newline="") as file:
                yield os.path.relpath(path, folder), file.read()


def serve(make_report: Callable[[dict[str, Any], Answer], dict[str, Any]]) -> None:
    """Read job.json, and answer with the report that is made of it."""
    answer = Answer()
    protect()
    with open("job.json", encoding="utf-8") as file:
        job = json.load(file)
    try:
        answer.write(make_report(job, answer))
    except Exception as error:
        answer.write(f"{type(error).__name__}: {error}"[:1000])
        sys.exit(1)
