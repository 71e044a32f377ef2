"""Helpers of these tests: findings of small projects as tuples."""

from __future__ import annotations

from collections.abc import Mapping

from gencode.codegen.plan import Plan, PlannedFile
from gencode.codegen.project_checker import expectations_of
from gencode.codegen.validation.findings import Finding, Rule
from gencode.codegen.validation.validator import check


def check_plan(files: Mapping[str, str], plan: Plan) -> tuple[Finding, ...]:
    return check(files, expectations_of(plan))


def plan(*files: PlannedFile) -> Plan:
    return Plan(files=files or (PlannedFile(path="unplanned"),))


def found(files: Mapping[str, str], *planned: PlannedFile) -> list[tuple[str, int, Rule]]:
    return [(finding.path, finding.line, finding.rule) for finding in check_plan(files, plan(*planned))]


def of(path: str, text: str) -> list[tuple[int, Rule]]:
    """The findings in one file by itself."""
    return [(line, rule) for _, line, rule in found({path: text})]


def one(files: Mapping[str, str], *planned: PlannedFile) -> Finding:
    findings = check_plan(files, plan(*planned))
    assert len(findings) == 1, findings
    return findings[0]
