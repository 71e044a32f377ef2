"""The last stage: the commit becomes the head of the repository's branch."""

from __future__ import annotations

from gencode.host import Host
from gencode.pipeline import Progress, Send
from gencode.pipelines.generate.artifacts import Delivered, KeptPush, Placed
from gencode.task import Status


class Pushing:
    """Repeatable: a branch that is at our SHA already counts as pushed."""

    status = Status.PUSHING

    def __init__(self, host: Host) -> None:
        self._host = host

    async def __call__(self, placed: Placed | Delivered, send: Send) -> Delivered:
        if isinstance(placed, Delivered):
            return placed
        sha = await self._host.push(placed.repo, placed.project.snapshot)
        result = {"commit": sha, "branch": placed.project.snapshot.branch}
        kept = {"pushed": KeptPush(commit=sha).model_dump_json()}
        await send(Progress(kind="pushed", data=result, keep=kept, result=result))
        return Delivered(repo=placed.repo, sha=sha)
