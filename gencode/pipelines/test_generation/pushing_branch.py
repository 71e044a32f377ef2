"""The stage `pushing_branch`, if the request wants it: the test files become one commit on a new branch of
the repository that they are for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from gencode.delivery.new_branch import push_new_branch
from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.pipelines.test_generation.artifacts import Collected, Delivery
from gencode.pipelines.test_generation.frameworks import is_generated
from gencode.pipelines.test_generation.results import TestsView
from gencode.workspace.repositories.push import Addition, RepositoryPush


@dataclass(frozen=True, kw_only=True, slots=True)
class Verified:
    """The result, and the request that it is for."""

    collected: Collected
    view: TestsView


def is_for_a_branch(work: Verified) -> bool:
    """Without a test file there is nothing to push."""
    return work.collected.given.delivery is not None and bool(work.view.files)


class PushingBranch:
    """Idempotent: the commit follows from what is stored, and a branch that is at it counts as pushed. Which
    name is tried is stored before it is."""

    def __init__(self, push: RepositoryPush, author: str) -> None:
        self._push = push
        self._author = author

    async def __call__(self, work: Verified, emit: Emit) -> Verified:
        """Raises UnsafePath, UnsafeTree, NonFastForward, GitError, the errors of RepositorySync.ensure."""
        run, delivery = work.collected.run, work.collected.given.delivery
        if delivery is None:
            return work
        addition = self._addition(work.view, run.task_id, delivery)
        snapshot = await self._push.snapshot(
            delivery.repository_id, run.principal, run.task, addition, _is_ours
        )
        push = partial(self._push.push, delivery.repository_id, run.principal)
        wanted = replace(snapshot, branch=delivery.branch)
        branch, commit = await push_new_branch(push, wanted, run.checkpoints, emit)
        result: Mapping[str, str] = {"branch": branch, "commit": commit}
        await emit(StageUpdate(kind="pushed", data=result, result=result))
        return work

    def _addition(self, view: TestsView, task_id: str, delivery: Delivery) -> Addition:
        return Addition(
            parent=delivery.commit,
            files={file.path: file.text.encode() for file in view.files},
            message=_message(view, task_id),
            author=self._author,
            at=delivery.at,
        )


def _is_ours(content: bytes) -> bool:
    return is_generated(content[:1200].decode("utf-8", "replace"))


def _message(view: TestsView, task_id: str) -> str:
    count = sum(len(file.tests) for file in view.files)
    state = f"{view.verification}: {view.reason}" if view.reason else view.verification
    return f"Add {count} tests written by gencode\n\nTask: {task_id}\nVerification: {state}\n"
