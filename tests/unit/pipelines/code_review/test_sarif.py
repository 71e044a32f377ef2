from __future__ import annotations

import json

import pytest
from jsonschema_rs import Draft4Validator

from gencode.diffs import Coverage, Side
from gencode.pipelines.code_review.findings import Finding, FindingStatus, LineReplacement, Severity
from gencode.pipelines.code_review.review_plan import LedgerLine
from gencode.pipelines.code_review.sarif import review_sarif
from tests.servers.service import ROOT
from tests.unit.pipelines.code_review.reviews import finding
from tests.unit.pipelines.code_review.test_markdown import result

SCHEMA = json.loads((ROOT / "tests/fixtures/sarif/sarif-schema-2.1.0.json").read_text())
SKIPPED = LedgerLine(
    file=0,
    path="b.py",
    hunk=0,
    part=0,
    coverage=Coverage.OVER_BUDGET,
    bundle=None,
    reason="",
    added=1,
    deleted=0,
)


@pytest.mark.parametrize(
    "found",
    [
        finding(),
        finding(line=None, unanchored="no line"),
        finding(side=Side.OLD),
        finding(path="关于/a b.py", title="x\u2028y", body="", quote="\t"),
        finding(status=FindingStatus.IGNORED, severity=Severity.INFO),
        finding(status=FindingStatus.FIXED),
        finding(suggestion=LineReplacement(first=1, last=2, old="x", replacement="")),
    ],
)
@pytest.mark.parametrize("subject", ["", "main"])
def test_a_review_is_valid_sarif(found: Finding, subject: str) -> None:
    document = review_sarif(result(findings=(found,), ledger=(SKIPPED,), subject=subject))
    errors = [error.message for error in Draft4Validator(SCHEMA).iter_errors(document)]
    assert errors == []


def test_the_schema_refuses_what_is_no_sarif() -> None:
    document = dict(review_sarif(result(findings=(finding(),))))
    document["runs"] = [{"results": []}]
    assert not Draft4Validator(SCHEMA).is_valid(document)


def test_a_result_has_its_place_its_level_and_its_fingerprint() -> None:
    found = finding(path="a b.py", line=3, end_line=4, severity=Severity.MINOR, identity="abc")
    (told,) = review_sarif(result(findings=(found,)))["runs"][0]["results"]
    place = told["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "a%20b.py"
    assert (place["region"]["startLine"], place["region"]["endLine"]) == (3, 4)
    assert (told["level"], told["partialFingerprints"]) == ("warning", {"gencode/v1": "abc"})
    assert "baselineState" not in told


def test_a_deleted_line_is_no_region_of_the_present_file() -> None:
    (told,) = review_sarif(result(findings=(finding(side=Side.OLD),)))["runs"][0]["results"]
    assert "region" not in told["locations"][0]["physicalLocation"]


def test_what_was_not_reviewed_is_told() -> None:
    run = review_sarif(result(complete=False, ledger=(SKIPPED,)))["runs"][0]
    (notified,) = run["invocations"][0]["toolExecutionNotifications"]
    assert notified["message"]["text"] == "Not reviewed: BUDGET_EXCEEDED"
