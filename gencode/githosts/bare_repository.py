"""One bare repository on the local disk: created atomically, without hooks and gitconfig."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

from dulwich.config import StackedConfig
from dulwich.objects import ZERO_SHA, ObjectID
from dulwich.refs import HEADREF, Ref
from dulwich.repo import Repo as GitRepo
from dulwich.server import update_server_info

from gencode.githosts.commit import CommitObjects

_PRIVATE = 0o750  # its group may read it, for example a web server's
_PUBLIC = 0o755
_HEADS = b"refs/heads/"


class BareRepository:
    """The repository at `path`, whether it exists or not. The methods block and raise OSError."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def exists(self) -> bool:
        """Also true for a link, but a link never counts as our repository: see `description`."""
        return os.path.lexists(self.path)

    def create(self, description: str, *, branch: str, private: bool, draft_name: str) -> bool:
        """Returns False if something exists at `path`.

        draft_name   the directory, beside `path`, in which the repository is built before it is renamed; what
                     a crash left there is removed
        """
        draft = self.path.with_name(draft_name)
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        try:
            # Without an empty configuration, dulwich reads init.defaultBranch of the process's user.
            with GitRepo.init_bare(draft, default_branch=branch.encode(), config=StackedConfig([])):
                (draft / "description").write_text(f"{description}\n", encoding="utf-8")
            draft.chmod(_PRIVATE if private else _PUBLIC)
            sync_tree(draft)
            return self._move_into_place(draft)
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def _move_into_place(self, draft: Path) -> bool:
        if self.exists:  # rename would replace an empty directory
            return False
        try:
            draft.rename(self.path)
        except OSError:
            if self.exists:
                return False
            raise
        sync_directory(self.path.parent)
        return True

    def has_commit(self, sha: ObjectID) -> bool:
        """Raises NotGitRepository."""
        with GitRepo(str(self.path), bare=True) as git:
            return sha in git.object_store

    def add_commit(self, branch: str, objects: CommitObjects) -> bytes | None:
        """Create the branch at the commit, unless it exists, or move it from `objects.replaces`. Returns the
        SHA of the branch afterwards; None without a branch. Raises NotGitRepository."""
        ref = Ref(_HEADS + branch.encode())
        with GitRepo(str(self.path), bare=True) as git:
            if git.refs.as_dict().get(ref) == objects.replaces:
                git.object_store.add_objects([(part, None) for part in objects.all])
                sync_tree(self.path / "objects")  # before a ref names them
                git.refs.set_if_equals(ref, objects.replaces or ZERO_SHA, objects.sha)
            if ref not in git.refs:
                return None
            head = bytes(git.refs[ref])
            if head == objects.sha:  # repeated for an existing branch: a crash may have come in between
                update_server_info(git)  # for static web servers
                sync_tree(self.path)
            return head

    def default_branch(self) -> str:
        """The branch that HEAD names, whether it exists or not; "" if none. Raises NotGitRepository."""
        with GitRepo(str(self.path), bare=True) as git:
            head = git.refs.read_ref(HEADREF) or b""
        return head.removeprefix(b"ref: ").removeprefix(_HEADS).decode("utf-8", "replace")

    def description(self) -> str:
        """The description; "" for anything but a real directory, which therefore never counts as ours."""
        if not is_real_directory(self.path):
            return ""
        try:
            return (self.path / "description").read_bytes()[:4096].decode("utf-8", "replace").strip()
        except OSError:
            return ""

    def refs(self) -> dict[str, str]:
        """Every branch and tag with its SHA. Raises NotGitRepository."""
        with GitRepo(str(self.path), bare=True) as git:
            refs = git.refs.as_dict()
        return {name.decode(): sha.decode() for name, sha in refs.items() if name.startswith(b"refs/")}


def is_real_directory(path: Path) -> bool:
    """False for a link, which could lead anywhere."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except FileNotFoundError:
        return False


def sync_tree(directory: Path) -> None:
    """fsync everything below the directory, then the directory: a reported repository survives a power
    failure."""
    for path, _, files in os.walk(directory, topdown=False):
        for name in files:
            _sync_file(Path(path, name))
        sync_directory(Path(path))


def _sync_file(path: Path) -> None:
    _fsync(path, os.O_RDONLY)


def sync_directory(path: Path) -> None:
    _fsync(path, os.O_RDONLY | os.O_DIRECTORY)


def _fsync(path: Path, flags: int) -> None:
    handle = os.open(path, flags | os.O_NOFOLLOW)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
