"""Valid names, their normalisation, and the access token."""

from __future__ import annotations

import pytest

from gencode.embedded.forge.access_token import AccessToken
from gencode.embedded.forge.names import is_valid_name, is_valid_owner, normalised_name


@pytest.mark.parametrize("login", ["a", "local", "my-org", "A1-b2", "x" * 39])
def test_valid_owners(login: str) -> None:
    assert is_valid_owner(login)


@pytest.mark.parametrize(
    "login", ["", "-a", "a-", "a--b", "x" * 40, "..", ".scratch", "a/b", "a_b", "ü", "a\n", "٣", "api", "API"]
)
def test_invalid_or_reserved_owners(login: str) -> None:
    assert not is_valid_owner(login)


@pytest.mark.parametrize("name", ["a", "my-app", "A_b.c", "-", "...", ".github", "x" * 100])
def test_valid_repository_names(name: str) -> None:
    assert is_valid_name(name)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "a\\b", "a\0", "a\n", "a b", "ü", "a.git", "a.GIT", "x" * 101]
)
def test_invalid_repository_names(name: str) -> None:
    assert not is_valid_name(name)


@pytest.mark.parametrize(
    ("requested", "name"),
    [
        ("my app", "my-app"),
        ("héllo", "h-llo"),
        ("a  b", "a-b"),
        ("你好", "-"),
        ("a/../b", "a-..-b"),
        ("a.git", "a"),
    ],
)
def test_a_requested_name_is_normalised_as_github_does(requested: str, name: str) -> None:
    assert normalised_name(requested) == name


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer s3cret",
        "bearer s3cret",
        "token s3cret",
        "Basic eDpzM2NyZXQ=",
        "basic OnMzY3JldA==",
    ],
)
def test_the_token_is_accepted_in_each_scheme(authorization: str) -> None:
    assert AccessToken("s3cret").matches(authorization)


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer s3cre",
        "Bearer s3cret2",
        "Basic czNjcmV0",
        "Basic !",
        "Basic é",
        "Digest s3cret",
        "s3cret",
    ],
)
def test_other_credentials_are_rejected(authorization: str) -> None:
    assert not AccessToken("s3cret").matches(authorization)


def test_a_token_beyond_ascii_is_compared_as_bytes() -> None:
    assert AccessToken("schlüssel").matches("Bearer " + "schlüssel".encode().decode("latin-1"))
