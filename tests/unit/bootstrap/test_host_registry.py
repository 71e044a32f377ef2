"""Which hosts are configured, and which one a request selects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from gencode.bootstrap.host_registry import HostRegistry
from gencode.domain.errors import Invalid, StartError
from gencode.settings import NamedHost, Settings

LAB = NamedHost(kind="gitlab", token=SecretStr("t"), owner="team/made")
DISK = NamedHost(kind="directory", path=Path("/srv/git"))
TOKEN = SecretStr("ghp_1")


def registry(**fields: Any) -> HostRegistry:
    return HostRegistry(Settings.model_construct(**fields))


@pytest.mark.parametrize(
    ("fields", "names", "default"),
    [
        ({}, ["local"], "local"),
        ({"github_token": TOKEN}, ["github"], "github"),
        ({"hosts": {"lab": LAB, "disk": DISK}}, ["lab", "disk"], "lab"),
        ({"hosts": {"lab": LAB}, "github_token": TOKEN}, ["github", "lab"], "github"),
        ({"hosts": {"lab": LAB}, "github_token": TOKEN, "default_host": "lab"}, ["github", "lab"], "lab"),
        ({"hosts": {"github": LAB}}, ["github"], "github"),
    ],
)
def test_the_default_is_the_configured_one_or_github_or_the_first(
    fields: dict[str, Any], names: list[str], default: str
) -> None:
    found = registry(**fields)
    assert (found.names, found.default, found.choose(None, None, "hello")) == (names, default, default)
    assert found.uses_embedded_forge is (names == ["local"])


def test_a_request_can_choose_a_configured_host_only() -> None:
    found = registry(github_token=TOKEN, hosts={"lab": LAB})
    assert found.choose("lab", None, "hello") == "lab"
    with pytest.raises(Invalid, match=r"no Git host 'elsewhere' .*; there is github, lab") as caught:
        found.choose("elsewhere", None, "hello")
    assert [problem["field"] for problem in caught.value.problems] == ["host"]


def test_an_organisation_must_be_a_name_that_the_host_allows() -> None:
    found = registry(github_token=TOKEN, hosts={"lab": LAB})
    assert found.choose("lab", "acme/tools", "hello") == "lab"
    with pytest.raises(Invalid, match="at github it must be a name of at most 39 letters") as caught:
        found.choose(None, "acme/tools", "hello")
    assert [problem["field"] for problem in caught.value.problems] == ["github_org"]


def test_a_repository_name_that_the_host_does_not_allow_is_refused() -> None:
    found = registry(github_token=TOKEN, hosts={"lab": LAB})
    assert found.choose(None, None, ".github") == "github"
    with pytest.raises(Invalid, match="repo_name: at lab it must be letters and digits, with single"):
        found.choose("lab", None, ".github")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"default_host": "lab"}, "DEFAULT_HOST: no Git host 'lab' is configured; there is local"),
        ({"hosts": {"local": LAB}}, '"local" is taken'),
        ({"hosts": {"github": LAB}, "github_token": TOKEN}, '"github" is taken'),
        (
            {"hosts": {"b": NamedHost(kind="bitbucket", token=SecretStr("t"), owner="a/b/c")}},
            'the owner of "b" must be a workspace',
        ),
    ],
)
def test_a_configuration_that_cannot_work_is_refused_at_start(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(StartError, match=words):
        registry(**fields)
