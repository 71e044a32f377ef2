"""The seam to a Git host: create a repository, push a snapshot to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from gencode.domain.tree import Tree


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """A root commit in the making. Equal snapshots have equal SHAs: nothing else flows into the commit."""

    tree: Tree
    message: str
    author: str
    """`Name <email>`, also the committer."""
    at: datetime
    branch: str = "main"
    ready: Mapping[str, bytes] = field(default_factory=dict, compare=False, repr=False)
    """What `gencode.domain.blob.deflated` has made of files already, by id; what is missing is deflated later."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RepositorySpec:
    """The repository to make. `marker` is put where only its maker can (the description) and proves
    ownership after a lost reply; `org` None means the token's own user; `host` is the name of one of several
    configured hosts, "" where there is but one."""

    name: str
    org: str | None
    private: bool
    description: str
    marker: str
    host: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Repository:
    """A repository as its host names it (hosts normalise names). `host` as in RepoSpec: it is kept with the
    repository, so that nothing is ever pushed to another place of the same name."""

    owner: str
    name: str
    web_url: str
    clone_url: str
    host: str = ""


class GitHost(Protocol):
    """Both calls may be repeated with equal arguments: at-least-once calls, one repository."""

    async def create(self, spec: RepositorySpec, snapshot: Snapshot) -> Repository:
        """Create the repository and wait until it is ready to be pushed to.

        Adopts an existing one only if it carries the marker and is empty or has our snapshot as its head;
        anyone else's repository is never touched (RepoExists). Raises HostError after three attempts.
        """
        ...

    async def push(self, repo: Repository, snapshot: Snapshot) -> str:
        """Make the snapshot the head of its branch, without force; returns the commit's SHA (40 hex).

        A branch that is there already at our SHA is success. One attempt, no retries. Raises GitError with
        the server's own words, redacted.
        """
        ...
