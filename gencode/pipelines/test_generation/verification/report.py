"""What comes back from the sandbox. Hostile code has written it, or could have: nothing in it is trusted
beyond what a test says of itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from gencode.codegen.test_code.python_tests import TestFunction
from gencode.pipelines.test_generation.evidence import Evidence

Short = Annotated[str, Field(max_length=2000)]
Line = Annotated[int, Field(ge=1, le=10_000_000)]
SHOWN = 300
_REASONS: Mapping[str, str] = {
    "failed": "it fails, so the test or the code is wrong: {detail}",
    "skipped": "it is skipped",
    "xfailed": "it is marked as expected to fail",
    "flaky": "it is not reliable: {detail}",
    "depends": "it passes only after other tests: {detail}",
    "pollutes": "other tests suffer from it: {detail}",
    "order": "{detail}",
    "source": "{detail}",
    "ends": "it ends the process in which tests run",
    "endless": "it does not end",
}
NEVER_RUN = "the framework does not find it"


class RunReport(BaseModel):
    """See `programs.gencode_test_driver`."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    unavailable: Short = ""
    error: Short = ""
    baseline: Short = ""
    baseline_lines: frozenset[Line] | None = None
    collected: Annotated[list[Short], Field(max_length=5000)] = []
    faults: Mapping[str, tuple[Short, Short]] = {}
    lines: Mapping[str, frozenset[Line]] = {}
    target_lines: frozenset[Line] = frozenset()
    before: Mapping[str, bool] = {}
    killed: Mapping[str, Annotated[int, Field(ge=0, le=100_000)]] = {}
    mutants: Annotated[int, Field(ge=0, le=100_000)] = 0


def evidence_of(report: RunReport, tests: Sequence[TestFunction]) -> Evidence:
    if report.unavailable:
        return Evidence(unverified=report.unavailable)
    if report.error:
        reason = f"the file cannot be run: {_last_line(report.error)}"
        return Evidence(faults={test.name: reason for test in tests}, baseline=report.baseline)
    if stranger := _bad_stranger(report, tests):
        reason = f"the file makes the test {stranger} when it runs, which cannot be left out and is of no use"
        return Evidence(faults={test.name: reason for test in tests}, baseline=report.baseline)
    if not report.mutants and any(test.name in report.killed for test in tests):
        reason = "no fault could be made in the tested functions"
        return Evidence(unverified=reason, faults=_faults(report, tests), baseline=report.baseline)
    known = report.baseline_lines
    return Evidence(
        faults={**_faults(report, tests), **_useless(report, tests)},
        killed=report.killed,
        fails_before=report.before,
        lines={name: lines & report.target_lines for name, lines in report.lines.items()},
        mutants=report.mutants,
        target_lines=report.target_lines,
        baseline=report.baseline,
        baseline_lines=None if known is None else known & report.target_lines,
    )


def _bad_stranger(report: RunReport, tests: Sequence[TestFunction]) -> str:
    """A test that is no function of the file, as one that is made by a loop or inherited, and is at fault."""
    known = {test.name for test in tests}
    strangers = (name for name in report.collected if name not in known)
    return next((name for name in strangers if not report.killed.get(name, 0)), "")


def _faults(report: RunReport, tests: Sequence[TestFunction]) -> Mapping[str, str]:
    found = {test.name: NEVER_RUN for test in tests if test.name not in report.collected}
    for test in tests:
        if test.name in report.faults:
            code, detail = report.faults[test.name]
            text = _REASONS.get(code, "it was not accepted: {detail}")
            found[test.name] = text.format(detail=_last_line(detail) if code == "failed" else detail)[:SHOWN]
    return found


def _useless(report: RunReport, tests: Sequence[TestFunction]) -> Mapping[str, str]:
    """Tests that no fault makes fail."""
    reason = f"it passes with each of {report.mutants} faults in the tested functions: it would notice none"
    return {
        test.name: reason
        for test in tests
        if test.name in report.collected
        and test.name not in report.faults
        and not report.killed.get(test.name, 0)
    }


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("E ") or "Error" in line]
    return (errors or lines or ["it said nothing"])[-1].removeprefix("E ").strip()[:SHOWN]
