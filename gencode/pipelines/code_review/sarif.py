"""A review in SARIF 2.1.0, which code hosts and editors read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from gencode import __version__
from gencode.diffs import Side
from gencode.pipelines.code_review.findings import Category, Finding, FindingStatus, LineReplacement, Severity
from gencode.pipelines.code_review.result import ReviewResult, reasons

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT = "gencode/v1"
_LEVELS = {
    Severity.CRITICAL: "error",
    Severity.MAJOR: "error",
    Severity.MINOR: "warning",
    Severity.INFO: "note",
}
_RULES = {
    Category.BUG: "It does not do what it should",
    Category.SECURITY: "It can be misused",
    Category.PERFORMANCE: "It needs more time or memory than it should",
    Category.MAINTAINABILITY: "It is hard to understand or to change",
    Category.TEST: "Tests are missing or prove nothing",
    Category.REQUIREMENT: "It is not what was required",
}
_BASELINE = {
    FindingStatus.NEW: "new",
    FindingStatus.RETURNED: "new",
    FindingStatus.STILL_THERE: "unchanged",
    FindingStatus.IGNORED: "unchanged",
    FindingStatus.FIXED: "absent",
}


def review_sarif(result: ReviewResult) -> Mapping[str, Any]:
    """One run. What was not reviewed is told by notifications."""
    rules = [{"id": name.value, "shortDescription": {"text": text}} for name, text in _RULES.items()]
    driver = {"name": "gencode", "semanticVersion": __version__, "rules": rules}
    notifications = [_notification(reason, paths) for reason, paths in reasons(result.ledger).items()]
    invocation = {"executionSuccessful": True, "toolExecutionNotifications": notifications}
    run = {
        "tool": {"driver": driver},
        "invocations": [invocation],
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, is_tracked=bool(result.subject)) for finding in result.findings],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(finding: Finding, *, is_tracked: bool) -> Mapping[str, Any]:
    text = f"{finding.title}\n\n{finding.body}" if finding.body else finding.title
    optional: dict[str, Any] = {}
    if is_tracked:
        optional["baselineState"] = _BASELINE[finding.status]
    if finding.status is FindingStatus.IGNORED:
        optional["suppressions"] = [{"kind": "external", "status": "accepted"}]
    if finding.suggestion:
        optional["fixes"] = [_fix(finding.path, finding.suggestion)]
    return {
        "ruleId": finding.category.value,
        "ruleIndex": list(_RULES).index(finding.category),
        "level": _LEVELS[finding.severity],
        "message": {"text": text},
        "locations": [{"physicalLocation": _location(finding)}],
        "partialFingerprints": {FINGERPRINT: finding.identity},
        **optional,
        "properties": {
            "id": finding.id,
            "severity": finding.severity.value,
            "confidence": finding.confidence,
        },
    }


def _location(finding: Finding) -> Mapping[str, Any]:
    """A deleted line is not in the file any more."""
    artifact = _artifact(finding.path)
    if finding.line is None or finding.side is Side.OLD:
        return {"artifactLocation": artifact}
    region = {
        "startLine": finding.line,
        "endLine": finding.end_line or finding.line,
        "snippet": {"text": finding.quote},
    }
    return {"artifactLocation": artifact, "region": region}


def _fix(path: str, suggestion: LineReplacement) -> Mapping[str, Any]:
    deleted = {"startLine": suggestion.first, "endLine": suggestion.last}
    inserted = {"text": suggestion.replacement}
    change = {
        "artifactLocation": _artifact(path),
        "replacements": [{"deletedRegion": deleted, "insertedContent": inserted}],
    }
    return {"artifactChanges": [change]}


def _artifact(path: str) -> Mapping[str, str]:
    return {"uri": quote(path), "uriBaseId": "%SRCROOT%"}


def _notification(reason: str, paths: Sequence[str]) -> Mapping[str, Any]:
    locations = [{"physicalLocation": {"artifactLocation": _artifact(path)}} for path in paths]
    return {"level": "note", "message": {"text": f"Not reviewed: {reason}"}, "locations": locations}
