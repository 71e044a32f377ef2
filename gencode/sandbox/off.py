"""The sandbox that is switched off: it runs nothing, and says why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gencode.sandbox.errors import SandboxFailed
from gencode.sandbox.port import Limits, Outcome, Shown

REASON = "the sandbox is off (SANDBOX)"


class SandboxOff:
    """See gencode.sandbox.port.Sandbox."""

    off_reason = REASON
    python = ""
    can_show = False

    async def run(
        self,
        command: Sequence[str],
        files: Mapping[str, bytes],
        limits: Limits,
        *,
        environment: Mapping[str, str] | None = None,
        collect: Sequence[str] = (),
        shown: Sequence[Shown] = (),
    ) -> Outcome:
        raise SandboxFailed(f"Nothing can be run: {REASON}")
