"""Applies every rule to a whole project."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import groupby, islice

from gencode.codegen.validation.analyzer import analyze
from gencode.codegen.validation.answer_residue import residue_findings
from gencode.codegen.validation.expectation import Expectation, Expectations
from gencode.codegen.validation.file_analysis import FileAnalysis
from gencode.codegen.validation.findings import Finding, Rule, uncheckable
from gencode.codegen.validation.go_imports import go_import_findings
from gencode.codegen.validation.javascript_imports import javascript_import_findings
from gencode.codegen.validation.planned_exports import export_findings
from gencode.codegen.validation.project import Project
from gencode.codegen.validation.python_imports import python_import_findings

MAX_FINDINGS, MAX_FINDINGS_OF_FILE = 5_000, 50
"""The most findings of one file; it is checked again after the repair."""
_MAY_BE_EMPTY = re.compile(
    r"(?:^|/)(?:__init__\.pyi?|py\.typed|conftest\.py|go\.sum|\.git\w*|\.keep|\.nojekyll|\.\w*ignore|CNAME"
    r"|[\w.-]*\.component\.(?:css|scss|less)|[\w.-]*\.lock|\.env[\w.]*)$"
)
_EMPTY_BY_PLAN = re.compile(r"\bempty\b|\bblank\b|\bmarker\b|\bplaceholder\b|空|占位|标记", re.IGNORECASE)


def check(
    files: Mapping[str, str],
    expectations: Expectations,
    unreadable: Collection[str] = (),
    progress: Callable[[int], None] = lambda step: None,
) -> tuple[Finding, ...]:
    """The findings of a project, sorted by path, line and rule; equal projects have equal findings.

    unreadable  files that have ended a parser: each gets a finding and is not parsed
    progress    called with the index of each file before it is parsed, and with -1 before the rules across
                files
    """
    analyses = _analyze_all(files, unreadable, progress)
    progress(-1)
    project = Project.of(files, analyses)
    findings = [
        *(finding for analysis in analyses.values() for finding in analysis.findings),
        *_stub_findings(analyses.values()),
        *_empty_file_findings(files, expectations),
        *_residue_findings(files, analyses),
        *python_import_findings(project),
        *javascript_import_findings(project),
        *go_import_findings(project),
        *export_findings(project, expectations),
    ]
    return tuple(_limited(sorted(set(findings), key=_order)))


def _limited(findings: Iterable[Finding]) -> Iterator[Finding]:
    """The first findings of each file."""
    by_file = groupby(findings, key=lambda finding: finding.path)
    first = (found for _, of_file in by_file for found in islice(of_file, MAX_FINDINGS_OF_FILE))
    return islice(first, MAX_FINDINGS)


def _order(finding: Finding) -> tuple[str, int, int, str]:
    return finding.path, finding.line, list(Rule).index(finding.rule), finding.message


def _analyze_all(
    files: Mapping[str, str], unreadable: Collection[str], progress: Callable[[int], None]
) -> dict[str, FileAnalysis]:
    """The files sorted by path, independent of the order of parsing."""
    analyses: dict[str, FileAnalysis] = {}
    for step, (path, text) in enumerate(files.items()):
        progress(step)
        if path in unreadable:
            analyses[path] = FileAnalysis(findings=(uncheckable(path),))
        else:
            analyses[path] = analyze(path, text)
    return {path: analyses[path] for path in sorted(analyses)}


def _stub_findings(analyses: Iterable[FileAnalysis]) -> Iterator[Finding]:
    """An empty method of a class that another class extends is intended."""
    analyses = list(analyses)
    extended = {base for analysis in analyses for base in analysis.symbols.bases}
    for analysis in analyses:
        for stub in analysis.stubs:
            if not stub.class_name or stub.class_name not in extended:
                yield stub.finding


def _residue_findings(files: Mapping[str, str], analyses: Mapping[str, FileAnalysis]) -> Iterator[Finding]:
    """The findings of the rules for the files that parse; for others the syntax error is already reported."""
    for path, analysis in analyses.items():
        if all(finding.rule is not Rule.SYNTAX for finding in analysis.findings):
            yield from residue_findings(path, files[path])


def _empty_file_findings(files: Mapping[str, str], expectations: Expectations) -> Iterator[Finding]:
    for path, text in files.items():
        purpose = expectations.get(path, Expectation()).purpose
        if text.strip() or _MAY_BE_EMPTY.search(path) or _EMPTY_BY_PLAN.search(purpose):
            continue
        message = f"{path} is empty, and its purpose in the plan does not say so"
        yield Finding(path=path, line=0, rule=Rule.EMPTY, message=message, instruction="Write it.")
