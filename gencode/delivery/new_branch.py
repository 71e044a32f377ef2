"""Pushes a commit to a branch that holds nothing else, of a repository in which others work."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from gencode.engine.ports.pipeline import Checkpoints, Emit, StageUpdate
from gencode.githosts.errors import NonFastForward
from gencode.githosts.port import Snapshot

BRANCH = "branch"
"""Checkpoint: the number of the name that is tried."""
MAX_BRANCHES = 20
"""Names that are tried: the wanted one, then that with a number."""


async def push_new_branch(
    push: Callable[[Snapshot], Awaitable[str]], snapshot: Snapshot, checkpoints: Checkpoints, emit: Emit
) -> tuple[str, str]:
    """The branch, and the id of its commit. A branch that is at the commit counts as pushed, one that holds
    another commit is left alone. Repeatable: which name is tried is stored before it is.

    push      one attempt; raises NonFastForward for a branch with another commit
    snapshot  `branch`: the wanted name

    Raises NonFastForward, and what `push` raises.
    """
    for number in range(int(checkpoints.get(BRANCH, 1)), MAX_BRANCHES + 1):
        branch = numbered(snapshot.branch, number)
        await emit(StageUpdate(checkpoints={BRANCH: str(number)}, is_progress=False))
        try:
            return branch, await push(replace(snapshot, branch=branch))
        except NonFastForward:
            continue
    last = numbered(snapshot.branch, MAX_BRANCHES)
    raise NonFastForward(
        f"the branches {snapshot.branch} to {last} hold other commits and were left alone; submit the "
        "request again with another branch"
    )


def numbered(branch: str, number: int) -> str:
    """The first one is the name itself."""
    return branch if number == 1 else f"{branch}-{number}"
