"""The records of a certificate, and projects that cannot be proven."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from gencode.blueprints import Blueprint
from gencode.blueprints.rendering import Stack, render_project
from gencode.certification import (
    Certificate,
    CertificateStatus,
    Certifier,
    StepReport,
    StepStatus,
    unverified,
)
from gencode.certification.certificate import MAX_TAIL, digest_of, tail_of
from gencode.certification.certifier import NOT_PREPARED
from gencode.sandbox.off import SandboxOff

STEP = StepReport(
    name="tests",
    status=StepStatus.FAILED,
    reason="the limit of 60 s was reached",
    command="python -m pytest",
    exit_code=-9,
    seconds=60.0,
    versions={"python": "3.11.7"},
    log_digest=digest_of(b"log"),
    log_tail="log",
)


async def nobody(_: StepReport) -> None:
    raise AssertionError("no step was run")


def test_a_certificate_is_the_same_after_json() -> None:
    certificate = Certificate(status=CertificateStatus.FAILED, reason="tests", steps=(STEP,))
    assert Certificate.model_validate_json(certificate.model_dump_json()) == certificate
    with pytest.raises(ValidationError):
        certificate.status = CertificateStatus.VERIFIED


def test_every_field_of_the_public_document_is_described_or_named_by_its_type() -> None:
    described = Certificate.model_json_schema()["properties"]
    assert set(described) == {"status", "reason", "steps"}


def test_the_end_of_a_log_is_bounded_whole_lines_and_has_no_secrets() -> None:
    lines = [f"line {number}" for number in range(5000)]
    tail = tail_of("\n".join([*lines, "password: ghp_abcdefgh12345678", "\x1b[31mred"]).encode() + b"\xff")
    assert len(tail) <= MAX_TAIL
    assert tail.splitlines()[0] in lines
    assert "ghp_" not in tail
    assert "\x1b" not in tail
    assert tail_of(b"short\n") == "short\n"
    assert len(tail_of(b"x" * 100_000)) <= MAX_TAIL


async def test_a_sandbox_that_is_off_proves_nothing(tmp_path: Path) -> None:
    certifier = Certifier(sandbox=SandboxOff(), environments=tmp_path)
    assert await certifier.certify({}, Stack(), nobody) == unverified("the sandbox is off (SANDBOX)")


async def test_another_lock_file_is_never_installed(tmp_path: Path) -> None:
    sandbox = SandboxOff()
    sandbox.off_reason, sandbox.can_show = "", True
    certifier = Certifier(sandbox=sandbox, environments=tmp_path)
    for files in ({}, {"backend/requirements.lock": b"evil==1.0\n"}):
        certificate = await certifier.certify(files, Stack(), nobody)
        assert certificate.status is CertificateStatus.UNVERIFIED
        assert "has not the lock file of the template set fastapi" in certificate.reason


async def test_what_an_official_lock_file_needs_must_be_prepared(tmp_path: Path) -> None:
    sandbox = SandboxOff()
    sandbox.off_reason, sandbox.can_show = "", True
    rendered = render_project(
        Blueprint.model_validate({"projectName": "shop", "dataModels": [{"name": "Tag"}]}), Stack()
    ).files
    files = {path: text.encode() for path, text in rendered.items()}
    certificate = await Certifier(sandbox=sandbox, environments=tmp_path).certify(files, Stack(), nobody)
    assert certificate == unverified(NOT_PREPARED)


async def test_a_sandbox_that_shows_no_environment_proves_nothing(tmp_path: Path) -> None:
    sandbox = SandboxOff()
    sandbox.off_reason = ""
    certificate = await Certifier(sandbox=sandbox, environments=tmp_path).certify({}, Stack(), nobody)
    assert certificate.status is CertificateStatus.UNVERIFIED
