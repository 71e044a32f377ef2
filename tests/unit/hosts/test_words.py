from __future__ import annotations

import pytest

from gencode.hosts.words import LIMIT, quoted, spoken


def test_it_is_one_printable_line() -> None:
    assert spoken("remote: \x1b[31mno\x1b[0m\r\n\n\u202eway\t 不行\x00") == "remote: [31mno [0m way 不行"


def test_it_is_cut() -> None:
    assert len(spoken("x " * 5000)) == LIMIT


@pytest.mark.parametrize(
    "secret",
    [
        "ghp_" + "a1B2" * 9,
        "gho_" + "a1B2" * 9,
        "github_pat_" + "a1B2_" * 9,
        "sk-proj-" + "a1B2" * 9,
        "AKIAIOSFODNN7EXAMPLE",
    ],
)
def test_what_looks_like_a_secret_goes(secret: str) -> None:
    assert spoken(f"found {secret}, sorry") == "found ***, sorry"


def test_passwords_of_addresses_and_headers_go() -> None:
    assert spoken("https://octo:hunter2@github.com/x") == "https://***github.com/x"
    assert spoken("Authorization: Basic b2N0bzpodW50ZXIy") == "Authorization: Basic ***"


def test_known_secrets_go_whatever_they_look_like() -> None:
    assert spoken("it is hunter2!", ["", "hunter2"]) == "it is ***!"


def test_a_secret_at_the_cut_goes_whole() -> None:
    token = "ghp_" + "a1B2" * 9
    assert "ghp_" not in spoken("x" * (LIMIT - 10) + " " + token)


def test_nothing_said_is_not_quoted() -> None:
    assert quoted(" \n") == ""
    assert quoted("no") == ': "no"'
