"""Decides what of a project can be proven here, and has it proven."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from gencode.blueprints.stack import Stack
from gencode.certification.certificate import Certificate, CertificateStatus, StepReport, unverified
from gencode.certification.environments import Environment, prepared_environment
from gencode.certification.group_runner import Unavailable, failed, run_group
from gencode.certification.lock_files import Tool, needed_locks
from gencode.certification.steps import groups_of
from gencode.sandbox.port import Sandbox

Report = Callable[[StepReport], Awaitable[None]]
NOT_PREPARED = "no environment is prepared for its lock file: run `gencode build-environments prepare`"


class Certifier:
    """environments: the folder of prepared environments, which need not exist."""

    def __init__(self, *, sandbox: Sandbox, environments: Path) -> None:
        self._sandbox = sandbox
        self._environments = environments

    async def certify(self, files: Mapping[str, bytes], stack: Stack, report: Report) -> Certificate:
        """Run the steps, and call `report` for each that has ended. The first that fails is the last one.

        files  of the project by path, as they are delivered

        Raises SandboxFailed, which is not the project's fault.
        """
        if self._sandbox.off_reason:
            return unverified(self._sandbox.off_reason)
        if not self._sandbox.can_show:
            return unverified("the sandbox cannot show prepared environments (SANDBOX=bubblewrap can)")
        environments: dict[Tool, Environment] = {}
        for name, lock in needed_locks(stack).items():
            if lock is None or not lock.is_in(files):
                return unverified(f"the project has not the lock file of the template set {name}")
            environment = prepared_environment(self._environments, lock)
            if environment is None:
                return unverified(NOT_PREPARED)
            environments[lock.tool] = environment
        return await self._proven(files, stack, report, environments)

    async def _proven(
        self,
        files: Mapping[str, bytes],
        stack: Stack,
        report: Report,
        environments: Mapping[Tool, Environment],
    ) -> Certificate:
        steps: list[StepReport] = []
        for group in groups_of(files, stack):
            try:
                reports = await run_group(self._sandbox, group, files, environments[group.tool])
            except Unavailable as error:
                return Certificate(
                    status=CertificateStatus.UNVERIFIED, reason=str(error)[:1000], steps=tuple(steps)
                )
            for one in reports:
                steps.append(one)
                await report(one)
            if fault := failed(reports):
                reason = f"{fault.name}: {fault.reason}"[:1000]
                return Certificate(status=CertificateStatus.FAILED, reason=reason, steps=tuple(steps))
        return Certificate(status=CertificateStatus.VERIFIED, steps=tuple(steps))
