"""What a push may do, where dulwich's own server is too trusting or too strict.

It reports a lost race as success, sets refs to objects that never came, takes the `shallow` lines of a
shallow clone for broken commands, and leaves the pack of a failed push behind.
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

from gencode.embedded.forge.contents import branches, default_branch, tip
from gencode.embedded.forge.repositories import Repository


class PushProtocol(ReceivableProtocol):
    def read_pkt_line(self) -> bytes | None:
        """The next line but for `shallow` ones, which dulwich takes for broken commands.

        They say where the client's history ends; `PushRules` proves that ours does not.
        """
        line = super().read_pkt_line()
        while line is not None and line.startswith(b"shallow "):
            line = super().read_pkt_line()
        return line


class PushRules(Hook):
    """Asked before each ref is changed; raises HookError with what the pusher is told."""

    def __init__(self, repo: Repo) -> None:
        self._repo = repo

    def execute(self, *args: Any) -> tuple[bytes, bytes]:
        ref, old, new = args
        if reason := self._objection(Ref(ref), ObjectID(old), ObjectID(new)):
            raise HookError(reason)
        return b"", b""

    def _objection(self, ref: Ref, old: ObjectID, new: ObjectID) -> str | None:
        if self._present(ref) != old:
            return "somebody else was faster: fetch first"
        if new == ZERO_SHA:
            current = local_branch_name(default_branch(self._repo).encode())
            return "refusing to delete the current branch" if ref == current else None
        if not _is_whole(self._repo, new):
            return "missing necessary objects"
        if ref.startswith(b"refs/heads/") and not isinstance(self._repo.object_store[new], Commit):
            return "a branch points at a commit"
        return None

    def _present(self, ref: Ref) -> ObjectID:
        try:
            return self._repo.refs[ref]
        except KeyError:
            return ZERO_SHA


def _is_whole(repo: Repo, new: ObjectID) -> bool:
    """Whether all that `new` reaches is here; what the present refs reach was proven when they were set."""
    store = repo.object_store
    known = list(repo.get_refs().values())
    try:
        return all(sha in store for sha, _ in MissingObjectFinder(store, haves=known, wants=[new]))
    except KeyError:
        return False


def settle_head(repo: Repo) -> None:
    """As at GitHub, the first branch pushed becomes the default one; a clone would check out nothing else."""
    pushed = branches(repo)
    if pushed and tip(repo, default_branch(repo)) is None:
        repo.refs.set_symbolic_ref(HEADREF, local_branch_name(pushed[0]))


def tidy(repository: Repository) -> None:
    """dulwich leaves the pack of a failed push behind."""
    for path in (repository.path / "objects").glob("tmp_pack_*"):
        path.unlink(missing_ok=True)
