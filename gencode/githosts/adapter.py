"""How one kind of host speaks: the differences, and nothing of the story that they share (`rest_host`).

What stands here is GitHub's way of 2008, which Gitea and Gitee took over; a host overrides what it does
otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import quote

from pydantic import BaseModel

from gencode.githosts.http_client import HttpReply
from gencode.githosts.port import Repository
from gencode.githosts.rest_api import ApiResponse


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundRepository:
    """A repository as its host describes it. `branch`: the default one, if the host names it."""

    repo: Repository
    description: str
    branch: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CreateRepository:
    """The repository to make.

    account  None for the token's own
    known    the answer from `account_path`
    branch   the one that will be pushed
    """

    name: str
    description: str
    private: bool
    branch: str
    account: str | None = None
    known: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiRequest:
    """A request that changes something."""

    path: str
    body: Mapping[str, Any]
    method: str = "POST"


class HostAdapter:
    """`needs`: what the token must be allowed to do. `description`: characters that every version takes."""

    name: ClassVar[str]
    needs: ClassVar[str]
    description: ClassVar[int] = 350
    login: ClassVar[str] = "login"
    """Where the answer about the token's own user has its name."""
    git_user: str = "x-access-token"
    """Goes with the token in Git's basic authentication."""

    def headers(self, token: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {token}"}

    def account_path(self, account: str) -> str | None:
        """What must be read of an account (not the token's own) before it can be named in a wish."""
        return None

    def create_request(self, asked: CreateRepository) -> ApiRequest:
        """The creation of a repository without a first commit, which would make ours a non-fast-forward."""
        raise NotImplementedError

    def repo_path(self, owner: str, name: str) -> str:
        return f"/repos/{segment(owner)}/{segment(name)}"

    def named(self, name: str) -> str:
        """What the host will call a repository that was asked for by this name."""
        return name

    def name_taken(self, answer: ApiResponse) -> bool:
        raise NotImplementedError

    def read(self, body: Mapping[str, Any]) -> FoundRepository:
        """Raises ValidationError for what is no repository."""
        return _RepoJson.model_validate(body).found()

    def hint(self, reply: HttpReply) -> str:
        return f"it needs {self.needs}"

    def default_branch_request(self, repo: Repository, branch: str) -> ApiRequest | None:
        """Makes a branch the default one, where the first push does not."""
        return None


def credentials(token: str, headers: Mapping[str, str]) -> tuple[str, ...]:
    """What no message may show: a token, and what it is sent as."""
    return token, headers.get("Authorization", "").rpartition(" ")[2]


class _Account(BaseModel):
    login: str


class _RepoJson(BaseModel):
    owner: _Account
    name: str
    html_url: str
    clone_url: str
    description: str | None = None
    default_branch: str | None = None

    def found(self) -> FoundRepository:
        repo = Repository(
            owner=self.owner.login, name=self.name, web_url=self.html_url, clone_url=self.clone_url
        )
        return FoundRepository(repo=repo, description=self.description or "", branch=self.default_branch)


def creation_path(account: str | None) -> str:
    """Of GitHub and of those who took it over; None means the token's own user."""
    return f"/orgs/{segment(account)}/repos" if account else "/user/repos"


def segment(text: str) -> str:
    """One part of a path, whatever is in it."""
    return quote(text, safe="")
