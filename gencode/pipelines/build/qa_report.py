"""What is known of the quality of a project: stored when it is archived, and shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from gencode.certification import Certificate
from gencode.http.base_models import ResponseModel, Words
from gencode.pipelines.build.artifacts import Built

QaStatus = Literal["verified", "failed", "unverified"]
NOT_YET = "it is not verified yet"


class QaFinding(ResponseModel):
    """A warning of the validator: see the findings of the blueprint."""

    element: Words
    rule: str
    message: Words


class QaHole(ResponseModel):
    """A part of a file that a model may write. Where nobody has, it answers that it is not written."""

    name: Words
    path: Words
    source: Literal["model", "kept", "default"] = Field(description="kept: written by an earlier build")
    reason: Words = Field(description="Why nobody has written it; else empty")


class QaReport(ResponseModel):
    """Unverified: nothing has proven that the project works."""

    status: QaStatus
    reason: Words = Field(description="Why it is not verified; empty if it is")
    findings: list[QaFinding] = Field(description="Warnings of the validator")
    holes: list[QaHole]
    certificate: Certificate = Field(description="The steps that were run")

    def summary(self) -> Mapping[str, Any]:
        """As tasks show it."""
        unwritten = [hole.name for hole in self.holes if hole.source == "default"]
        return {
            "status": self.status,
            "reason": self.reason,
            "findings": len(self.findings),
            "holes": len(self.holes),
            "unwritten_holes": unwritten[:20],
            "steps": [
                {"name": step.name, "status": step.status.value, "seconds": step.seconds}
                for step in self.certificate.steps
            ],
        }


def qa_result(report: QaReport) -> Mapping[str, Any]:
    """Of the task."""
    return {"qa_status": report.status, "qa_reason": report.reason, "qa_report": report.summary()}


def report_of(work: Built, certificate: Certificate) -> QaReport:
    findings = [
        QaFinding(element=one["element"], rule=one["rule"], message=one["message"])
        for one in work.rendered.findings
    ]
    holes = [QaHole(name=one.name, path=one.path, source=one.source, reason=one.reason) for one in work.holes]
    return QaReport(
        status=certificate.status.value,
        reason=certificate.reason,
        findings=findings,
        holes=holes,
        certificate=certificate,
    )
