"""What a task delivers: test files, what is known of each test, and what was discarded or is missing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from pydantic import Field

from gencode.http.base_models import ResponseModel, Words
from gencode.pipelines.test_generation.artifacts import SkippedTarget, TargetGroup

_IMPORT = re.compile(r"^(?:from|import) .*(?:\((?:[^)]*)\))?", re.MULTILINE)
Verification = Literal["verified", "unverified"]


class DeliveredTest(ResponseModel):
    """One test that is delivered. What was not measured is null."""

    name: Words
    requirements: list[str] = Field(description="Ids that its name or docstring has")
    mutants_killed: int | None = Field(None, description="Faults in the tested functions on which it fails")
    raises_coverage: bool | None = Field(
        None, description="Whether it runs lines that the existing tests do not"
    )
    fails_before_change: bool | None = Field(
        None, description="Whether it fails on the version before the patch"
    )


class LineCoverage(ResponseModel):
    """Lines of the tested functions."""

    lines: int
    before: int | None = Field(
        description="Of these, run by the existing tests; null of JavaScript and Go, where those are not run"
    )
    after: int = Field(description="Of these, run by existing and delivered tests")


class TestFile(ResponseModel):
    """A delivered file."""

    __test__ = False

    path: str
    source: str
    framework: str
    functions: list[Words]
    text: Words
    verification: Verification
    reason: Words = Field(description="Why it is unverified; empty if it is verified")
    tests: list[DeliveredTest]
    mutants: int | None = Field(None, description="Faults that were tried")
    coverage: LineCoverage | None = None
    baseline: Words = Field("", description="How the existing tests went; empty if none were run")


class DiscardedTest(ResponseModel):
    """`name` is empty for a whole file."""

    path: str
    name: Words
    reason: Words


class SkippedFile(ResponseModel):
    """A file or function for which no tests were written."""

    path: Words
    reason: Words


class Gaps(ResponseModel):
    """What no delivered test names."""

    functions: list[Words]
    requirements: list[str]


class TestsView(ResponseModel):
    """The result of a task. Unverified tests were not run: they may be wrong."""

    __test__ = False

    verification: Verification
    reason: Words
    files: list[TestFile]
    discarded: list[DiscardedTest]
    skipped: list[SkippedFile]
    gaps: Gaps


class FileOutcome(ResponseModel):
    """What became of one group: stored when it is known."""

    file: TestFile | None = None
    discarded: list[DiscardedTest] = []  # noqa: RUF012 - pydantic copies it


def result_view(
    outcomes: Sequence[FileOutcome],
    groups: Sequence[TargetGroup],
    skipped: Iterable[SkippedTarget],
    requirements: Mapping[str, str],
    reason: str,
) -> TestsView:
    """`reason`: why tests are not verified in general; "" if they are."""
    files = [outcome.file for outcome in outcomes if outcome.file]
    unverified = [file.reason for file in files if file.verification == "unverified"]
    named = {name for file in files for test in file.tests for name in test.requirements}
    texts = "\n".join(_IMPORT.sub("", file.text) for file in files)
    functions = [f"{group.source}:{one.name}" for group in groups for one in group.functions]
    return TestsView(
        verification="unverified" if unverified or (reason and not files) else "verified",
        reason=unverified[0] if unverified else reason if not files else "",
        files=files,
        discarded=[one for outcome in outcomes for one in outcome.discarded],
        skipped=[SkippedFile(path=one.path, reason=one.reason) for one in skipped],
        gaps=Gaps(
            functions=[name for name in functions if not _is_named(name.rpartition(".")[2], texts)],
            requirements=[name for name in requirements if name not in named],
        ),
    )


def requirements_in(text: str, requirements: Iterable[str]) -> list[str]:
    """The ids that a test's name or docstring has: REQ-1 also as req_1, but not within REQ-12."""
    plain = _plain(text)
    return [one for one in requirements if re.search(rf"(?<![a-z0-9]){_plain(one)}(?![a-z0-9])", plain)]


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower())


def _is_named(function: str, text: str) -> bool:
    name = function.rpartition(":")[2]
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None
