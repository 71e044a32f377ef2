"""The kinds of host that HOSTS may name: what each is called, where its API is, whom it may create for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx

from gencode.githosts.adapter import HostAdapter
from gencode.githosts.bitbucket import Bitbucket
from gencode.githosts.gitea import Forgejo, Gitea
from gencode.githosts.gitee import Gitee
from gencode.githosts.github import GitHub, GitHubAdapter
from gencode.githosts.gitlab import GitLab
from gencode.githosts.origins import plain
from gencode.githosts.profile import GITHUB_FAILURES, named_profile
from gencode.githosts.rest_host import RestGitHost
from gencode.resilience.retry import Retry

GITHUB = "github"
DIRECTORY = "directory"
_SEGMENT = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}"


@dataclass(frozen=True, kw_only=True, slots=True)
class NameRule:
    """Which names a kind of host takes. `words`: the same for a reader."""

    pattern: re.Pattern[str]
    words: str

    def allows(self, name: str) -> bool:
        return bool(self.pattern.fullmatch(name)) and len(name) <= 255


def _rule(pattern: str, words: str) -> NameRule:
    return NameRule(pattern=re.compile(pattern), words=words)


_ONE = _rule(_SEGMENT, "one name of letters, digits, '-', '_' and '.'")
_FOLDER = _rule(
    rf"(?!.*\.(?:git|lock|)\Z){_SEGMENT}",
    "a folder's name: it begins with a letter, a digit or '_', and ends in none of .git, .lock and '.'",
)
ACCOUNTS: Mapping[str, NameRule] = {
    GITHUB: _rule(
        r"[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}", "a name of at most 39 letters, digits and single hyphens"
    ),
    "gitea": _ONE,
    "forgejo": _ONE,
    "gitlab": _rule(rf"{_SEGMENT}(?:/{_SEGMENT}){{0,20}}", "a group, or a subgroup as group/subgroup"),
    "gitee": _ONE,
    "bitbucket": _rule(rf"{_SEGMENT}(?:/{_SEGMENT})?", "a workspace, or workspace/PROJECT"),
    DIRECTORY: _FOLDER,
}
"""Whom repositories can be created for."""
_ANY = _rule(r"[A-Za-z0-9._-]{1,100}", "1 to 100 letters, digits, '-', '_' and '.'")
REPOSITORIES: Mapping[str, NameRule] = {
    GITHUB: _ANY,
    "gitea": _ANY,
    "forgejo": _ANY,
    "gitlab": _rule(_SEGMENT, "a name that begins with a letter, a digit or '_'"),
    "gitee": _rule(r"[A-Za-z][A-Za-z0-9._-]{1,99}", "a name of at least two characters, the first a letter"),
    "bitbucket": _rule(r"[A-Za-z0-9._-]{1,62}", "a name of at most 62 characters"),
    DIRECTORY: _FOLDER,
}
"""What they can be called: what a host would refuse at the end is refused before a model is paid."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HostType:
    """`home`: where it is unless told otherwise; None for what everybody runs at an address of their own."""

    speak: Callable[[str], HostAdapter]
    api: Callable[[str], str]
    home: str | None = None


def _bitbucket_api(url: str) -> str:
    return "https://api.bitbucket.org/2.0" if url == _BITBUCKET else f"{url}/2.0"


_BITBUCKET = "https://bitbucket.org"
_KINDS: Mapping[str, HostType] = {
    "gitea": HostType(speak=lambda _: Gitea(), api=lambda url: f"{url}/api/v1"),
    "forgejo": HostType(speak=lambda _: Forgejo(), api=lambda url: f"{url}/api/v1"),
    "gitlab": HostType(speak=lambda _: GitLab(), api=lambda url: f"{url}/api/v4", home="https://gitlab.com"),
    "gitee": HostType(speak=lambda _: Gitee(), api=lambda url: f"{url}/api/v5", home="https://gitee.com"),
    "bitbucket": HostType(speak=Bitbucket, api=_bitbucket_api, home=_BITBUCKET),
}
HOMELESS = frozenset(name for name, kind in _KINDS.items() if kind.home is None)


def connect(
    kind: str,
    label: str,
    url: str,
    token: str,
    client: httpx.AsyncClient,
    retry: Retry,
    *,
    user: str = "",
    **options: Any,
) -> RestGitHost:
    """A host of HOSTS, all kinds but directories. Raises StartError for an address or token that cannot work.

    url      the address that a browser opens; "" for the kind's own
    user     goes with the token, where it takes one (Bitbucket)
    options  RestHost's
    """
    if kind == GITHUB:
        profile = replace(named_profile(label, "GitHub"), failures=GITHUB_FAILURES)
        return GitHub(_github_api(url, profile.address), token, client, retry, profile=profile, **options)
    made = _KINDS[kind]
    adapter = made.speak(user)
    profile = named_profile(label, adapter.name)
    url = (url or made.home or "").rstrip("/")
    web = plain(url, profile.address, "https://git.example.org")
    return RestGitHost(adapter, profile, made.api(url), web, token, client, retry, **options)


def whoami(kind: str, label: str, url: str, user: str, token: str) -> tuple[str, dict[str, str]]:
    """Address and headers of a request that tells whose a token is, and changes nothing. Not for directories.

    Raises StartError for an address or token that cannot work.
    """
    adapter: HostAdapter
    if kind == GITHUB:
        profile, adapter = named_profile(label, "GitHub"), GitHubAdapter()
        address = f"{_github_api(url, profile.address)}/user"
    else:
        made, adapter = _KINDS[kind], _KINDS[kind].speak(user)
        profile, url = named_profile(label, adapter.name), (url or made.home or "").rstrip("/")
        plain(url, profile.address, "https://git.example.org")
        address = made.api(url) + ("/personal_access_tokens/self" if kind == "gitlab" else "/user")
    profile.prove(token)
    return address, adapter.headers(token)


def _github_api(url: str, setting: str) -> str:
    """GitHub's API at a person's address, which may be given as the API's own, too."""
    url = (url or "https://github.com").rstrip("/")
    web = plain(url, setting, "https://github.com")
    if url.endswith("/api/v3") or web.host.startswith("api."):
        return url
    if web.host == "github.com" or web.host.endswith(".ghe.com"):
        return f"{web.scheme}://api.{web.host}"
    return f"{url}/api/v3"
