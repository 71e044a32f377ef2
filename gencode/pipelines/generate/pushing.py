"""The last stage: the commit becomes the head of the repository's branch."""

from __future__ import annotations

from gencode.host import Host
from gencode.pipeline import Progress, Send
from gencode.pipelines.generate.artifacts import Delivered, Placed
from gencode.task import Status


class Pushing:
    """Repeatable: a branch that is at our SHA already counts as pushed."""

    status = Status.PUSHING

    def __init__(self, host: Host) -> None:
        self._host = host

    async def __call__(self, placed: Placed, send: Send) -> Delivered:
        sha = await self._host.push(placed.repo, placed.project.snapshot)
        result = {"commit": sha, "branch": placed.project.snapshot.branch}
        await send(Progress(kind="pushed", data=result, result=result))
        return Delivered(repo=placed.repo, sha=sha)
