from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gencode.security.redaction import MAX_CHARACTERS, REDACTED, quoted, redact, sanitize


@pytest.mark.parametrize(
    "secret",
    [
        "ghp_" + "a1B2" * 9,
        "gho_" + "a1B2" * 9,
        "github_pat_" + "a1B2_" * 9,
        "glpat-" + "a1B2" * 5,
        "npm_" + "a1B2" * 9,
        "gck_" + "a1b2" * 12,
        "sk_live_" + "a1B2" * 6,
        "sk-proj-abc_DEF-123",
        "sk-ab***********cdef",
        "AKIAIOSFODNN7EXAMPLE",
        "AIza" + "a1B2-" * 7,
        "xoxb-1234567890-abcdef",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    ],
)
def test_what_looks_like_a_secret_is_redacted(secret: str) -> None:
    assert redact(f"found {secret}, sorry") == f"found {REDACTED}, sorry"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: bearer eyJhbGciOi.x.y", "Authorization: [redacted]"),
        ("Authorization: Basic b2N0bzpodW50ZXIy", "Authorization: [redacted]"),
        ("{'authorization': 'Bearer abc123defg'}", "{'authorization': '[redacted]'}"),
        ("Authorization: token 0123456789abcdef", "Authorization: [redacted]"),
        ("basic dXNlcjpwYXNzd29yZA==", "[redacted]"),
        ("x-access-token:abc123defg@h", "[redacted]"),
        ("https://octo:hunter2@github.com/x", "https://[redacted]@github.com/x"),
        ("https://octo:p@ss@github.com/x", "https://[redacted]@github.com/x"),
        ("GET /status/1?after=2&ticket=abcdefgh12&x=1", "GET /status/1?after=2&ticket=[redacted]&x=1"),
        ("at https://h/v1?key=abcdefgh", "at https://h/v1?key=[redacted]"),
    ],
)
def test_credentials_in_headers_and_urls_are_redacted(text: str, shown: str) -> None:
    assert redact(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "no GITHUB_TOKEN is set: repositories go to the local forge",
        "GitHub refused the token: see that GITHUB_TOKEN is right and not expired",
        "the first token came after 60 s",
        "a basic TypeScript project with basic authentication",
        "send a valid API key as 'Authorization: Bearer KEY' or 'X-API-Key: KEY'",
        "bearer authentication is needed",
        "risk-free task-list, sk-circle and sk-learn",
        "http://127.0.0.1:8080/local/app.git",
        "octo@example.com",
        "monkey=banana",
    ],
)
def test_text_about_secrets_is_not_redacted(text: str) -> None:
    assert redact(text) == text


def test_known_secrets_are_redacted_whatever_they_look_like() -> None:
    assert sanitize("it is hunter22!", ["", "hunter22"]) == "it is [redacted]!"


@pytest.mark.parametrize("secret", ["x", "hunter2"])
def test_a_secret_of_less_than_eight_characters_is_part_of_ordinary_words(secret: str) -> None:
    text = "the maximum of hunter2's requests"
    assert redact(text, [secret]) == text


def test_of_secrets_that_contain_each_other_the_longest_is_redacted() -> None:
    assert redact("alice=key-number-one", ["key-number", "alice=key-number-one"]) == REDACTED


def test_secrets_may_be_a_callable_that_is_called_each_time() -> None:
    valid = ["the-first-one"]
    assert redact("the-first-one the-second-one", lambda: valid) == "[redacted] the-second-one"
    valid[:] = ["the-second-one"]
    assert sanitize("the-first-one the-second-one", lambda: valid) == "the-first-one [redacted]"
    assert quoted("the-second-one", lambda: valid) == ': "[redacted]"'


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("remote: \x1b[31mno\x1b[0m\r\n\n\u202eway\t 不行\x00", "remote: [31mno [0m way 不行"),
        ("<html><h1>502</h1>\r\n\x00 bad\tgateway \u202e", "502 bad gateway"),
        ("fewer than 3 < 4, more > 2", "fewer than 3 < 4, more > 2"),
        ("<b>my-own-key</b>", "[redacted]"),
    ],
)
def test_sanitised_text_is_one_printable_line_without_markup(text: str, shown: str) -> None:
    assert sanitize(text, ["my-own-key"]) == shown


@given(st.text(max_size=2000))
def test_any_text_becomes_one_short_printable_line(text: str) -> None:
    shown = sanitize(text)
    assert len(shown) <= MAX_CHARACTERS
    assert shown.isprintable()


def test_a_secret_at_the_cut_is_redacted_as_a_whole() -> None:
    token, own = "ghp_" + "a1B2" * 9, "z9" * 20
    assert "ghp_" not in sanitize("x" * (MAX_CHARACTERS - 10) + " " + token)
    assert "z9" not in sanitize("x" * (MAX_CHARACTERS - 10) + own, [own])


@pytest.mark.parametrize("beginning", ["sk-", "-eyJ", "x-access-token:", "token ", "://a:", "<a", "a.eyJ"])
def test_a_text_of_nothing_but_beginnings_takes_linear_time(beginning: str) -> None:
    """A host may answer four million characters: quadratic time would be hours, and a second for each log
    line of this length."""
    assert len(sanitize(beginning * (4 * 2**20 // len(beginning)))) <= MAX_CHARACTERS
    assert redact(beginning * 20_000)


def test_an_empty_text_is_not_quoted() -> None:
    assert quoted(" \n") == ""
    assert quoted("no") == ': "no"'
