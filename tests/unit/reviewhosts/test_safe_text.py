from __future__ import annotations

import pytest

from gencode.reviewhosts.markers import finding_body, read_finding, read_summary, summary_body
from gencode.reviewhosts.safe_text import ZERO_WIDTH, block, code, in_line, plain

KEY = "0193a000-0000-7000-8000-000000000000"


def none() -> tuple[str, ...]:
    return ()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("@octocat", f"\\@{ZERO_WIDTH}octocat"),
        ("fixes #12", f"fixes \\#{ZERO_WIDTH}12"),
        ("see !5", f"see \\!{ZERO_WIDTH}5"),
        ("GH-4", f"GH-{ZERO_WIDTH}4"),
        ("https://a.example", f"https:{ZERO_WIDTH}//a.example"),
        ("WWW.a.example", f"WWW.{ZERO_WIDTH}a.example"),
        ("/merge now", f"\\/{ZERO_WIDTH}merge now"),
        ("a / b", "a / b"),
        ("1. one", f"{ZERO_WIDTH}1. one"),
        ("- one", f"{ZERO_WIDTH}- one"),
        ("<!-- gencode -->", f"\\<\\!{ZERO_WIDTH}-- gencode --\\>"),
        ("a\u202eb", "ab"),
        ("the key sk-abcdef1234567890", "the key \\[redacted\\]"),
    ],
)
def test_plain_text_has_no_effect(text: str, shown: str) -> None:
    assert plain(text, none) == shown


def test_a_command_behind_spaces_or_in_a_later_line_is_none() -> None:
    assert (
        plain("a\n  /approve\n\ufeff/close", none) == f"a\n\\/{ZERO_WIDTH}approve\n\ufeff\\/{ZERO_WIDTH}close"
    )
    assert in_line("a\n/merge", none) == "a /merge"
    assert in_line("/merge\na", none).startswith("\\/")


def test_code_in_a_line_stays_a_line_and_cannot_be_left() -> None:
    assert code("a`b``\n@x", none) == "```a`b`` @x```"
    assert code("`", none) == "`` ` ``"


@pytest.mark.parametrize(
    "text", ["/approve", "x\n  /merge\n", "a\rb", "a\u202eb", "key = 'ghp_abcdefghij0123456789'"]
)
def test_a_block_is_exact_or_none(text: str) -> None:
    assert block(text, none) is None


def test_a_block_has_a_longer_fence_than_its_text() -> None:
    assert block("a\n```\nb", none, "suggestion") == "````suggestion\na\n```\nb\n````"
    assert block("// comment\n/* more */", none) == "```\n// comment\n/* more */\n```"


def test_a_marker_counts_at_the_end_alone() -> None:
    body = finding_body(KEY, "text")
    assert read_finding(body.replace("\n", "\r\n") + "\n") is not None
    assert read_finding(body + "\nan answer") is None
    found = read_finding(body)
    assert found is not None
    assert (found[0].key, found[1], found[0].is_closed) == (KEY, "text", False)


def test_a_summary_is_of_its_subject() -> None:
    body = summary_body("shop/main", KEY, "text", ["bb", "aa"])
    marker = read_summary(body, "shop/main")
    assert marker is not None
    assert (marker.task_id, marker.told) == (KEY, frozenset({"aa", "bb"}))
    assert read_summary(body, "shop/other") is None
