"""Checks before the first paid call whether the Git host could accept the result."""

from __future__ import annotations

from gencode.engine.ports.pipeline import Emit, Pause
from gencode.githosts.port import GitHost
from gencode.pipelines.generate.generating import Generating
from gencode.pipelines.generate.stage_artifacts import Draft, GenerateInput, repository_spec


class CheckedGenerating:
    """The first stage, with the check at its beginning: a wrong token, an absent organisation, a taken name
    and a host that does not answer fail the task while it has cost nothing.

    A run that continues with stored answers is not checked again.
    """

    def __init__(self, host: GitHost, generating: Generating) -> None:
        self._host = host
        self._generating = generating

    async def __call__(self, request: GenerateInput, emit: Emit) -> Draft | Pause:
        """Raises HostError, and what the stage raises."""
        if request.plan is None and not request.job.pieces:
            await self._host.check(repository_spec(request))
        return await self._generating(request, emit)
