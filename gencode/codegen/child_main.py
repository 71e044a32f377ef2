"""The program of the limited child: applies the parsers of generated text, one request after another.

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
from dataclasses import asdict
from typing import Any, BinaryIO

from gencode.codegen.child_protocol import (
    ERROR,
    OUT_OF_MEMORY,
    READY,
    RESULT,
    STEP,
    ChildRequest,
    encoded_answer,
    read_request,
)
from gencode.codegen.secrets_scan import rule_findings
from gencode.codegen.validation.analyzer import signatures
from gencode.codegen.validation.expectation import expectations_from_json
from gencode.codegen.validation.validator import check

STEP_CPU_SECONDS = 10
"""Limit for one text, or for the rules across all; 256 KiB of code take 0.6 s; a parser gives up at 1 s."""
BASE_CPU_SECONDS, CPU_SECONDS_PER_CHARACTER = 30, 1e-5
"""Limit for all texts of a request; a million characters of code take 2 s."""
MAX_MEMORY = 2**30
"""Bytes of address space, for every request."""
_BASE_MEMORY, _MEMORY_PER_CHARACTER = 2**28, 24
"""256 KiB of Python take 60 MB; a text is here several times, with up to 4 bytes a character."""
_MAX_DESCRIPTORS = 32
_PR_SET_PDEATHSIG, _SIGKILL = 1, 9

Progress = Callable[[int], None]


def main() -> None:
    """Serves requests on standard input until it ends, or the process that is named by its first argument."""
    answers = _take_standard_output()
    _die_with(int(sys.argv[1]))
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_NPROC, 0)
    _limit(resource.RLIMIT_NOFILE, _MAX_DESCRIPTORS)
    sys.dont_write_bytecode = True
    answers.write(READY)
    _discard_standard_error()
    while request := _next_request():
        _limit(resource.RLIMIT_AS, _memory_for(request), keep_hard=True)
        answers.write(_answer(request, _Steps(request, answers)))


def _next_request() -> ChildRequest | None:
    _limit(resource.RLIMIT_AS, MAX_MEMORY, keep_hard=True)
    return read_request(sys.stdin.buffer)


def _answer(request: ChildRequest, progress: Progress) -> bytes:
    """Running out of memory ends the process: what it has may be damaged."""
    try:
        return encoded_answer(RESULT, _FUNCTIONS[request.function](request, progress))
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except Exception as error:
        return encoded_answer(ERROR, repr(error)[:500])


class _Steps:
    """Reports each step, so that the service knows what ended this process, and renews its time."""

    def __init__(self, request: ChildRequest, answers: BinaryIO) -> None:
        self._answers = answers
        self._end = time.process_time() + BASE_CPU_SECONDS + request.size * CPU_SECONDS_PER_CHARACTER

    def __call__(self, step: int) -> None:
        self._answers.write(encoded_answer(STEP, step))
        now = time.process_time()
        if now > self._end:
            raise TimeoutError("the texts together take too long")
        _limit(resource.RLIMIT_CPU, math.ceil(now) + STEP_CPU_SECONDS, keep_hard=True)


# --- functions that can be called ----------------------------------------------------------------


def _check(request: ChildRequest, progress: Progress) -> list[Mapping[str, Any]]:
    expectations = expectations_from_json(request.arguments["expectations"])
    unreadable = frozenset(request.arguments["unreadable"])
    return [asdict(finding) for finding in check(request.texts, expectations, unreadable, progress)]


def _signatures(request: ChildRequest, progress: Progress) -> list[str]:
    found: list[str] = []
    for step, (path, text) in enumerate(request.texts.items()):
        progress(step)
        found += signatures(path, text)
    return found[: request.arguments["most"]]


def _secrets(request: ChildRequest, progress: Progress) -> list[Mapping[str, Any]]:
    return [asdict(finding) for finding in rule_findings(request.texts, progress)]


_FUNCTIONS: Mapping[str, Callable[[ChildRequest, Progress], Any]] = {
    "check": _check,
    "signatures": _signatures,
    "secrets": _secrets,
}

# --- limits -----------------------------------------------------------------------------------------


def _memory_for(request: ChildRequest) -> int:
    return min(MAX_MEMORY, _BASE_MEMORY + _MEMORY_PER_CHARACTER * request.size)


def _limit(kind: int, value: int, *, keep_hard: bool = False) -> None:
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


def _die_with(parent: int) -> None:
    """Linux ends this process with the thread that started it; elsewhere the end of the input does."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the service has ended")
