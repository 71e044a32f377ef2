"""Extends dulwich's receive-pack: checks of ref updates, shallow clones, the default branch, temporary packs.

dulwich's server reports a ref update that lost a race as successful, sets refs to objects that were not sent,
rejects the `shallow` lines of a shallow clone as malformed commands, and does not delete the pack of a failed
push.
"""

from __future__ import annotations

from typing import Any

from dulwich.errors import HookError
from dulwich.hooks import Hook
from dulwich.object_store import MissingObjectFinder
from dulwich.objects import ZERO_SHA, Commit, ObjectID
from dulwich.protocol import ReceivableProtocol
from dulwich.refs import HEADREF, Ref, local_branch_name
from dulwich.repo import Repo

from gencode.embedded.forge.contents import branch_sha, branches, default_branch
from gencode.embedded.forge.repositories import Repository


class PushProtocol(ReceivableProtocol):
    """Accepts pushes from shallow clones."""

    def read_pkt_line(self) -> bytes | None:
        """The next line, without `shallow` lines, which dulwich rejects as malformed commands.

        They name the commits where the client's history ends. `PushRules` checks that the history in this
        repository is complete, so they can be ignored.
        """
        line = super().read_pkt_line()
        while line is not None and line.startswith(b"shallow "):
            line = super().read_pkt_line()
        return line


class PushRules(Hook):
    """Runs before each ref update. Raises HookError with the reason, which git shows to the user."""

    def __init__(self, repo: Repo) -> None:
        self._repo = repo

    def execute(self, *args: Any) -> tuple[bytes, bytes]:
        ref, old, new = args
        if reason := self._rejection_reason(Ref(ref), ObjectID(old), ObjectID(new)):
            raise HookError(reason)
        return b"", b""

    def _rejection_reason(self, ref: Ref, old: ObjectID, new: ObjectID) -> str | None:
        if self._current_sha(ref) != old:
            return "somebody else was faster: fetch first"
        if new == ZERO_SHA:
            current = local_branch_name(default_branch(self._repo).encode())
            return "refusing to delete the current branch" if ref == current else None
        if not _has_all_objects(self._repo, new):
            return "missing necessary objects"
        if ref.startswith(b"refs/heads/") and not isinstance(self._repo.object_store[new], Commit):
            return "a branch points at a commit"
        return None

    def _current_sha(self, ref: Ref) -> ObjectID:
        try:
            return self._repo.refs[ref]
        except KeyError:
            return ZERO_SHA


def _has_all_objects(repo: Repo, new: ObjectID) -> bool:
    """Whether every object reachable from `new` exists. Those of the current refs were checked when set."""
    store = repo.object_store
    known = list(repo.get_refs().values())
    try:
        return all(sha in store for sha, _ in MissingObjectFinder(store, haves=known, wants=[new]))
    except KeyError:
        return False


def set_default_branch(repo: Repo) -> None:
    """Makes the first branch that is pushed the default branch, as GitHub does, since a clone checks out the
    branch of HEAD."""
    pushed = branches(repo)
    if pushed and branch_sha(repo, default_branch(repo)) is None:
        repo.refs.set_symbolic_ref(HEADREF, local_branch_name(pushed[0]))


def delete_temporary_packs(repository: Repository) -> None:
    """Deletes the packs of failed pushes, which dulwich leaves behind."""
    for path in (repository.path / "objects").glob("tmp_pack_*"):
        path.unlink(missing_ok=True)
