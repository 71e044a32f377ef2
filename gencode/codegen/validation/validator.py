"""All rules over a whole project."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Mapping

from gencode.codegen.plan import Plan
from gencode.codegen.validation.export_checks import promise_findings
from gencode.codegen.validation.file_facts import Reading
from gencode.codegen.validation.file_reader import read
from gencode.codegen.validation.finding import Finding, Rule
from gencode.codegen.validation.go_imports import go_findings
from gencode.codegen.validation.javascript_imports import javascript_findings
from gencode.codegen.validation.project import Project
from gencode.codegen.validation.python_imports import python_findings

SECONDS = 30.0  # of processor time for reading; 1,000 ordinary files take 3
_MAY_BE_EMPTY = re.compile(
    r"(?:^|/)(?:__init__\.pyi?|py\.typed|conftest\.py|go\.sum|\.git\w*|\.keep|\.nojekyll|\.\w*ignore|CNAME"
    r"|[\w.-]*\.component\.(?:css|scss|less)|[\w.-]*\.lock|\.env[\w.]*)$"
)
_MEANT_EMPTY = re.compile(r"\bempty\b|\bblank\b|\bmarker\b|\bplaceholder\b|空|占位|标记", re.IGNORECASE)


def check(files: Mapping[str, str], plan: Plan) -> tuple[Finding, ...]:
    """What is wrong with the files of a project, by path, line and rule; equal projects get equal findings.

    A pure function, made for a worker thread: it never raises, and reads for at most SECONDS of processor
    time (files beyond that are taken to be in order).
    """
    readings = _read_all(files)
    project = Project.of(files, readings)
    findings = [
        *(finding for reading in readings.values() for finding in reading.findings),
        *_stub_findings(readings.values()),
        *_empty(files, plan),
        *python_findings(project),
        *javascript_findings(project),
        *go_findings(project),
        *promise_findings(project, plan),
    ]
    return tuple(sorted(set(findings), key=_order))


def _order(finding: Finding) -> tuple[str, int, int, str]:
    return finding.path, finding.line, list(Rule).index(finding.rule), finding.message


def _read_all(files: Mapping[str, str]) -> dict[str, Reading]:
    end = time.thread_time() + SECONDS
    readings: dict[str, Reading] = {}
    for path in sorted(files):
        readings[path] = read(path, files[path]) if time.thread_time() < end else Reading()
    return readings


def _stub_findings(readings: Iterable[Reading]) -> Iterator[Finding]:
    """A method without a body is meant to be so when another class extends its own."""
    all_readings = list(readings)
    extended = {base for reading in all_readings for base in reading.symbols.bases}
    for reading in all_readings:
        yield from (stub.finding for stub in reading.stubs if not stub.owner or stub.owner not in extended)


def _empty(files: Mapping[str, str], plan: Plan) -> Iterator[Finding]:
    purposes = {file.path: file.purpose for file in plan.files}
    for path, text in files.items():
        if text.strip() or _MAY_BE_EMPTY.search(path) or _MEANT_EMPTY.search(purposes.get(path, "")):
            continue
        message = f"{path} is empty, and its purpose in the plan does not say so: write it"
        yield Finding(path=path, line=0, rule=Rule.EMPTY, message=message)
