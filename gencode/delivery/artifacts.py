"""What the stages take and return, and what is stored of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from gencode.delivery.forge_address import present_address
from gencode.engine.ports.pipeline import Checkpoints
from gencode.githosts.port import Repository, RepositorySpec, Snapshot

REPOSITORY = "repo"
PUSHED = "pushed"
"""Checkpoints."""


class Project(Protocol):
    """The files as the commit that will be pushed, and the repository that will be created for it."""

    @property
    def snapshot(self) -> Snapshot: ...

    @property
    def repository(self) -> RepositorySpec: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class RepositoryCreated:
    """A project and the repository that was created for it."""

    project: Project
    repo: Repository


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivered:
    """The repository, and the pushed commit, which is the head of its branch."""

    repo: Repository
    sha: str


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, defer_build=True)


class RepositoryCheckpoint(_Frozen):
    """The repository, with the name and URLs that the Git host normalised."""

    owner: str
    name: str
    web_url: str
    clone_url: str
    host: str = ""


class PushCheckpoint(_Frozen):
    """The SHA of the pushed commit."""

    commit: str


def restored_delivery(
    project: Project, checkpoints: Checkpoints, forge: str
) -> RepositoryCreated | Delivered | None:
    """What the checkpoints say of the delivery of the project; None before there is a repository.

    forge  the address of the local forge, which may have moved since the repository was created on it
    """
    if REPOSITORY not in checkpoints:
        return None
    stored = RepositoryCheckpoint.model_validate_json(checkpoints[REPOSITORY])
    repo = Repository(**stored.model_dump())
    repo = replace(
        repo,
        web_url=present_address(repo.web_url, repo.host, forge),
        clone_url=present_address(repo.clone_url, repo.host, forge),
    )
    if PUSHED not in checkpoints:
        return RepositoryCreated(project=project, repo=repo)
    return Delivered(repo=repo, sha=PushCheckpoint.model_validate_json(checkpoints[PUSHED]).commit)
