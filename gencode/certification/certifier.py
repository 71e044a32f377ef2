"""Decides what of a project can be proven here, and has it proven."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from gencode.blueprints.rendering import Stack
from gencode.certification.certificate import Certificate, StepReport, unverified
from gencode.certification.lock_files import BACKEND_LOCK, lock_digest, official_locks
from gencode.sandbox.port import Sandbox

Report = Callable[[StepReport], Awaitable[None]]


class Certifier:
    """environments: the folder of prepared environments, which need not exist."""

    def __init__(self, *, sandbox: Sandbox, environments: Path) -> None:
        self._sandbox = sandbox
        self._environments = environments

    async def certify(self, files: Mapping[str, bytes], stack: Stack, report: Report) -> Certificate:
        """Run each step, and call `report` when it has ended. The first step that fails is the last one.

        files  of the project by path, as they are delivered

        Raises SandboxFailed, which is not the project's fault.
        """
        if self._sandbox.off_reason:
            return unverified(self._sandbox.off_reason)
        lock = files.get(BACKEND_LOCK)
        if lock is None or lock_digest(lock) not in official_locks():
            return unverified(f"{BACKEND_LOCK} is not a lock file of the template set")
        return unverified("no environment is prepared for the lock file of the project")
