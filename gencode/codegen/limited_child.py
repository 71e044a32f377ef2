"""Validation in a child process with limited memory: the grammars are C code that parses hostile text.

Some texts (`a=>` 32,000 times, parsed as C) make the error recovery of a grammar ask for 20 GB, others could
crash it. Then only the child ends, and the call returns as if it had found nothing.
"""

from __future__ import annotations

import importlib
import resource
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import anyio
import anyio.to_thread
import structlog
from anyio import CapacityLimiter, to_process

from gencode.codegen.plan import Plan
from gencode.codegen.validation.findings import Finding
from gencode.codegen.validation.languages import language_of
from gencode.codegen.validation.treesitter import LANGUAGES

log = structlog.get_logger(__name__)
T = TypeVar("T")

MAX_MEMORY = 3 * 2**29  # bytes of address space; 1,000 ordinary files take a third of it
_PACKAGE = "gencode.codegen.validation"
CALL_SECONDS = 60.0  # for one call; the validator itself stops after 30 of processor time


class LimitedChild:
    """One process at a time, started at the first call; anyio ends it after some idle minutes."""

    def __init__(self) -> None:
        self._limiter = CapacityLimiter(1)

    async def check(self, files: Mapping[str, str], plan: Plan) -> tuple[Finding, ...]:
        """As `validation.check`; no findings if the child ends or takes too long."""
        if not any(map(_needs_grammar, files)):
            return await anyio.to_thread.run_sync(_check_in_thread, files, plan)
        return await self._run(_check, dict(files), plan.model_dump_json(), default=())

    async def signatures(self, path: str, text: str) -> tuple[str, ...]:
        """As `validation.signatures`; none if the child ends or takes too long."""
        if not _needs_grammar(path):
            return await anyio.to_thread.run_sync(_signatures_in_thread, path, text)
        return await self._run(_signatures, path, text, default=())

    async def _run(self, function: Callable[..., T], *args: Any, default: T) -> T:
        try:
            with anyio.fail_after(CALL_SECONDS):
                return await to_process.run_sync(function, *args, cancellable=True, limiter=self._limiter)
        except (anyio.BrokenWorkerProcess, TimeoutError, MemoryError) as error:
            log.warning("a check did not survive the files; they count as in order", reason=repr(error)[:200])
            return default


def _needs_grammar(path: str) -> bool:
    """False for Python, which `ast` parses, and for data and documents."""
    language = language_of(path)
    return language != "python" and (language in LANGUAGES or language in ("vue", "svelte"))


# The validator and its parsers are imported at the first use: 40 ms of 700 of a start.


def _check_in_thread(files: Mapping[str, str], plan: Plan) -> tuple[Finding, ...]:
    found: tuple[Finding, ...] = importlib.import_module(f"{_PACKAGE}.validator").check(files, plan)
    return found


def _signatures_in_thread(path: str, text: str) -> tuple[str, ...]:
    found: tuple[str, ...] = importlib.import_module(f"{_PACKAGE}.analyzer").signatures(path, text)
    return found


# --- in the child -----------------------------------------------------------------------------------


def _check(files: dict[str, str], plan: str) -> tuple[Finding, ...]:
    _limit_resources()
    return _check_in_thread(files, Plan.model_validate_json(plan))


def _signatures(path: str, text: str) -> tuple[str, ...]:
    _limit_resources()
    return _signatures_in_thread(path, text)


def _limit_resources() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
