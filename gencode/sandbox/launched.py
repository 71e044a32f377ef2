"""A sandbox behind a launcher: a command that isolates the command that follows it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePath

import anyio
from anyio.abc import ByteSendStream, Process
from anyio.streams.buffered import BufferedByteReceiveStream

from gencode.limited_child.process import parts
from gencode.sandbox.errors import SandboxFailed
from gencode.sandbox.exchange import RunRequest, check_request, encoded_head, program, read_outcome
from gencode.sandbox.port import KilledBy, Limits, Outcome, Shown
from gencode.sandbox.supervisor import READY

RUNS_AT_ONCE = 2
START_SECONDS = 60.0
"""Timeout until the program starts: a container's image may have to be loaded."""
END_SECONDS = 10.0
GRACE_SECONDS = 30.0
"""How much longer than its limit a run may take until the launcher is killed; the supervisor is earlier."""
MAX_NOISE = 64 * 1024
"""Bytes that a launcher may write before the supervisor starts."""
CANARY = "GENCODE_LAUNCHER"
"""A variable of every launcher, by which the check sees whether its environment gets into the sandbox."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Launcher:
    """command           from the limits of a run and what it is shown to the beginning of a command line
    python            path of a Python 3.8 or later inside
    folder            the writable folder inside
    environment       variables of the launcher itself, which are not in the sandbox
    counts_processes  whether RLIMIT_NPROC counts the sandbox's processes only
    can_show          whether the command shows files of this machine
    """

    name: str
    command: Callable[[Limits, Sequence[Shown]], Sequence[str]]
    python: str
    folder: str
    environment: Mapping[str, str]
    counts_processes: bool = False
    can_show: bool = False


class LaunchedSandbox:
    """See gencode.sandbox.port.Sandbox."""

    off_reason = ""

    def __init__(self, launcher: Launcher) -> None:
        self._launcher = launcher
        self._places = anyio.Semaphore(RUNS_AT_ONCE)

    @property
    def python(self) -> str:
        return self._launcher.python

    @property
    def can_show(self) -> bool:
        return self._launcher.can_show

    async def run(
        self,
        command: Sequence[str],
        files: Mapping[str, bytes],
        limits: Limits,
        *,
        environment: Mapping[str, str] | None = None,
        collect: Sequence[str] = (),
        shown: Sequence[Shown] = (),
    ) -> Outcome:
        request = RunRequest(
            command=command, files=files, limits=limits, environment=environment or {}, collect=collect
        )
        check_request(request)
        if shown and not self.can_show:
            raise SandboxFailed(f"The sandbox ({self._launcher.name}) cannot show files of this machine")
        async with self._places:
            process = await self._open(limits, shown)
            try:
                return await self._exchange(process, request)
            finally:
                with anyio.CancelScope(shield=True):
                    await _end(process)

    async def _open(self, limits: Limits, shown: Sequence[Shown]) -> Process:
        launcher = self._launcher
        command = [*launcher.command(limits, shown), launcher.python, "-I", "-S", "-c", program()]
        try:
            return await anyio.open_process(
                command,
                stderr=-2,
                cwd="/",
                env={**launcher.environment, CANARY: "1"},
                start_new_session=True,
            )
        except OSError as error:
            raise SandboxFailed(f"{launcher.name} cannot be started: {error.strerror or error}") from None

    async def _exchange(self, process: Process, request: RunRequest) -> Outcome:
        if not process.stdin or not process.stdout:
            raise SandboxFailed("the sandbox has no pipes")
        answers = BufferedByteReceiveStream(process.stdout)
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._send, process.stdin, request)
                await self._started(answers)
                outcome = await _outcome(answers, request)
                group.cancel_scope.cancel()
        except* SandboxFailed as failures:
            failure = failures.exceptions[0]
        else:
            return outcome
        raise failure

    async def _send(self, stream: ByteSendStream, request: RunRequest) -> None:
        """Send the files, and leave the pipe open: its end would end the run."""
        launcher = self._launcher
        directory = str(PurePath(launcher.python).parent)
        head = encoded_head(request, launcher.folder, directory, counts_processes=launcher.counts_processes)
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
            for data in (head, *request.files.values()):
                for part in parts(data):
                    await stream.send(part)

    async def _started(self, answers: BufferedByteReceiveStream) -> None:
        """Raises SandboxFailed with the launcher's last line."""
        try:
            with anyio.fail_after(START_SECONDS):
                await answers.receive_until(READY, MAX_NOISE)
        except TimeoutError:
            reason = f"it did not start within {START_SECONDS:.0f} seconds"
        except (anyio.IncompleteRead, anyio.EndOfStream, anyio.DelimiterNotFound, OSError):
            lines = answers.buffer.decode("utf-8", "replace").strip().splitlines()
            reason = lines[-1][:300] if lines else "it said nothing"
        else:
            return
        raise SandboxFailed(f"The sandbox ({self._launcher.name}) cannot be started: {reason}")


async def _outcome(answers: BufferedByteReceiveStream, request: RunRequest) -> Outcome:
    killed_by = KilledBy.TIME
    with anyio.move_on_after(request.limits.seconds + GRACE_SECONDS):
        try:
            return await read_outcome(answers, request)
        except (anyio.IncompleteRead, anyio.EndOfStream, anyio.BrokenResourceError, OSError):
            killed_by = KilledBy.SYSTEM
        except anyio.DelimiterNotFound:
            raise SandboxFailed("The sandbox answered too much") from None
    return Outcome(exit_code=-signal.SIGKILL, output=b"", seconds=request.limits.seconds, killed_by=killed_by)


async def _end(process: Process) -> None:
    """End the launcher with its process group, whose id is the launcher's."""
    if process.stdin:
        await process.stdin.aclose()
    with anyio.move_on_after(END_SECONDS):
        await process.wait()
    if process.returncode is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    await process.aclose()
