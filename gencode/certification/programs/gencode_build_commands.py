"""Runs one command of a step: what it wrote, how it ended, and nothing of it is left."""

from __future__ import annotations

import hashlib
import os
import select
import subprocess
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gencode.sandbox.programs import gencode_processes as processes
else:
    import gencode_processes as processes

TAIL_BYTES = 64 * 1024
PART = 65536
POLL_SECONDS = 0.02


class Unproven(Exception):
    """A step has failed; the text says why."""


class TimeIsUp(Unproven):
    """The limit of a step was reached."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the limit of {seconds:.0f} s was reached")


class Log:
    """What a step wrote: the digest of all of it, and its end."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._tail = bytearray()

    def write(self, data: bytes) -> None:
        self._digest.update(data)
        self._tail += data
        del self._tail[:-TAIL_BYTES]

    def line(self, text: str) -> None:
        self.write(text.encode("utf-8", "replace") + b"\n")

    @property
    def digest(self) -> str:
        return self._digest.hexdigest()

    @property
    def tail(self) -> str:
        return self._tail.decode("utf-8", "replace")


class Deadline:
    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until = time.monotonic() + seconds

    @property
    def is_over(self) -> bool:
        return time.monotonic() > self._until

    def check(self) -> None:
        if self.is_over:
            raise TimeIsUp(self._seconds)


def start(
    command: Sequence[str], folder: str, environment: Mapping[str, str], output: int
) -> subprocess.Popen[bytes]:
    """The process leads a session. It inherits nothing: all descriptors are closed by exec, and /proc cannot
    be read to list them. Raises Unproven."""
    try:
        return subprocess.Popen(  # noqa: S603
            list(command),
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            close_fds=False,
            start_new_session=True,
        )
    except OSError as error:
        raise Unproven(f"{command[0]} cannot be started: {error.strerror}") from None


def run(
    command: Sequence[str],
    folder: str,
    environment: Mapping[str, str],
    deadline: Deadline,
    log: Log,
    kept: Iterable[int] = (),
) -> int:
    """The exit code. Every process but `kept` is then ended. Raises TimeIsUp, Unproven."""
    reading, writing = os.pipe()
    try:
        process = start(command, folder, environment, writing)
    finally:
        os.close(writing)
    try:
        return _followed(process, reading, deadline, log)
    finally:
        processes.end_children(kept)
        os.set_blocking(reading, False)
        _drain(reading, log)
        os.close(reading)


def _followed(process: subprocess.Popen[bytes], reading: int, deadline: Deadline, log: Log) -> int:
    pipes = [reading]
    while True:
        if select.select(pipes, [], [], POLL_SECONDS)[0]:
            part = os.read(reading, PART)
            log.write(part)
            if not part:
                pipes = []
        if process.poll() is not None:
            return process.returncode
        deadline.check()


def _drain(reading: int, log: Log) -> None:
    try:
        while part := os.read(reading, PART):
            log.write(part)
    except BlockingIOError:
        pass
