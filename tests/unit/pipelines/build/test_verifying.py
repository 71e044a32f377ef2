"""What a certificate does to a build."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from gencode.certification import Certificate, CertificateStatus, StepReport, StepStatus, unverified
from gencode.engine.ports.pipeline import StageUpdate
from gencode.llm.budget import Budget
from gencode.llm.model_route import Failover
from gencode.model_tasks.calls import ModelRun
from gencode.pipelines.build.archiving import facts_of
from gencode.pipelines.build.artifacts import Archived, Built, Given, HoleOutcome
from gencode.pipelines.build.errors import VerificationFailed
from gencode.pipelines.build.names import CERTIFICATE, HOLES, QA
from gencode.pipelines.build.rendering import render
from gencode.pipelines.build.verifying import Verifying
from gencode.workspace.builds.store import BuildStore
from tests.unit.pipelines.build.shop import shop

STACK = {"backend": "fastapi", "database": "postgresql"}
AUTHOR = "a <a@example.com>"
RUN = ModelRun(
    task_id="t",
    task_version=1,
    kind="build",
    principal="local",
    model="m",
    budget=Budget(),
    failover=Failover(),
    checkpoints={},
)


def archived() -> Archived:
    rendered = render(shop(), STACK)
    (hole,) = rendered.holes
    outcome = HoleOutcome(
        name=hole.name, path=hole.path, source="model", body="return {}", digest="d", model="m"
    )
    given = Given(
        run=RUN,
        blueprint_id="b",
        version_tag="1",
        blueprint=shop(),
        predecessors=(),
        digest="0" * 64,
        project_name="shop",
        stack=STACK,
        scope="local",
        holes="model",
    )
    built = Built(given=given, rendered=rendered, holes=(outcome,))
    return Archived(built=built, facts=facts_of(built, AUTHOR))


def failure(tail: str) -> Certificate:
    step = StepReport(
        name="types",
        status=StepStatus.FAILED,
        reason="mypy found errors",
        command="python -m mypy app",
        exit_code=1,
        seconds=1,
        log_digest="0" * 64,
        log_tail=tail,
    )
    return Certificate(status=CertificateStatus.FAILED, reason="types: mypy found errors", steps=(step,))


class Scripted:
    """Certificates in turn. `seen`: the files of each."""

    def __init__(self, *certificates: Certificate) -> None:
        self._certificates = list(certificates)
        self.seen: list[Mapping[str, bytes]] = []

    async def certify(self, files: Mapping[str, bytes], stack: Any, report: Any) -> Certificate:
        self.seen.append(files)
        certificate = self._certificates.pop(0)
        for step in certificate.steps:
            await report(step)
        return certificate


class Kept(BuildStore):
    def __init__(self) -> None:
        self.forgotten: list[str] = []

    async def forget_holes(self, scope: str, digests: Any) -> None:
        self.forgotten += digests


class Emitted:
    def __init__(self) -> None:
        self.updates: list[StageUpdate] = []

    async def __call__(self, *updates: StageUpdate) -> None:
        self.updates += updates

    @property
    def kinds(self) -> Sequence[str]:
        return [one.kind for one in self.updates if one.kind]

    @property
    def checkpoints(self) -> Mapping[str, str]:
        return {name: text for one in self.updates for name, text in one.checkpoints.items()}

    @property
    def result(self) -> Mapping[str, Any]:
        return {name: value for one in self.updates for name, value in one.result.items()}


def verifying(*certificates: Certificate) -> tuple[Verifying, Scripted, Kept]:
    scripted, kept = Scripted(*certificates), Kept()
    certifier: Any = scripted
    return Verifying(certifier, kept, AUTHOR), scripted, kept


async def test_what_cannot_be_run_is_unverified_and_says_why() -> None:
    stage, scripted, _ = verifying(unverified("the sandbox is off"))
    emitted, work = Emitted(), archived()
    done = await stage(work, emitted)
    assert done.certificate == unverified("the sandbox is off")
    assert (emitted.result["qa_status"], emitted.result["qa_reason"]) == ("unverified", "the sandbox is off")
    assert await stage(done, emitted) == done
    assert len(scripted.seen) == 1
    assert scripted.seen[0] == {path: text.encode() for path, text in work.built.files.items()}


async def test_a_project_that_fails_keeps_its_report_and_a_retry_proves_it_again() -> None:
    passed = Certificate(status=CertificateStatus.VERIFIED)
    stage, _, kept = verifying(failure("app/models/order.py:3: error"), passed)
    emitted, work = Emitted(), archived()
    with pytest.raises(VerificationFailed, match="mypy found errors"):
        await stage(work, emitted)
    assert emitted.kinds == ["verification_step", "certificate"]
    assert "app/models/order.py:3" in emitted.checkpoints[QA]
    assert (CERTIFICATE in emitted.checkpoints, kept.forgotten) == (False, [])
    assert emitted.result["qa_status"] == "failed"
    again = Emitted()
    await stage(work, again)
    assert again.result["qa_status"] == "verified"


async def test_a_flow_that_fails_is_unwritten_and_the_rest_is_proven() -> None:
    passed = Certificate(status=CertificateStatus.VERIFIED)
    stage, scripted, kept = verifying(failure("app/flows/ship_order.py:9: error: what?"), passed)
    emitted, work = Emitted(), archived()
    done = await stage(work, emitted)
    assert emitted.kinds == ["verification_step", "hole", "archived", "certificate"]
    path = "backend/app/flows/ship_order.py"
    assert b"return {}" in scripted.seen[0][path]
    assert b"FlowNotWritten" in scripted.seen[1][path]
    assert kept.forgotten == ["d"]
    (hole,) = done.built.holes
    assert (hole.source, "mypy found errors" in hole.reason) == ("default", True)
    assert done.facts == facts_of(replace(work.built, holes=done.built.holes), AUTHOR)
    assert emitted.result["commit"] == done.facts.commit != work.facts.commit
    assert '"default"' in emitted.checkpoints[HOLES]
