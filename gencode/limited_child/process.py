"""A child process in which text of others is parsed: its start, its calls and its end.

Python's own ways to run a function in a process are not used: they start a copy of the program that runs the
service, with its environment and its secrets, and they exchange pickles.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from enum import StrEnum
from typing import Any

import anyio
from anyio.abc import ByteReceiveStream, ByteSendStream, Process
from anyio.streams.buffered import BufferedByteReceiveStream

from gencode.limited_child.protocol import (
    ERROR,
    MAX_LINE,
    OUT_OF_MEMORY,
    READY,
    RESULT,
    STEP,
    ChildRequest,
    encoded,
    encoded_head,
)

START_SECONDS = 60.0
END_SECONDS = 5.0
STEP_SECONDS = 300.0
"""Timeout of one step of a call, for a busy machine; the limit of processor time ends the child earlier."""
_PIPE = 2**16
_PROGRAM = """
import sys; _, _, program, *sys.path = sys.argv
import importlib; importlib.import_module(program).main()
"""
_INHERITED = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TZ")
"""Environment variables that the child inherits. Without the first two, some interpreters do not find
libpython."""


class Cause(StrEnum):
    """Why a call ended without a result."""

    TIME = "time"
    """The limit of processor time, or STEP_SECONDS."""
    MEMORY = "memory"
    CRASH = "crash"
    """Of a parser that is not Python."""
    ERROR = "error"
    """An exception of the function."""
    OTHER = "other"
    """It could not be started, another process ended it, or its answer is malformed."""


_CRASHES = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGTRAP, signal.SIGFPE)
_ENDS: Mapping[int, tuple[str, Cause]] = {
    -OUT_OF_MEMORY: ("it ran out of memory", Cause.MEMORY),
    signal.SIGXCPU: ("it took too much processor time", Cause.TIME),
    signal.SIGKILL: ("the system ended it", Cause.OTHER),
    **dict.fromkeys(_CRASHES, ("a parser crashed", Cause.CRASH)),
}
"""By the number of the signal, or by the negative exit status."""


class ChildFailed(Exception):
    """A call ended without a result. The child is of no further use.

    at  the text that was being parsed; "" if it was none of them
    """

    def __init__(self, reason: str, at: str = "", *, cause: Cause = Cause.OTHER) -> None:
        super().__init__(reason)
        self.reason = reason
        self.at = at
        self.cause = cause


class LimitedChild:
    """One call at a time. A call that is cancelled or fails ends the process."""

    def __init__(self, process: Process, requests: ByteSendStream, answers: ByteReceiveStream) -> None:
        self._process = process
        self._requests = requests
        self._answers = BufferedByteReceiveStream(answers)

    @classmethod
    async def start(cls, program: str) -> LimitedChild:
        """`program`: the name of a module whose `main` calls `program.serve`. Raises ChildFailed."""
        try:
            process = await open_process(program)
        except OSError as error:
            raise ChildFailed(f"it cannot be started: {error}") from None
        if not process.stdin or not process.stdout:
            raise ChildFailed("it has no pipes")
        child = cls(process, process.stdin, process.stdout)
        try:
            with anyio.fail_after(START_SECONDS):
                await child._read_ready()
        except BaseException as error:
            await child.stop()
            if isinstance(error, TimeoutError):
                raise ChildFailed(f"it did not start within {START_SECONDS:.0f} seconds") from None
            raise
        return child

    @property
    def is_alive(self) -> bool:
        return self._process.returncode is None

    async def call(self, request: ChildRequest) -> Any:
        """The result, which is JSON of the child's own making: to be validated. Raises ChildFailed."""
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._send, request)
                result = await self._result(request)
                group.cancel_scope.cancel()
        except* ChildFailed as failures:
            failure = failures.exceptions[0]
        else:
            return result
        raise failure

    def kill(self) -> None:
        """Kill the process by its id. The process's own method asks for the exit status first, and so may
        take it from asyncio, which then logs that it does not know the process."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)

    async def stop(self) -> None:
        """End the process and close its pipes, also when the caller is cancelled."""
        self.kill()
        with anyio.CancelScope(shield=True):
            await self._process.aclose()

    async def _send(self, request: ChildRequest) -> None:
        """A child that ends early is noticed by `_result`."""
        sizes = [len(encoded(text)) for text in request.texts.values()]
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
            for data in (encoded_head(request, sizes), *map(encoded, request.texts.values()), request.data):
                for part in parts(data):
                    await self._requests.send(part)

    async def _result(self, request: ChildRequest) -> Any:
        at = ""
        while True:
            answer = await self._answer(at)
            if RESULT in answer:
                return answer[RESULT]
            if ERROR in answer:
                raise ChildFailed(f"it failed: {answer[ERROR]}", at, cause=Cause.ERROR)
            at = request.name(int(answer[STEP]))

    async def _answer(self, at: str) -> dict[str, Any]:
        try:
            with anyio.fail_after(STEP_SECONDS):
                return dict(json.loads(await self._answers.receive_until(b"\n", MAX_LINE)))
        except TimeoutError:
            reason = f"it did not answer for {STEP_SECONDS:.0f} seconds"
            raise ChildFailed(reason, at, cause=Cause.TIME) from None
        except (anyio.EndOfStream, anyio.IncompleteRead, anyio.BrokenResourceError, OSError):
            reason, cause = await self._why_it_ended()
            raise ChildFailed(reason, at, cause=cause) from None
        except (ValueError, anyio.DelimiterNotFound):
            raise ChildFailed("its answer cannot be read", at) from None

    async def _why_it_ended(self) -> tuple[str, Cause]:
        with anyio.move_on_after(END_SECONDS):
            await self._process.wait()
        status = self._process.returncode
        if status is None:
            return "it closed its pipe", Cause.OTHER
        return _ENDS.get(-status, (f"it ended with status {status}", Cause.OTHER))

    async def _read_ready(self) -> None:
        try:
            said = await self._answers.receive_exactly(len(READY))
        except anyio.IncompleteRead:
            said = self._answers.buffer
        if said != READY:
            raise ChildFailed(f"it cannot be started: {await self._last_words(said)}")

    async def _last_words(self, said: bytes) -> str:
        """The last line of the error of a process that could not start."""
        with suppress(anyio.EndOfStream):
            while len(said) < _PIPE:
                said += await self._answers.receive(_PIPE)
        lines = said.decode("utf-8", "replace").strip().splitlines()
        return lines[-1][:300] if lines else "it said nothing"


async def open_process(program: str) -> Process:
    """Start the process. Until it is ready, its errors are written to the pipe of its answers; then they are
    discarded."""
    path = [directory or os.getcwd() for directory in sys.path]
    return await anyio.open_process(
        [sys.executable, "-I", "-c", _PROGRAM, str(os.getpid()), program, *path],
        stderr=-2,
        cwd="/",
        env={name: os.environ[name] for name in _INHERITED if name in os.environ},
        start_new_session=True,  # Ctrl-C is for the service, which ends it
    )


def parts(data: bytes) -> Iterator[bytes]:
    """Small enough for others to run in between."""
    view = memoryview(data)
    return (bytes(view[at : at + _PIPE]) for at in range(0, len(data), _PIPE))
