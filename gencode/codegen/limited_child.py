"""Runs validation in a child process with limited memory: grammars are C code that parses hostile text.

Some texts (`a=>` 32,000 times, parsed as C) make a grammar's error recovery allocate 20 GB; others could
crash it. Then only the child process ends, and its files count as valid: validation never fails a task in
doubt.
"""

from __future__ import annotations

import resource
from collections.abc import Mapping
from typing import TypeVar

import anyio
import anyio.to_thread
import structlog
from anyio import CapacityLimiter, to_process

from gencode.codegen.plan import Plan
from gencode.codegen.validation.file_reader import signatures
from gencode.codegen.validation.finding import Finding
from gencode.codegen.validation.grammar import LANGUAGES
from gencode.codegen.validation.language import language_of
from gencode.codegen.validation.validator import check

log = structlog.get_logger(__name__)
T = TypeVar("T")

MAX_MEMORY = 3 * 2**29  # bytes of address space; 1,000 ordinary files take a third of it
MAX_SECONDS = 60.0  # for one call; validation stops by itself after 30 of processor time


class LimitedChild:
    """One child process at a time, started on first use and ended by anyio after minutes without use."""

    def __init__(self) -> None:
        self._limiter = CapacityLimiter(1)

    async def check(self, files: Mapping[str, str], plan: Plan) -> tuple[Finding, ...]:
        """The findings of a whole project; none if the child process fails."""
        if not any(map(_needs_grammar, files)):
            return await anyio.to_thread.run_sync(check, files, plan)
        return await self._run(_check, (dict(files), plan.model_dump_json()), ())

    async def signatures(self, path: str, text: str) -> tuple[str, ...]:
        """The signatures that a file defines; none if the child process fails."""
        if not _needs_grammar(path):
            return await anyio.to_thread.run_sync(signatures, path, text)
        return await self._run(_signatures, (path, text), ())

    async def _run(self, function: object, arguments: tuple[object, ...], default: T) -> T:
        try:
            with anyio.fail_after(MAX_SECONDS):
                return await to_process.run_sync(
                    function,  # type: ignore[arg-type]  # one of the two below
                    *arguments,
                    cancellable=True,
                    limiter=self._limiter,
                )
        except (anyio.BrokenWorkerProcess, TimeoutError, MemoryError) as error:
            log.warning("a check did not survive the files; they count as in order", reason=repr(error)[:200])
            return default


def _needs_grammar(path: str) -> bool:
    """Python files are parsed by `ast`; data and prose need no grammar."""
    language = language_of(path)
    return language != "python" and (language in LANGUAGES or language in ("vue", "svelte"))


def _check(files: dict[str, str], plan: str) -> tuple[Finding, ...]:
    _limit()
    return check(files, Plan.model_validate_json(plan))


def _signatures(path: str, text: str) -> tuple[str, ...]:
    _limit()
    return signatures(path, text)


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
