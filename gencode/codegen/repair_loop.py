"""Validates the files and has the model repair those with findings, before anything is pushed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby

import anyio

from gencode.codegen.continuation_merge import file_texts
from gencode.codegen.errors import ValidationFailed
from gencode.codegen.file_checkpoints import REPAIR, Piece, Pieces, StoredText, WritingJob, stored_text
from gencode.codegen.file_generator import FileGenerator, WritingLimits
from gencode.codegen.multipart_file_generator import Describe
from gencode.codegen.plan import Plan, PlannedFile
from gencode.codegen.prompts import repair_messages
from gencode.codegen.validation.findings import Finding
from gencode.domain.errors import GencodeError
from gencode.engine.ports.pipeline import StageUpdate
from gencode.llm.errors import LLMTruncated
from gencode.llm.session import LLMSession

Files = Mapping[str, str]
"""Texts by path."""
Validate = Callable[[Files, Plan], Awaitable[Sequence[Finding]]]
MAX_SHOWN = 50
"""Most findings in one event."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidationResult:
    """findings  those that remain: none, unless the request accepts best effort
    stored    by path, repaired texts that are stored in a checkpoint as they are
    """

    files: Files
    findings: Sequence[Finding] = ()
    stored: Mapping[str, StoredText] = field(default_factory=dict)


class RepairLoop:
    """rounds  how often files with findings are rewritten before the task fails; each retry of the task after
    GATE_FAILED grants as many again
    """

    def __init__(
        self, validate: Validate, describe: Describe, limits: WritingLimits, rounds: int = 2
    ) -> None:
        self._validate = validate
        self._describe = describe
        self._limits = limits
        self._rounds = rounds

    async def __call__(
        self, job: WritingJob, plan: Plan, files: Files, session: LLMSession
    ) -> ValidationResult:
        """Raises ValidationFailed with what remains after the last round, LLM* errors of the repairs."""
        first = self._rounds * job.retries.get(ValidationFailed.code, 0) + 1
        result = await _apply(ValidationResult(files=files), range(1, first), job.repairs)
        findings = await self._findings(plan, result.files, session)
        for number in range(first, first + self._rounds):
            if not findings:
                break
            repair = _RepairRound(number, job, plan, session, self._describe, self._limits)
            result = await self._repaired(result, findings, repair, job.best_effort)
            findings = await self._findings(plan, result.files, session)
        if findings and not job.best_effort:
            raise _validation_failed(findings)
        return ValidationResult(files=result.files, findings=findings, stored=result.stored)

    async def _findings(self, plan: Plan, files: Files, session: LLMSession) -> Sequence[Finding]:
        findings = await self._validate(files, plan)
        if findings:
            shown = [finding.shown for finding in findings[:MAX_SHOWN]]
            update = StageUpdate(kind="findings", data={"findings": shown, "count": len(findings)})
            await session.emit(update)
        return findings

    async def _repaired(
        self,
        result: ValidationResult,
        findings: Sequence[Finding],
        repair: _RepairRound,
        best_effort: bool,
    ) -> ValidationResult:
        """The result after one round. With best effort, a failed round leaves it as it is."""
        try:
            pieces = await repair.run(result.files, findings)
        except GencodeError:
            if not best_effort:
                raise
            return result
        return await _replace(result, repair.kind, pieces)


class _RepairRound:
    def __init__(
        self,
        number: int,
        job: WritingJob,
        plan: Plan,
        session: LLMSession,
        describe: Describe,
        limits: WritingLimits,
    ) -> None:
        self._number = number
        self._job = job
        self._plan = plan
        self._describe = describe
        self.kind = f"{REPAIR}{number}"
        retries = job.retries.get(LLMTruncated.code, 0)
        self._writer = FileGenerator(session=session, limits=limits, kind=self.kind, retries=retries)
        self._limiter = anyio.CapacityLimiter(limits.at_once)
        self._failures: list[Exception] = []

    async def run(self, files: Files, findings: Sequence[Finding]) -> Pieces:
        """Rewrite each file with findings. When one repair fails, those in progress are finished and stored:
        their calls are paid for."""
        repaired: dict[str, tuple[Piece, ...]] = {}
        async with anyio.create_task_group() as group:
            for path, of_file in groupby(findings, key=lambda finding: finding.path):
                group.start_soon(self._repair, files, path, tuple(of_file), repaired)
        if self._failures:
            raise self._failures[0]
        return repaired

    async def _repair(
        self,
        files: Files,
        path: str,
        findings: tuple[Finding, ...],
        repaired: dict[str, tuple[Piece, ...]],
    ) -> None:
        async with self._limiter:
            if self._failures:
                return
            try:
                repaired[path] = await self._rewrite(files, path, findings)
            except Exception as error:
                self._failures.append(error)

    async def _rewrite(self, files: Files, path: str, findings: tuple[Finding, ...]) -> tuple[Piece, ...]:
        file = next((f for f in self._plan.files if f.path == path), PlannedFile(path=path))
        faults = [finding.for_model for finding in findings]
        neighbours = [other for other in files if other in _neighbours(file, self._plan)]
        symbols = {other: await self._describe(other, files[other]) for other in neighbours}
        messages = repair_messages(self._job.prompt, self._plan, file, symbols, files[path], faults)
        pieces = list(self._job.repairs.get(self._number, {}).get(path, ()))
        await self._writer.write(path, messages, pieces, partial(self._repair_update, path))
        return tuple(pieces)

    def _repair_update(self, path: str, pieces: Sequence[Piece], _text: str) -> StageUpdate:
        return StageUpdate(kind="repair", data={"path": path, "round": self._number, "calls": len(pieces)})


async def _apply(result: ValidationResult, rounds: range, repairs: Mapping[int, Pieces]) -> ValidationResult:
    """The result after the repairs of earlier rounds, which ended before the task failed and was retried."""
    for number in rounds:
        complete = {path: pieces for path, pieces in repairs.get(number, {}).items() if pieces[-1].whole}
        result = await _replace(result, f"{REPAIR}{number}", complete)
    return result


async def _replace(result: ValidationResult, kind: str, repaired: Pieces) -> ValidationResult:
    texts = await file_texts(repaired)
    found = {path: stored_text(kind, path, pieces) for path, pieces in repaired.items()}
    stored = {path: text for path, text in found.items() if text}
    return ValidationResult(files={**result.files, **texts}, stored={**result.stored, **stored})


def _neighbours(file: PlannedFile, plan: Plan) -> set[str]:
    """The paths of the files that this file uses, and of those that use it."""
    return {*file.needs, *(other.path for other in plan.files if file.path in other.needs)}


def _validation_failed(findings: Sequence[Finding]) -> ValidationFailed:
    count, first = len(findings), findings[0]
    left = "a fault in the files" if count == 1 else f"{count} faults in the files, the first"
    where = "" if first.path in first.message else f"{first.path} line {first.line}: "
    return ValidationFailed(f"The model left {left}: {where}{first.message}. Nothing was pushed")
