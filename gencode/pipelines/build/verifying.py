"""The stage `verifying`: the certificate of the project. Each step is an event when it has ended.

A step that fails in what a model has written makes that flow unwritten again, and the rest is proven without
it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import anyio.to_thread
import structlog

from gencode.blueprints.stack import Stack
from gencode.certification import Certificate, CertificateStatus, Certifier, StepReport
from gencode.domain.errors import StoreError
from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.pipelines.build.archiving import archive_update, facts_of
from gencode.pipelines.build.artifacts import Archived, Built, HoleOutcome, HoleOutcomes
from gencode.pipelines.build.errors import VerificationFailed
from gencode.pipelines.build.names import CERTIFICATE, HOLES, QA
from gencode.pipelines.build.qa_report import qa_result, report_of
from gencode.workspace.builds.store import BuildStore

log = structlog.get_logger(__name__)

ROUNDS = 3
"""Certificates of one run: after the last one, what fails is not taken out any more."""


class Verifying:
    """`author`: of the commit."""

    def __init__(self, certifier: Certifier, builds: BuildStore, author: str) -> None:
        self._certifier = certifier
        self._builds = builds
        self._author = author

    async def __call__(self, work: Archived, emit: Emit) -> Archived:
        """Raises VerificationFailed, SandboxFailed."""
        if work.certificate:
            return work
        for number in range(1, ROUNDS + 1):
            certificate = await self._certificate(work.built, emit)
            blamed = _blamed(certificate, work.built.holes)
            if not blamed or number == ROUNDS:
                break
            work = await self._without(work, blamed, certificate.reason, emit)
        report = report_of(work.built, certificate)
        checkpoints = {QA: report.model_dump_json()}
        if certificate.status is not CertificateStatus.FAILED:
            checkpoints[CERTIFICATE] = certificate.model_dump_json()
        await emit(
            StageUpdate(
                kind="certificate",
                data={"status": certificate.status.value, "reason": certificate.reason},
                checkpoints=checkpoints,
                result=qa_result(report),
            )
        )
        if certificate.status is CertificateStatus.FAILED:
            raise VerificationFailed(
                f"the project does not pass its checks: {certificate.reason}. It is not pushed; read "
                "GET .../qa-report, and the files in GET .../artifact"
            )
        return replace(work, certificate=certificate)

    async def _certificate(self, built: Built, emit: Emit) -> Certificate:
        files = {path: text.encode() for path, text in built.files.items()}
        stack = Stack.model_validate(built.given.stack)
        return await self._certifier.certify(files, stack, partial(_tell, emit))

    async def _without(
        self, work: Archived, blamed: Sequence[HoleOutcome], reason: str, emit: Emit
    ) -> Archived:
        """The project without these bodies, which are not used again."""
        await self._forget(work.built, blamed)
        why = f"what the model wrote fails the checks of the project: {reason}"[:1000]
        gone = {one.name: one for one in blamed}
        holes = tuple(
            HoleOutcome(name=one.name, path=one.path, source="default", reason=why)
            if one.name in gone
            else one
            for one in work.built.holes
        )
        built = replace(work.built, holes=holes)
        facts = await anyio.to_thread.run_sync(facts_of, built, self._author)
        told = [
            StageUpdate(
                kind="hole", data={"name": one.name, "path": one.path, "source": "default", "reason": why}
            )
            for one in blamed
        ]
        stored = StageUpdate(checkpoints={HOLES: HoleOutcomes(holes=holes).model_dump_json()})
        await emit(*told, stored, archive_update(facts))
        return Archived(built=built, facts=facts)

    async def _forget(self, built: Built, blamed: Sequence[HoleOutcome]) -> None:
        """A failure costs a later build the same round."""
        try:
            await self._builds.forget_holes(built.given.scope, [one.digest for one in blamed])
        except StoreError as error:
            log.warning("what a model has written into holes is not forgotten", error=error.message)


async def _tell(emit: Emit, step: StepReport) -> None:
    data: Mapping[str, object] = step.model_dump(mode="json", exclude={"log_tail"})
    await emit(StageUpdate(kind="verification_step", data=data))


def _blamed(certificate: Certificate, holes: Sequence[HoleOutcome]) -> Sequence[HoleOutcome]:
    """The bodies in whose files the failed step has found something."""
    if certificate.status is not CertificateStatus.FAILED or not certificate.steps:
        return ()
    last = certificate.steps[-1]
    text = f"{last.reason}\n{last.log_tail}"
    return [one for one in holes if one.source != "default" and _shown_path(one.path) in text]


def _shown_path(path: str) -> str:
    """As the log of a step in the folder of the back end names it."""
    return path[path.find("app/") :] if "app/" in path else path
