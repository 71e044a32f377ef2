"""What stands between the files and the push: faults go back to the model, file by file, and only then on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import groupby

import anyio

from gencode.codegen.chunked_file_writer import Describe
from gencode.codegen.continuation_merge import file_text
from gencode.codegen.errors import ValidationFailed
from gencode.codegen.file_writer import FileWriter, WritingLimits
from gencode.codegen.prompts import repair_messages
from gencode.codegen.validation import Finding
from gencode.domain.errors import GencodeError
from gencode.engine.pipeline import StageUpdate
from gencode.llm.errors import LLMTruncated
from gencode.llm.session import LLMSession
from gencode.pipelines.generate.artifacts import REPAIR, Draft, GenerateInput, Piece, Plan, PlannedFile

Files = Mapping[str, str]
Check = Callable[[Files, Plan], Awaitable[Sequence[Finding]]]
SHOWN = 50
"""Findings in one event."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidationResult:
    """`findings` are those that were left: none, unless the request delivers best effort."""

    files: Files
    findings: Sequence[Finding]


class RepairLoop:
    """rounds   how often the files with findings are written anew before the task fails; a retry of a task
    that failed so may do it as often again
    """

    def __init__(self, check: Check, describe: Describe, limits: WritingLimits, rounds: int = 2) -> None:
        self._check = check
        self._describe = describe
        self._limits = limits
        self._rounds = rounds

    async def __call__(self, draft: Draft, files: Files, session: LLMSession) -> ValidationResult:
        """Raises GateFailed with what is left after the last round, LLM* errors of the repairs."""
        over = self._rounds * draft.input.retries.get(ValidationFailed.code, 0)
        files = _after_rounds(draft, files, over)
        findings = await self._look(draft, files, session)
        for number in range(over + 1, over + self._rounds + 1):
            if not findings:
                break
            files = await self._repaired(
                draft,
                files,
                findings,
                _RepairRound(number, draft.input, session, self._describe, self._limits),
            )
            findings = await self._look(draft, files, session)
        if findings and not draft.input.best_effort:
            raise _failed(findings)
        return ValidationResult(files=files, findings=findings)

    async def _look(self, draft: Draft, files: Files, session: LLMSession) -> Sequence[Finding]:
        findings = await self._check(files, draft.plan)
        if findings:
            shown = [asdict(finding) for finding in findings[:SHOWN]]
            await session.send(StageUpdate(kind="findings", data={"findings": shown, "count": len(findings)}))
        return findings

    async def _repaired(
        self, draft: Draft, files: Files, findings: Sequence[Finding], this_round: _RepairRound
    ) -> Files:
        """The files with those written anew that had findings. Best effort goes on with what there is."""
        try:
            return {**files, **await this_round.repair(draft, files, findings)}
        except GencodeError:
            if not draft.input.best_effort:
                raise
            return files


class _RepairRound:
    def __init__(
        self,
        number: int,
        input: GenerateInput,
        session: LLMSession,
        describe: Describe,
        limits: WritingLimits,
    ) -> None:
        self._number = number
        self._describe = describe
        retries = input.retries.get(LLMTruncated.code, 0)
        self._writer = FileWriter(session=session, limits=limits, kind=f"{REPAIR}{number}", retries=retries)
        self._places = anyio.CapacityLimiter(limits.at_once)
        self._failures: list[Exception] = []

    async def repair(self, draft: Draft, files: Files, findings: Sequence[Finding]) -> Files:
        """Repairs under way are finished and kept when one fails: they are paid for."""
        repaired: dict[str, str] = {}
        async with anyio.create_task_group() as group:
            for path, of_file in groupby(findings, key=lambda finding: finding.path):
                job = partial(self._rewrite, draft, files, path, tuple(of_file), repaired)
                group.start_soon(job)
        if self._failures:
            raise self._failures[0]
        return repaired

    async def _rewrite(
        self,
        draft: Draft,
        files: Files,
        path: str,
        findings: tuple[Finding, ...],
        repaired: dict[str, str],
    ) -> None:
        async with self._places:
            if self._failures:
                return
            try:
                repaired[path] = await self._written(draft, files, path, findings)
            except Exception as error:
                self._failures.append(error)

    async def _written(self, draft: Draft, files: Files, path: str, findings: tuple[Finding, ...]) -> str:
        file = next((f for f in draft.plan.files if f.path == path), PlannedFile(path=path))
        faults = [f"line {finding.line}: {finding.message}" for finding in findings]
        around = [other for other in files if other in _around(file, draft)]
        ledger = {other: await self._describe(other, files[other]) for other in around}
        messages = repair_messages(draft.input.prompt, draft.plan, file, ledger, files[path], faults)
        pieces = list(draft.input.repairs.get(self._number, {}).get(path, ()))
        await self._writer.write(path, messages, pieces, partial(self._told, path))
        return file_text(pieces, path)

    def _told(self, path: str, pieces: Sequence[Piece]) -> StageUpdate:
        return StageUpdate(kind="repair", data={"path": path, "round": self._number, "calls": len(pieces)})


def _after_rounds(draft: Draft, files: Files, over: int) -> Files:
    """The files with the repairs of rounds that were all made: before the task failed and was retried."""
    repaired = dict(files)
    for number in range(1, over + 1):
        checkpoints = draft.input.repairs.get(number, {})
        repaired |= {
            path: file_text(pieces, path) for path, pieces in checkpoints.items() if pieces[-1].whole
        }
    return repaired


def _around(file: PlannedFile, draft: Draft) -> set[str]:
    """The paths that the file uses, and those that use it."""
    return {*file.needs, *(other.path for other in draft.plan.files if file.path in other.needs)}


def _failed(findings: Sequence[Finding]) -> ValidationFailed:
    first = findings[0]
    others = f" (and {len(findings) - 1} more findings)" if len(findings) > 1 else ""
    return ValidationFailed(
        f"{first.path} line {first.line}: {first.message}{others}. The model did not mend it; nothing was "
        'pushed. Retry it for two more rounds, or with "deliver": "best_effort"; or submit another prompt'
    )
