"""The dialect of a host's REST API: its paths, JSON and headers. The order of calls is in `rest_host`.

The defaults are GitHub's API of 2008, which Gitea and Gitee adopted; a host overrides what differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import quote

from pydantic import BaseModel

from gencode.githosts.http_client import HttpReply
from gencode.githosts.port import Repository
from gencode.githosts.responses import ApiResponse


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundRepository:
    """A repository as its host describes it. `default_branch`: None if the response does not name it."""

    repo: Repository
    description: str
    default_branch: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CreateRepository:
    """The repository to create.

    branch           the one that will be pushed
    account          None for the token's own user
    account_details  the response for `ApiDialect.account_path`
    """

    name: str
    description: str
    private: bool
    branch: str
    account: str | None = None
    account_details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiRequest:
    """A request that changes something."""

    path: str
    body: Mapping[str, Any]
    method: str = "POST"


class ApiDialect:
    """What differs between the REST APIs of hosts.

    required_permissions  what the token must be allowed to do, for messages
    max_description       characters of a description that every version of the host accepts
    login_field           the user's name in the response of /user; "" if accounts are never users
    git_user              the user name for Git's basic authentication, whose password is the token
    """

    name: ClassVar[str]
    required_permissions: ClassVar[str]
    max_description: ClassVar[int] = 350
    login_field: ClassVar[str] = "login"
    git_user: str = "x-access-token"

    def headers(self, token: str) -> dict[str, str]:
        """The headers of every request of the API."""
        return {"Authorization": f"Bearer {token}"}

    def account_path(self, account: str) -> str | None:
        """The path that describes an account other than the token's own user, for `create_request`; None if
        it needs no description."""
        return None

    def account_check_path(self, account: str) -> str | None:
        """A path that is 404 exactly if the account does not exist; None if `account_path` serves for this
        check."""
        return f"/orgs/{path_segment(account)}"

    def permission_path(self, login: str, account: str | None) -> str | None:
        """The path that describes what the token's user may do in the account; None if the host has none."""
        return None

    def forbids_creation(self, permissions: Mapping[str, Any]) -> bool:
        """Whether the response for `permission_path` denies the creation of repositories."""
        return False

    def missing_scope(self, reply: HttpReply, *, private: bool) -> bool:
        """Whether the headers of any response show that the token cannot create such a repository."""
        return False

    def create_request(self, wanted: CreateRepository) -> ApiRequest:
        """The request to create a repository without a first commit, which would make our push a
        non-fast-forward."""
        raise NotImplementedError

    def repo_path(self, owner: str, name: str) -> str:
        """The path of a repository."""
        return f"/repos/{path_segment(owner)}/{path_segment(name)}"

    def normalized_name(self, name: str) -> str:
        """The name that the host gives to a repository requested by this name."""
        return name

    def is_name_taken(self, response: ApiResponse) -> bool:
        """Whether this response to `create_request` means that the name is taken."""
        raise NotImplementedError

    def parse_repository(self, body: Mapping[str, Any]) -> FoundRepository:
        """Raises pydantic.ValidationError if the body does not describe a repository."""
        return _RepositoryJson.model_validate(body).found()

    def permission_hint(self, reply: HttpReply) -> str:
        """The permission that the token lacks, for the message of a refused request."""
        return f"it needs {self.required_permissions}"

    def default_branch_request(self, repo: Repository, branch: str) -> ApiRequest | None:
        """The request that makes the branch the default one; None if the host does so at the first push."""
        return None


def credentials(token: str, headers: Mapping[str, str]) -> tuple[str, ...]:
    """Secrets that no message may contain: the token, and the value that the Authorization header carries."""
    return token, headers.get("Authorization", "").rpartition(" ")[2]


class _OwnerJson(BaseModel, defer_build=True):
    login: str


class _RepositoryJson(BaseModel, defer_build=True):
    owner: _OwnerJson
    name: str
    html_url: str
    clone_url: str
    description: str | None = None
    default_branch: str | None = None

    def found(self) -> FoundRepository:
        repo = Repository(
            owner=self.owner.login, name=self.name, web_url=self.html_url, clone_url=self.clone_url
        )
        return FoundRepository(
            repo=repo, description=self.description or "", default_branch=self.default_branch
        )


def creation_path(account: str | None) -> str:
    """The path for creating a repository at GitHub and hosts with its API; None: for the token's own user."""
    return f"/orgs/{path_segment(account)}/repos" if account else "/user/repos"


def path_segment(text: str) -> str:
    """The text as one percent-encoded segment of a path; "/" is encoded as well."""
    return quote(text, safe="")
