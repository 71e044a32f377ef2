"""Applies every rule to a whole project."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Mapping

from gencode.codegen.plan import Plan
from gencode.codegen.validation.analyzer import analyze
from gencode.codegen.validation.export_checks import export_findings
from gencode.codegen.validation.file_analysis import FileAnalysis
from gencode.codegen.validation.findings import Finding, Rule
from gencode.codegen.validation.go_imports import go_import_findings
from gencode.codegen.validation.javascript_imports import javascript_import_findings
from gencode.codegen.validation.project import Project
from gencode.codegen.validation.python_imports import python_import_findings

MAX_CPU_SECONDS = 30.0  # for the analysis of all files; 1,000 ordinary ones take 3
_MAY_BE_EMPTY = re.compile(
    r"(?:^|/)(?:__init__\.pyi?|py\.typed|conftest\.py|go\.sum|\.git\w*|\.keep|\.nojekyll|\.\w*ignore|CNAME"
    r"|[\w.-]*\.component\.(?:css|scss|less)|[\w.-]*\.lock|\.env[\w.]*)$"
)
_EMPTY_BY_PLAN = re.compile(r"\bempty\b|\bblank\b|\bmarker\b|\bplaceholder\b|空|占位|标记", re.IGNORECASE)


def check(files: Mapping[str, str], plan: Plan) -> tuple[Finding, ...]:
    """The findings of a project, sorted by path, line and rule; equal projects have equal findings.

    A pure function for a worker thread or process: it never raises, and spends at most MAX_CPU_SECONDS of
    processor time on analysis (files beyond that count as valid).
    """
    analyses = _analyze_all(files)
    project = Project.of(files, analyses)
    findings = [
        *(finding for analysis in analyses.values() for finding in analysis.findings),
        *_stub_findings(analyses.values()),
        *_empty_file_findings(files, plan),
        *python_import_findings(project),
        *javascript_import_findings(project),
        *go_import_findings(project),
        *export_findings(project, plan),
    ]
    return tuple(sorted(set(findings), key=_order))


def _order(finding: Finding) -> tuple[str, int, int, str]:
    return finding.path, finding.line, list(Rule).index(finding.rule), finding.message


def _analyze_all(files: Mapping[str, str]) -> dict[str, FileAnalysis]:
    end = time.thread_time() + MAX_CPU_SECONDS
    return {
        path: analyze(path, files[path]) if time.thread_time() < end else FileAnalysis()
        for path in sorted(files)
    }


def _stub_findings(analyses: Iterable[FileAnalysis]) -> Iterator[Finding]:
    """An empty method of a class that another class extends is intended."""
    analyses = list(analyses)
    extended = {base for analysis in analyses for base in analysis.symbols.bases}
    for analysis in analyses:
        for stub in analysis.stubs:
            if not stub.class_name or stub.class_name not in extended:
                yield stub.finding


def _empty_file_findings(files: Mapping[str, str], plan: Plan) -> Iterator[Finding]:
    purposes = {file.path: file.purpose for file in plan.files}
    for path, text in files.items():
        if text.strip() or _MAY_BE_EMPTY.search(path) or _EMPTY_BY_PLAN.search(purposes.get(path, "")):
            continue
        message = f"{path} is empty, and its purpose in the plan does not say so: write it"
        yield Finding(path=path, line=0, rule=Rule.EMPTY, message=message)
