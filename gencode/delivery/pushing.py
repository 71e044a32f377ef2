"""The last stage: pushes the commit to the repository's branch."""

from __future__ import annotations

from gencode.delivery.artifacts import PUSHED, Delivered, PushCheckpoint, RepositoryCreated
from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.githosts.port import GitHost


class Pushing:
    """Idempotent: a branch that is at our SHA counts as pushed."""

    def __init__(self, host: GitHost) -> None:
        self._host = host

    async def __call__(self, created: RepositoryCreated | Delivered, emit: Emit) -> Delivered:
        """Raises GitError, HostError and their subclasses."""
        if isinstance(created, Delivered):
            return created
        sha = await self._host.push(created.repo, created.project.snapshot)
        result = {"commit": sha, "branch": created.project.snapshot.branch}
        checkpoint = {PUSHED: PushCheckpoint(commit=sha).model_dump_json()}
        await emit(StageUpdate(kind="pushed", data=result, checkpoints=checkpoint, result=result))
        return Delivered(repo=created.repo, sha=sha)
