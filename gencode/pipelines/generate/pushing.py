"""The last stage: the commit becomes the head of the repository's branch."""

from __future__ import annotations

from gencode.engine.pipeline import Emit, StageUpdate
from gencode.githosts.port import GitHost
from gencode.pipelines.generate.artifacts import Delivered, KeptPush, RepositoryCreated


class Pushing:
    """Repeatable: a branch that is at our SHA already counts as pushed."""

    def __init__(self, host: GitHost) -> None:
        self._host = host

    async def __call__(self, placed: RepositoryCreated | Delivered, send: Emit) -> Delivered:
        if isinstance(placed, Delivered):
            return placed
        sha = await self._host.push(placed.repo, placed.project.snapshot)
        result = {"commit": sha, "branch": placed.project.snapshot.branch}
        checkpoints = {"pushed": KeptPush(commit=sha).model_dump_json()}
        await send(StageUpdate(kind="pushed", data=result, checkpoints=checkpoints, result=result))
        return Delivered(repo=placed.repo, sha=sha)
