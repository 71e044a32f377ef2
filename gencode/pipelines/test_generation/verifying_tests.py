"""The stage `verifying_tests`: tests are run in the sandbox, if it is on, and the result is delivered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from gencode.codegen.test_code.python_tests import TestFunction
from gencode.codegen.test_code.reader import TestCodeReader
from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.pipelines.test_generation.artifacts import Given, TargetGroup, Written, WrittenFile
from gencode.pipelines.test_generation.evidence import Evidence
from gencode.pipelines.test_generation.frameworks import marked
from gencode.pipelines.test_generation.names import TESTS
from gencode.pipelines.test_generation.pushing_branch import Verified
from gencode.pipelines.test_generation.results import (
    DeliveredTest,
    DiscardedTest,
    FileOutcome,
    TestFile,
    TestsView,
    requirements_in,
    result_view,
)

MAX_TESTS = 200
VERIFIED = "verified"
"""Checkpoints begin so: then a colon and the path."""


class Verifier(Protocol):
    """Runs tests."""

    async def __call__(
        self,
        given: Given,
        group: TargetGroup,
        text: str,
        tests: Sequence[TestFunction],
        *,
        is_again: bool = False,
    ) -> Evidence:
        """`is_again`: these tests were of use, and others were taken out of the file: only whether they still
        pass counts. Raises SandboxFailed, CheckFailed."""


class VerifyingTests:
    def __init__(self, reader: TestCodeReader, verify: Verifier) -> None:
        self._reader = reader
        self._verify = verify

    async def __call__(self, work: Written, emit: Emit) -> Verified:
        """Raises SandboxFailed, CheckFailed."""
        given, known = work.collected.given, work.collected.run.checkpoints
        outcomes = [await self._outcome(file, given, known, emit) for file in work.files]
        groups = [file.group for file in work.files]
        skipped = work.collected.targets.skipped if work.collected.targets else ()
        view = result_view(outcomes, groups, skipped, given.requirements, "")
        await emit(StageUpdate(checkpoints={TESTS: view.model_dump_json()}, result=_result(view)))
        return Verified(collected=work.collected, view=view)

    async def _outcome(
        self, file: WrittenFile, given: Given, known: Mapping[str, str], emit: Emit
    ) -> FileOutcome:
        name = f"{VERIFIED}:{file.group.test_path}"
        if stored := known.get(name):
            return FileOutcome.model_validate_json(stored)
        outcome = await self._judged(file, given)
        kept = len(outcome.file.tests) if outcome.file else 0
        data = {
            "path": file.group.test_path,
            "verification": outcome.file.verification if outcome.file else "verified",
            "kept": kept,
            "discarded": [one.model_dump() for one in outcome.discarded[:20]],
        }
        await emit(StageUpdate(kind="verified", data=data, checkpoints={name: outcome.model_dump_json()}))
        return outcome

    async def _judged(self, file: WrittenFile, given: Given) -> FileOutcome:
        group, path = file.group, file.group.test_path
        if file.faults:
            return FileOutcome(discarded=[DiscardedTest(path=path, name="", reason=file.faults[0])])
        tests = (await self._reader.tests(path, file.text))[:MAX_TESTS]
        if not tests:
            return FileOutcome(discarded=[DiscardedTest(path=path, name="", reason="it has no test")])
        evidence = await self._verify(given, group, file.text, tests)
        discarded = [
            DiscardedTest(path=path, name=test.name, reason=evidence.faults[test.name])
            for test in tests
            if test.name in evidence.faults
        ]
        kept = [test for test in tests if test.name not in evidence.faults]
        text = file.text
        if discarded and kept:
            text = await self._reader.without(path, text, [one.name for one in discarded])
            again = await self._verify(given, group, text, kept, is_again=True)
            if reason := next(iter(again.faults.values()), ""):
                reason = f"without the discarded tests of the file: {reason}"
                discarded += [DiscardedTest(path=path, name=one.name, reason=reason) for one in kept]
                kept = []
        if not kept:
            return FileOutcome(discarded=discarded)
        return FileOutcome(file=_file(group, text, kept, evidence, given), discarded=discarded)


def _file(
    group: TargetGroup, text: str, kept: Sequence[TestFunction], evidence: Evidence, given: Given
) -> TestFile:
    return TestFile(
        path=group.test_path,
        source=group.source,
        framework=group.framework,
        functions=[function.name for function in group.functions],
        text=marked(text, group.test_path),
        verification="unverified" if evidence.unverified else "verified",
        reason=evidence.unverified,
        tests=[_test(test, evidence, given) for test in kept],
        mutants=evidence.mutants,
        coverage=evidence.coverage([test.name for test in kept]),
        baseline=evidence.baseline,
    )


def _test(test: TestFunction, evidence: Evidence, given: Given) -> DeliveredTest:
    killed = evidence.killed.get(test.name)
    lines, known = evidence.lines.get(test.name), evidence.baseline_lines
    return DeliveredTest(
        name=test.name,
        requirements=requirements_in(test.text, given.requirements),
        mutants_killed=killed,
        raises_coverage=None if lines is None or known is None else bool(lines - known),
        fails_before_change=evidence.fails_before.get(test.name),
    )


def _result(view: TestsView) -> Mapping[str, object]:
    return {
        "tests": sum(len(file.tests) for file in view.files),
        "test_files": len(view.files),
        "discarded_tests": len(view.discarded),
        "verification": view.verification,
        "verification_reason": view.reason,
    }
