from __future__ import annotations

import pytest

from gencode.embedded.forge.access import Secret
from gencode.embedded.forge.names import is_name, is_owner, normalised


@pytest.mark.parametrize("login", ["a", "local", "my-org", "A1-b2", "x" * 39])
def test_an_owner_that_github_takes(login: str) -> None:
    assert is_owner(login)


@pytest.mark.parametrize(
    "login", ["", "-a", "a-", "a--b", "x" * 40, "..", ".scratch", "a/b", "a_b", "ü", "a\n", "٣", "api", "API"]
)
def test_an_owner_that_github_refuses_or_that_our_routes_hide(login: str) -> None:
    assert not is_owner(login)


@pytest.mark.parametrize("name", ["a", "my-app", "A_b.c", "-", "...", ".github", "x" * 100])
def test_a_name_that_a_repository_can_have(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "a\\b", "a\0", "a\n", "a b", "ü", "a.git", "a.GIT", "x" * 101]
)
def test_a_name_that_no_repository_has(name: str) -> None:
    assert not is_name(name)


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("my app", "my-app"),
        ("héllo", "h-llo"),
        ("a  b", "a-b"),
        ("你好", "-"),
        ("a/../b", "a-..-b"),
        ("a.git", "a"),
    ],
)
def test_a_wish_is_respelled_as_github_does(asked: str, name: str) -> None:
    assert normalised(asked) == name


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
def test_the_token_is_known_in_each_form(authorization: str) -> None:
    assert Secret("s3cret").matches(authorization)


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
def test_anything_else_is_not_the_token(authorization: str) -> None:
    assert not Secret("s3cret").matches(authorization)


def test_a_token_beyond_ascii_is_compared_as_bytes() -> None:
    assert Secret("schlüssel").matches("Bearer " + "schlüssel".encode().decode("latin-1"))
