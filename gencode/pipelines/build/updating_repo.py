"""The stage `updating_repo`, if the request wants it: the project becomes a commit on the one that an earlier
build has delivered. On the default branch, if nothing else is there; else on a branch of its own. Nothing is
forced, and what others have pushed stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import anyio.to_thread

from gencode.delivery.new_branch import push_new_branch
from gencode.domain.errors import GencodeError, RetryHelps
from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.githosts.commit import commit_sha
from gencode.githosts.errors import GitError, HostError
from gencode.githosts.port import GitHost, ParentCommit, Repository, RepositoryState, Snapshot
from gencode.pipelines.build.archiving import snapshot_of
from gencode.pipelines.build.artifacts import Archived, UpdateTarget
from gencode.pipelines.build.delivering import require_no_secrets
from gencode.pipelines.build.names import UPDATED
from gencode.pipelines.build.update_reasons import CHANGED, GONE, NOT_OURS, UpdateReason, refused
from gencode.pipelines.build.update_target import present_repository


@dataclass(frozen=True, kw_only=True, slots=True)
class Update:
    """A project, the repository that it is for, and the commit that it becomes there.

    snapshot  on the default branch as it is now
    sha       of its commit
    state     of the repository before the push
    """

    work: Archived
    target: UpdateTarget
    repo: Repository
    snapshot: Snapshot
    sha: str
    state: RepositoryState

    @property
    def head(self) -> str | None:
        """The commit of the default branch."""
        return self.state.branches.get(self.state.default_branch)


def is_update(work: object) -> bool:
    return isinstance(work, Archived) and work.built.given.update is not None


class UpdatingRepo:
    """Idempotent: the commit follows from what is stored, and a branch that is at it counts as pushed.

    forge    the address of the local forge
    secrets  of this service, which no project may contain
    """

    def __init__(self, host: GitHost, author: str, forge: str, secrets: Callable[[], Sequence[str]]) -> None:
        self._host = host
        self._author = author
        self._forge = forge
        self._secrets = secrets

    async def __call__(self, work: Archived, emit: Emit) -> Archived:
        """What cannot be pushed at all is told: the archive is there. Raises SecretFound, and of HostError
        and GitError those after which a retry helps."""
        target = work.built.given.update
        if target is None or UPDATED in work.built.given.run.checkpoints:
            return work
        require_no_secrets(work.built.files, self._secrets())
        try:
            told = await self._updated(work, target, emit)
        except (HostError, GitError) as error:
            if _is_passing(error):
                raise
            told = _not_pushed(refused(error.message))
        await emit(told)
        return work

    async def _updated(self, work: Archived, target: UpdateTarget, emit: Emit) -> StageUpdate:
        repo = present_repository(target, self._forge)
        state = await self._host.state(repo)
        if state is None or not state.default_branch:
            return _not_pushed(GONE)
        if state.marker != target.marker and target.commit not in state.branches.values():
            return _not_pushed(NOT_OURS)
        snapshot = update_snapshot(work, target, state.default_branch, self._author)
        sha = await anyio.to_thread.run_sync(commit_sha, snapshot)
        update = Update(work=work, target=target, repo=repo, snapshot=snapshot, sha=sha, state=state)
        if work.facts.tree == target.tree:
            return _pushed(update, "unchanged", state.default_branch, target.commit)
        return await self._push(update, emit)

    async def _push(self, update: Update, emit: Emit) -> StageUpdate:
        reason = CHANGED
        if update.head in (update.target.commit, update.sha):
            try:
                sha = await self._host.push(update.repo, replace(update.snapshot, advances=True))
                return _pushed(update, "advanced", update.snapshot.branch, sha)
            except GitError as error:  # somebody was faster, or the branch is protected
                if _is_passing(error):
                    raise
                reason = refused(error.message)
        wanted = replace(update.snapshot, branch=f"gencode/regenerate-{update.sha[:12]}")
        checkpoints = update.work.built.given.run.checkpoints
        branch, sha = await push_new_branch(partial(self._host.push, update.repo), wanted, checkpoints, emit)
        return _pushed(update, "branch", branch, sha, reason)


def update_snapshot(work: Archived, target: UpdateTarget, branch: str, author: str) -> Snapshot:
    """The commit: all files of the project in place of those that were delivered. Raises UnsafePath,
    UnsafeTree."""
    parent = ParentCommit(id=target.commit, folders={})
    return replace(snapshot_of(work.built, author), branch=branch, parent=parent)


def _is_passing(error: GencodeError) -> bool:
    return error.retry_helps in (RetryHelps.NOW, RetryHelps.LATER)


def _pushed(
    update: Update, outcome: str, branch: str, sha: str, reason: UpdateReason | None = None
) -> StageUpdate:
    following = update.target.model_copy(update={"commit": sha, "tree": update.work.facts.tree})
    told = {
        "outcome": outcome,
        "branch": branch,
        "commit": sha,
        "parent": update.target.commit,
        "reason": reason.en if reason else "",
        "reason_zh": reason.zh if reason else "",
    }
    addresses = {"repo_url": update.repo.web_url, "clone_url": update.repo.clone_url}
    return StageUpdate(
        kind="update",
        data={**told, **addresses},
        checkpoints={UPDATED: following.model_dump_json()},
        result={**addresses, "branch": branch, "update": told},
    )


def _not_pushed(reason: UpdateReason) -> StageUpdate:
    """No checkpoint: a task that is retried tries again."""
    told = {"outcome": "not_pushed", "reason": reason.en, "reason_zh": reason.zh}
    return StageUpdate(kind="update", data=told, result={"update": told})
