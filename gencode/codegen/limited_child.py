"""Checks in a process of their own, with little memory: grammars are C code that meets hostile text.

Some texts (`a=>` 32,000 times, taken for C) make a grammar's error recovery ask for 20 GB, others could crash
it. Then only that process ends, and what it was asked counts as in order: checks give way in doubt.
"""

from __future__ import annotations

import resource
from collections.abc import Mapping
from typing import TypeVar

import anyio
import anyio.to_thread
import structlog
from anyio import CapacityLimiter, to_process

from gencode.codegen.validation.file_reader import signatures
from gencode.codegen.validation.finding import Finding
from gencode.codegen.validation.grammar import LANGUAGES
from gencode.codegen.validation.language import language_of
from gencode.codegen.validation.validator import check
from gencode.pipelines.generate.artifacts import Plan

log = structlog.get_logger(__name__)
T = TypeVar("T")

MEMORY = 3 * 2**29  # bytes of address space; 1,000 ordinary files take a third of it
SECONDS = 60.0  # for one call; reading gives up by itself after 30 of processor time


class LimitedChild:
    """One process at a time, started at the first use and ended by anyio when it was idle for minutes."""

    def __init__(self) -> None:
        self._place = CapacityLimiter(1)

    async def check(self, files: Mapping[str, str], plan: Plan) -> tuple[Finding, ...]:
        if not any(map(_needs_a_grammar, files)):
            return await anyio.to_thread.run_sync(check, files, plan)
        return await self._run(_check, (dict(files), plan.model_dump_json()), ())

    async def signatures(self, path: str, text: str) -> tuple[str, ...]:
        if not _needs_a_grammar(path):
            return await anyio.to_thread.run_sync(signatures, path, text)
        return await self._run(_signatures, (path, text), ())

    async def _run(self, function: object, arguments: tuple[object, ...], otherwise: T) -> T:
        try:
            with anyio.fail_after(SECONDS):
                return await to_process.run_sync(
                    function,  # type: ignore[arg-type]  # one of the two below
                    *arguments,
                    cancellable=True,
                    limiter=self._place,
                )
        except (anyio.BrokenWorkerProcess, TimeoutError, MemoryError) as error:
            log.warning("a check did not survive the files; they count as in order", reason=repr(error)[:200])
            return otherwise


def _needs_a_grammar(path: str) -> bool:
    """Python has a parser of its own; data and prose need none."""
    language = language_of(path)
    return language != "python" and (language in LANGUAGES or language in ("vue", "svelte"))


def _check(files: dict[str, str], plan: str) -> tuple[Finding, ...]:
    _limit()
    return check(files, Plan.model_validate_json(plan))


def _signatures(path: str, text: str) -> tuple[str, ...]:
    _limit()
    return signatures(path, text)


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
