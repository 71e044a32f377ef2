"""Checks generated text in limited children. A check that fails never counts as one that found nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from types import TracebackType
from typing import TypeVar

import anyio
import anyio.to_thread
import structlog
from pydantic import TypeAdapter, ValidationError

from gencode.codegen.errors import CheckFailed
from gencode.codegen.plan import Plan
from gencode.codegen.prompts import MAX_SYMBOLS
from gencode.codegen.secrets_scan import (
    SecretFinding,
    merged_findings,
    own_secret_findings,
    scanned_texts,
)
from gencode.codegen.validation.expectation import Expectation, Expectations
from gencode.codegen.validation.findings import Finding
from gencode.limited_child.pool import ChildPool
from gencode.limited_child.process import ChildFailed
from gencode.limited_child.protocol import ChildRequest

log = structlog.get_logger(__name__)
T = TypeVar("T")

CHILD_PROGRAM = "gencode.codegen.child_main"
MAX_FAILURES = 8
"""Most failures of one check: enough for four files that end a process twice each."""
SIGNATURE_SECONDS = 30.0
"""Timeout of signatures and functions with the wait for a process; short, because a model call waits for
them."""
_FINDINGS = TypeAdapter(tuple[Finding, ...])
_SECRETS = TypeAdapter(list[SecretFinding])
_SIGNATURES = TypeAdapter(tuple[str, ...])
_FUNCTIONS = TypeAdapter(tuple[tuple[int, int], ...])


def expectations_of(plan: Plan) -> Expectations:
    return {file.path: Expectation(purpose=file.purpose, exports=file.exports) for file in plan.files}


class ProjectChecker:
    """Used as an async context manager, at whose end its processes end."""

    def __init__(self) -> None:
        self._pool = ChildPool(CHILD_PROGRAM)

    async def __aenter__(self) -> ProjectChecker:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._pool.stop()

    async def warm_up(self) -> None:
        """Start a process before the first text is there. A failure shows at the first check."""
        try:
            await self._pool.warm_up()
        except ChildFailed as error:
            log.warning("the process that checks files did not start", reason=error.reason)

    async def check(self, files: Mapping[str, str], plan: Plan) -> tuple[Finding, ...]:
        """The findings of `validator.check`. A file at which two processes ended gets a finding about that.

        Raises CheckFailed.
        """
        expectations = {path: asdict(expected) for path, expected in expectations_of(plan).items()}
        failures = _Failures()
        while True:
            # Files that ended a process are parsed first, so that another end wastes little work.
            order = sorted(files, key=lambda path: (not failures.counts[path], path))
            arguments = {"expectations": expectations, "unreadable": failures.unreadable()}
            request = ChildRequest(
                function="check", texts={path: files[path] for path in order}, arguments=arguments
            )
            try:
                return await self._call(request, _FINDINGS)
            except ChildFailed as error:
                failures.add(error)

    async def scan(
        self, files: Mapping[str, str], message: str, own_secrets: Sequence[str] = ()
    ) -> list[SecretFinding]:
        """The findings of the secrets scan; this service's own secrets stay in this process. Raises
        CheckFailed."""
        texts = scanned_texts(files, message)
        own = await anyio.to_thread.run_sync(own_secret_findings, texts, own_secrets)
        failures = _Failures(is_file_left_out=False)
        while True:
            try:
                found = await self._call(ChildRequest(function="secrets", texts=texts), _SECRETS)
                return merged_findings(own, found, own_secrets)
            except ChildFailed as error:
                failures.add(error)

    async def signatures(self, path: str, text: str) -> tuple[str, ...]:
        """The result of `analyzer.signatures`, at most MAX_SYMBOLS; empty if the process fails: they are a
        hint."""
        request = ChildRequest(function="signatures", texts={path: text}, arguments={"most": MAX_SYMBOLS})
        try:
            with anyio.fail_after(SIGNATURE_SECONDS):
                return await self._call(request, _SIGNATURES)
        except (ChildFailed, TimeoutError) as error:
            log.warning("a file is not described to the files that use it", reason=str(error))
            return ()

    async def functions(self, path: str, text: str) -> tuple[range, ...]:
        """The lines of each function, from its first to behind its last, see `function_ranges`; empty if the
        process fails: they are a hint."""
        try:
            with anyio.fail_after(SIGNATURE_SECONDS):
                found = await self._call(ChildRequest(function="functions", texts={path: text}), _FUNCTIONS)
        except (ChildFailed, TimeoutError) as error:
            log.warning("the functions of a file are not known", reason=str(error))
            return ()
        return tuple(range(first, last + 1) for first, last in found)

    async def call(self, request: ChildRequest, result: TypeAdapter[T]) -> T:
        """The result of one of the child's functions. Raises CheckFailed."""
        failures = _Failures(is_file_left_out=False)
        while True:
            try:
                return await self._call(request, result)
            except ChildFailed as error:
                failures.add(error)

    async def _call(self, request: ChildRequest, result: TypeAdapter[T]) -> T:
        """Raises ChildFailed."""
        async with self._pool.lend(request.size) as child:
            answer = await child.call(request)
            try:
                return result.validate_python(answer)
            except ValidationError:
                raise ChildFailed("its answer is malformed") from None


class _Failures:
    """The failures of one check, counted by the path of the file that was parsed; "" if it was none.

    is_file_left_out  whether a file at which two processes ended can be left out of the next try
    """

    def __init__(self, *, is_file_left_out: bool = True) -> None:
        self.counts = Counter[str]()
        self._is_file_left_out = is_file_left_out

    def add(self, failure: ChildFailed) -> None:
        """Raises CheckFailed when another try would not help."""
        self.counts[failure.at] += 1
        log.warning("a check did not survive the files", file=failure.at[:200], reason=failure.reason)
        can_be_left_out = self._is_file_left_out and failure.at
        if (self.counts[failure.at] > 1 and not can_be_left_out) or self.counts.total() >= MAX_FAILURES:
            raise _check_failed(failure)

    def unreadable(self) -> list[str]:
        return [path for path, count in self.counts.items() if count > 1]


def _check_failed(failure: ChildFailed) -> CheckFailed:
    where = f" at {failure.at[:200]!r}" if failure.at else ""
    return CheckFailed(
        f"The files could not be checked: the process that does it failed{where}, also when it was repeated "
        f"({failure.reason}). Nothing was pushed. Retry the task; if it fails again, ask for smaller or "
        "simpler files, or read the service's log"
    )
