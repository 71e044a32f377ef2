"""The program of a limited child: applies functions to texts of others, one request after another.

It has no environment, no descriptors but its pipes, and bounded memory and processor time: text that makes a
parser run away or crash ends this process only. It imports neither pydantic nor the service, so that it
starts in a tenth of a second.
"""

from __future__ import annotations

import ctypes
import math
import os
import resource
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO

from gencode.limited_child.protocol import (
    ERROR,
    OUT_OF_MEMORY,
    READY,
    RESULT,
    STEP,
    ChildRequest,
    encoded_answer,
    read_request,
)

MAX_DESCRIPTORS = 32
_PR_SET_PDEATHSIG, _SIGKILL = 1, 9

Progress = Callable[[int], None]
Functions = Mapping[str, Callable[[ChildRequest, Progress], Any]]
"""By the name in a request; each returns JSON, and calls Progress at the beginning of each text."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ChildLimits:
    """Limits of one request.

    step_cpu_seconds                         processor time of one step, after which the process is ended
    cpu_seconds, cpu_seconds_per_character   processor time of all steps, after which the call fails
    memory, memory_per_character             bytes of address space, at most `max_memory`
    max_file                                 bytes of a file that it writes
    """

    step_cpu_seconds: int
    cpu_seconds: float
    cpu_seconds_per_character: float = 0.0
    memory: int
    memory_per_character: int = 0
    max_memory: int
    max_file: int = 0

    def cpu_seconds_for(self, request: ChildRequest) -> float:
        return self.cpu_seconds + request.size * self.cpu_seconds_per_character

    def memory_for(self, request: ChildRequest) -> int:
        return min(self.max_memory, self.memory + self.memory_per_character * request.size)


def serve(functions: Functions, limits: ChildLimits) -> None:
    """Serves requests on standard input until it ends, or the process that is named by the first argument."""
    answers = _take_standard_output()
    die_with(int(sys.argv[1]))
    limit(resource.RLIMIT_CORE, 0)
    limit(resource.RLIMIT_FSIZE, limits.max_file)
    limit(resource.RLIMIT_NPROC, 0)
    limit(resource.RLIMIT_NOFILE, MAX_DESCRIPTORS)
    sys.dont_write_bytecode = True
    answers.write(READY)
    _discard_standard_error()
    while request := _next_request(limits):
        limit(resource.RLIMIT_AS, limits.memory_for(request), keep_hard=True)
        answers.write(_answer(functions, request, _Steps(request, limits, answers)))


def _next_request(limits: ChildLimits) -> ChildRequest | None:
    limit(resource.RLIMIT_AS, limits.max_memory, keep_hard=True)
    return read_request(sys.stdin.buffer)


def _answer(functions: Functions, request: ChildRequest, progress: Progress) -> bytes:
    """Running out of memory ends the process: what it has may be damaged."""
    try:
        return encoded_answer(RESULT, functions[request.function](request, progress))
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except Exception as error:
        return encoded_answer(ERROR, repr(error)[:500])


class _Steps:
    """Reports each step, so that the service knows what ended this process, and renews its time."""

    def __init__(self, request: ChildRequest, limits: ChildLimits, answers: BinaryIO) -> None:
        self._answers = answers
        self._step_seconds = limits.step_cpu_seconds
        self._end = time.process_time() + limits.cpu_seconds_for(request)

    def __call__(self, step: int) -> None:
        self._answers.write(encoded_answer(STEP, step))
        now = time.process_time()
        if now > self._end:
            raise TimeoutError("the texts together take too long")
        limit(resource.RLIMIT_CPU, math.ceil(now) + self._step_seconds, keep_hard=True)


# --- limits -----------------------------------------------------------------------------------------


def limit(kind: int, value: int, *, keep_hard: bool = False) -> None:
    """Never above a limit that the process already has; a system without this limit has none."""
    with suppress(ValueError, OSError):
        _, hard = resource.getrlimit(kind)
        least = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (least, hard if keep_hard else least))


def _take_standard_output() -> BinaryIO:
    """The pipe to the service, which nothing else may write to."""
    pipe = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return pipe


def _discard_standard_error() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.close(nowhere)


def die_with(parent: int) -> None:
    """Linux ends this process with the thread that started it; elsewhere the end of the input does."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the service has ended")
