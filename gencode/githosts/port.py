"""The port of a Git host: create a repository, push a snapshot to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from gencode.domain.tree import Tree


@dataclass(frozen=True, kw_only=True, slots=True)
class ParentCommit:
    """The commit on which another one is made.

    id       40 hexadecimal digits
    folders  the entries (mode, id) by name of each of its folders in which a file is written, by path; "" is
             the root. A folder that is not among them is new
    """

    id: str
    folders: Mapping[str, Mapping[bytes, tuple[int, bytes]]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """The content of a root commit, or with `parent` what a commit adds to another one. Equal snapshots have
    equal SHAs: the commit depends on nothing else.

    author          `Name <email>`, also used as the committer
    at              both dates of the commit; written in UTC
    advances        whether the branch is at the parent and moves to this commit; else the branch is new
    deflated_blobs  zlib streams by blob id, as `gencode.domain.git_blob.deflated` returns them; files
                    that are not among them are deflated during the push
    """

    tree: Tree
    message: str
    author: str
    at: datetime
    branch: str = "main"
    parent: ParentCommit | None = None
    advances: bool = False
    deflated_blobs: Mapping[str, bytes] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class RepositorySpec:
    """The repository to create.

    org     None for the account of the token's own user
    marker  written into the description, which only the creator can set: it proves ownership after a lost
            reply
    host    the name of a configured host; "" for the default one
    """

    name: str
    org: str | None
    private: bool
    description: str
    marker: str
    host: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Repository:
    """A repository as its host names it; hosts normalise names.

    host  as in `RepositorySpec`. It is stored with the repository, so that nothing is ever pushed to a
          repository of the same name on another host.
    """

    owner: str
    name: str
    web_url: str
    clone_url: str
    host: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class RepositoryState:
    """What a host has of a repository now.

    marker          that its description ends with; "" without one
    default_branch  "" if the host does not name it
    branches        ids of their commits by name
    """

    marker: str
    default_branch: str
    branches: Mapping[str, str]


class GitHost(Protocol):
    """Creates repositories and pushes to them. Repeated calls with equal arguments result in one
    repository."""

    async def check(self, spec: RepositorySpec) -> None:
        """Check, without changing anything, whether `create` could succeed: whether the host answers and
        accepts the token, whether the account exists and may have another repository if the host reports it,
        and whether the name is free or its repository carries the marker.

        A name that is free now can be taken when `create` is called. Raises HostError after three attempts.
        """
        ...

    async def create(self, spec: RepositorySpec, snapshot: Snapshot) -> Repository:
        """Create the repository and wait until it accepts a push.

        An existing repository is adopted only if it carries the marker and is empty or has the snapshot as
        its head; any other one is left unchanged (RepoExists). Raises HostError after three attempts.
        """
        ...

    async def state(self, repo: Repository) -> RepositoryState | None:
        """What is in the repository now; None if there is none at this address, or the token cannot see it.

        Raises HostError after three attempts.
        """
        ...

    async def push(self, repo: Repository, snapshot: Snapshot) -> str:
        """Make the snapshot the head of its branch, without force; returns the commit's SHA (40 hex digits).
        A snapshot with a parent does not change which branch is the default one.

        A branch that already points to this SHA counts as success. One attempt, no retries. Raises GitError
        with the server's own message, redacted.
        """
        ...
