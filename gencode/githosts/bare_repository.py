"""One bare repository on this machine's disk: made whole or not at all, without hooks and gitconfig."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

from dulwich.config import StackedConfig
from dulwich.refs import Ref
from dulwich.repo import Repo as GitRepo
from dulwich.server import update_server_info

from gencode.githosts.commit import Objects

_PRIVATE = 0o750  # its group may read it, for example a web server's
_PUBLIC = 0o755
_HEADS = b"refs/heads/"


class BareRepository:
    """The repository at `path`, whether it exists or not. The methods block and raise OSError."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def exists(self) -> bool:
        """A link counts as something that exists, and never as ours: see `description`."""
        return os.path.lexists(self.path)

    def make(self, description: str, *, branch: str, private: bool, new: str) -> bool:
        """False if something is there already.

        new   name of the folder in which it is made, beside its place; what a crash left there is removed
        """
        draft = self.path.with_name(new)
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        try:
            # An empty configuration, or init.defaultBranch of whoever runs this would be looked up.
            with GitRepo.init_bare(draft, default_branch=branch.encode(), config=StackedConfig([])):
                (draft / "description").write_text(f"{description}\n", encoding="utf-8")
            draft.chmod(_PRIVATE if private else _PUBLIC)
            _sync(draft)
            return self._put(draft)
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def _put(self, draft: Path) -> bool:
        if self.exists:  # rename would replace an empty folder
            return False
        try:
            draft.rename(self.path)
        except OSError:
            if self.exists:
                return False
            raise
        _sync_folder(self.path.parent)
        return True

    def description(self) -> str:
        """Of a real folder; "" for anything else, so that it cannot pass for ours."""
        if not is_folder(self.path):
            return ""
        try:
            return (self.path / "description").read_bytes()[:4096].decode("utf-8", "replace").strip()
        except OSError:
            return ""

    def refs(self) -> dict[str, str]:
        """Every branch and tag with its SHA. Raises NotGitRepository."""
        with GitRepo(str(self.path), bare=True) as git:
            found = git.refs.as_dict()
        return {name.decode(): sha.decode() for name, sha in found.items() if name.startswith(b"refs/")}

    def add(self, branch: str, new: Objects) -> bytes | None:
        """Where the branch is then: at the new commit, unless it was elsewhere before."""
        ref = Ref(_HEADS + branch.encode())
        with GitRepo(str(self.path), bare=True) as git:
            if ref not in git.refs:
                git.object_store.add_objects([(part, None) for part in new.all])
                _sync(self.path / "objects")  # before anything names them
                git.refs.add_if_new(ref, new.sha)
            head = bytes(git.refs[ref])
            if head == new.sha:  # again even if it was there: a crash may have come between
                update_server_info(git)  # for servers that know nothing of Git
                _sync(self.path)
            return head


def is_folder(path: Path) -> bool:
    """A real one: a link could lead anywhere."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except FileNotFoundError:
        return False


def _sync(folder: Path) -> None:
    """Everything below, then itself: a repository that was told of survives a power cut."""
    for path, _, files in os.walk(folder, topdown=False):
        for name in files:
            _sync_file(Path(path, name))
        _sync_folder(Path(path))


def _sync_file(path: Path) -> None:
    _fsync(path, os.O_RDONLY)


def _sync_folder(path: Path) -> None:
    _fsync(path, os.O_RDONLY | os.O_DIRECTORY)


def _fsync(path: Path, flags: int) -> None:
    handle = os.open(path, flags | os.O_NOFOLLOW)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
