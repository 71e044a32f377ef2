"""Title, excerpt and language of a request: readable, and safe in every file format."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gencode.embedded.offline.request_summary import TITLE_WIDTH, RequestSummary, is_chinese


@pytest.mark.parametrize(
    ("request_text", "title"),
    [
        ("创建一个Python Flask Web应用，包含用户认证功能", "Python Flask Web应用"),
        ("请帮我写一个命令行工具。要快", "命令行工具"),
        ("Build a REST API with FastAPI for managing books", "REST API with FastAPI for managing books"),
        ("Please could you help me create a tool, that sorts", "Tool"),
        ("# Photo Sorter\n\nSorts photos.", "Photo Sorter"),
        ("# 简介\n\n图书管理系统", "图书管理系统"),
        ("# Introduction\n\nThe `lice` project is designed to", "Lice project"),
        ("## Introduction\nThis document outlines the product requirements for `geotext`, a", "Geotext"),
        ("# Introduction\n# Photos", "Photos"),
        ("# Introduction", "Introduction"),
        ("Let's go", "Lets go"),
        ("TODO app", "Todo app"),
        ("C++ parser", "C++ parser"),
        ("", "Offline project"),
        ("!!! ???", "Offline project"),
    ],
)
def test_titles(request_text: str, title: str) -> None:
    assert RequestSummary.from_request(request_text).title == title


def test_a_long_title_is_cut_between_words() -> None:
    title = RequestSummary.from_request("Sort the photographs of " + "many " * 30).title
    assert title.endswith("many")
    assert len(title) <= TITLE_WIDTH


@pytest.mark.parametrize(
    "secret",
    [
        "sk-abcd1234efgh",
        "ghp_abcDEF123456",
        "AKIAIOSFODNN7EXAMPLEX",
        "0123456789abcdef0123456789abcdef",
    ],
)
def test_a_possible_secret_is_hidden(secret: str) -> None:
    subject = RequestSummary.from_request(f"Call the service with {secret} please")
    assert secret not in subject.excerpt
    assert secret not in subject.title
    assert "[hidden]" in subject.excerpt


def test_a_password_in_an_address_is_hidden() -> None:
    excerpt = RequestSummary.from_request("read postgres://app:hunter2@db/main daily").excerpt
    assert "hunter2" not in excerpt
    assert "@db/main" in excerpt


def test_a_short_request_is_quoted_completely_and_a_long_one_in_part() -> None:
    assert RequestSummary.from_request("Make  a\ngame").excerpt == "    Make a game"
    assert RequestSummary.from_request("word " * 1000).excerpt.endswith("word …")


@given(st.text(alphabet=st.characters(), max_size=400))
def test_no_request_escapes_its_context(request_text: str) -> None:
    subject = RequestSummary.from_request(request_text)
    assert json.loads(f'"{subject.title}"') == subject.title.strip() != ""
    assert all(c in " +-.#" or unicodedata.category(c)[0] in "LMN" for c in subject.title)
    assert all(line.startswith("    ") and line.isprintable() for line in subject.excerpt.split("\n"))


@pytest.mark.parametrize(
    ("text", "chinese"),
    [
        ("创建一个Python Flask Web应用", True),
        ("你是谁？", True),
        ("A page that says 你好 to visitors", False),
        ("日本語のブログを作ってください", False),
        ("", False),
    ],
)
def test_which_requests_are_chinese(text: str, chinese: bool) -> None:
    assert is_chinese(text) is chinese
