"""The types of host that HOSTS may name: their dialects and URLs. Their rules for names are in
`name_rules`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx

from gencode.domain.errors import StartError
from gencode.githosts.api_dialect import ApiDialect
from gencode.githosts.bitbucket import Bitbucket
from gencode.githosts.connection_options import Endpoint, HostOptions
from gencode.githosts.errors import HostForbidden
from gencode.githosts.gitea import Forgejo, Gitea
from gencode.githosts.gitee import Gitee
from gencode.githosts.github import GitHub
from gencode.githosts.gitlab import GitLab
from gencode.githosts.host_identity import (
    GITHUB_ERRORS,
    HOST_ERRORS,
    HostErrors,
    HostIdentity,
    named_identity,
)
from gencode.githosts.name_rules import GITHUB
from gencode.githosts.origins import Origin, github_web_origin, origin_of, require_origin
from gencode.githosts.rest_api import RestApi
from gencode.githosts.rest_host import RestGitHost


def connect(
    kind: str,
    label: str,
    url: str,
    token: str,
    client: httpx.AsyncClient,
    options: HostOptions,
    *,
    user: str = "",
) -> RestGitHost:
    """The host of an entry of HOSTS, of any kind but a directory. Raises StartError for an invalid URL or
    token.

    url      the URL of its web pages; "" for the kind's default
    user     sent together with the token, at hosts that need one (Bitbucket)
    """
    host_type = _TYPES[kind]
    dialect = host_type.dialect(user)
    identity = named_identity(label, dialect.name, host_type.errors)
    return RestGitHost(dialect, identity, _endpoint(kind, identity, url, token), client, options)


def whoami(kind: str, label: str, url: str, user: str, token: str) -> tuple[str, dict[str, str]]:
    """URL and headers of a request that returns the token's user and changes nothing. Not for directories.

    Raises StartError for an invalid URL or token.
    """
    host_type = _TYPES[kind]
    dialect = host_type.dialect(user)
    identity = named_identity(label, dialect.name, host_type.errors)
    endpoint = _endpoint(kind, identity, url, token)
    identity.check_token(token)
    return endpoint.api_url + host_type.token_path, dialect.headers(token)


async def token_login(
    kind: str, url: str, token: str, client: httpx.AsyncClient, options: HostOptions, *, user: str = ""
) -> str | None:
    """The account of a user's own token; None if the host accepts the token and does not tell. The
    parameters are those of `connect`. Raises HostError, StartError for an invalid URL or token."""
    host_type = _TYPES[kind]
    dialect = host_type.dialect(user)
    identity = user_identity(kind, dialect.name, host_type.errors)
    api = user_api(kind, url, token, client, options, dialect, identity)
    try:
        response = await api.get("/user")
    except HostForbidden:  # of a project, a group or a workspace: it is no user
        return None
    if response.status == 404:
        raise identity.errors.protocol(f"no API of {dialect.name} is at this address; check api_url")
    names = (response.body.get(field) for field in ("login", "username", "nickname"))
    login = next(filter(None, names), None)
    return login if isinstance(login, str) else None


def user_identity(kind: str, name: str, errors: HostErrors = HOST_ERRORS) -> HostIdentity:
    """A host that a user's credential is for."""
    return HostIdentity(
        label=kind, name=name, url_setting="api_url", token_setting="the token", errors=errors
    )


def user_api(
    kind: str,
    url: str,
    token: str,
    client: httpx.AsyncClient,
    options: HostOptions,
    dialect: ApiDialect,
    identity: HostIdentity,
) -> RestApi:
    """The API of a host that a user's credential is for. Raises StartError for an invalid URL or token."""
    identity.check_token(token)
    return RestApi(dialect, identity, _endpoint(kind, identity, url, token), client, options)


def default_url(kind: str) -> str | None:
    """The URL of the kind's central server; None for software that has none."""
    return _TYPES[kind].default_url


def git_user(kind: str, user: str) -> str:
    """The user name for Git's basic authentication, whose password is a token. `user`: see `connect`."""
    return _TYPES[kind].dialect(user).git_user


def web_origin(kind: str, url: str) -> Origin | None:
    """The origin of the repositories of a host. `url`: see `connect`. None for an invalid URL."""
    try:
        return _endpoint(kind, named_identity(kind, kind), url, "").web
    except StartError:
        return None


# --- URLs -------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class HostType:
    """A kind of host with a REST API.

    dialect      makes the dialect; takes the user that is sent together with the token
    api_url      from the URL of the web pages to the URL of the API
    default_url  None for software that has no central server
    example      a URL, for messages
    token_path   the path that describes the token or its user
    """

    dialect: Callable[[str], ApiDialect]
    api_url: Callable[[str], str]
    default_url: str | None = None
    example: str = "https://git.example.org"
    token_path: str = "/user"
    errors: HostErrors = HOST_ERRORS


def _endpoint(kind: str, identity: HostIdentity, url: str, token: str) -> Endpoint:
    host_type = _TYPES[kind]
    url = (url or host_type.default_url or "").rstrip("/")
    web = require_origin(url, identity.url_setting, host_type.example)
    api_url = host_type.api_url(url)
    if kind == GITHUB:
        web = github_web_origin(api_url, identity.url_setting)
    return Endpoint(api_url=api_url, web=web, token=token)


def _github_api_url(url: str) -> str:
    """The URL of the API from that of the web pages; the URL of the API itself is also accepted."""
    web = origin_of(url)
    if web is None or url.endswith("/api/v3") or web.host.startswith("api."):
        return url
    if _is_github_cloud(web):
        return f"{web.scheme}://api.{web.host}"
    return f"{url}/api/v3"


def _is_github_cloud(web: Origin) -> bool:
    return web.host == "github.com" or web.host.endswith(".ghe.com")


def _bitbucket_api_url(url: str) -> str:
    return "https://api.bitbucket.org/2.0" if url == _BITBUCKET else f"{url}/2.0"


_BITBUCKET = "https://bitbucket.org"
_TYPES: Mapping[str, HostType] = {
    GITHUB: HostType(
        dialect=lambda _: GitHub(),
        api_url=_github_api_url,
        default_url="https://github.com",
        example="https://github.com",
        errors=GITHUB_ERRORS,
    ),
    "gitea": HostType(dialect=lambda _: Gitea(), api_url=lambda url: f"{url}/api/v1"),
    "forgejo": HostType(dialect=lambda _: Forgejo(), api_url=lambda url: f"{url}/api/v1"),
    "gitlab": HostType(
        dialect=lambda _: GitLab(),
        api_url=lambda url: f"{url}/api/v4",
        default_url="https://gitlab.com",
        token_path="/personal_access_tokens/self",
    ),
    "gitee": HostType(
        dialect=lambda _: Gitee(), api_url=lambda url: f"{url}/api/v5", default_url="https://gitee.com"
    ),
    "bitbucket": HostType(dialect=Bitbucket, api_url=_bitbucket_api_url, default_url=_BITBUCKET),
}
