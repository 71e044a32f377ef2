from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gencode.llm import token_estimate
from gencode.llm.port import ChatRequest, Message
from gencode.llm.token_estimate import estimate_tokens, prompt_tokens, worst_case

# Counts of the tokenizers of DeepSeek-V3 and Qwen2, the greater one.
COUNTED = [
    ("def add(a, b):\n    return a + b\n" * 10, 120),
    ("The service takes a prompt and writes a repository. " * 10, 101),
    ("请用 Python 写一个任务管理工具，支持添加、删除、查询任务，数据保存在本地文件中。" * 10, 250),
    ("落霞与孤鹜齐飞，秋水共长天一色。" * 10, 160),
    ("aGVsbG8gd29ybGQgdGhpcyBpcyBiYXNlNjQgb2YgYSBmaWxlIHRoYXQgaXMgYmluYXJ5" * 10, 520),
    ("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" * 10, 590),
    ("31415926535897932384626433832795" * 10, 320),
    ("Der Dienst nimmt eine Anfrage entgegen und plant das Projekt. " * 10, 161),
]


@pytest.mark.parametrize(("text", "counted"), COUNTED)
def test_the_estimate_is_not_below_what_tokenizers_count(text: str, counted: int) -> None:
    assert counted <= estimate_tokens(text) <= 2.5 * counted


def test_an_empty_text_has_no_tokens_and_lone_surrogates_can_be_estimated() -> None:
    assert estimate_tokens("") == 0
    assert estimate_tokens("\ud800") == 1


def test_the_estimate_grows_with_the_text() -> None:
    text = "word 12, 生成 aGVsbG8gd29ybGQgdGhpcyBpcyBiYXNlNjQ= "
    assert estimate_tokens(text * 20) == pytest.approx(20 * estimate_tokens(text), abs=20)


def test_the_reserve_of_a_call_has_all_that_is_sent_and_the_longest_answer() -> None:
    messages = (Message(role="system", content="be brief"), Message(role="user", content="hello"))
    alone = prompt_tokens(ChatRequest(messages=messages, max_tokens=7))
    continued = ChatRequest(messages=messages, max_tokens=7, prefix="written so far")
    assert prompt_tokens(continued) > alone
    worst = worst_case(continued)
    assert (worst.prompt, worst.completion, worst.estimated) == (prompt_tokens(continued), 7, True)


@given(st.lists(st.sampled_from(["a" * 23, "Z" * 24, "0+/=", "é", " ", "-", "x"]), max_size=8).map("".join))
def test_the_quick_look_for_dense_runs_finds_those_that_the_search_finds(text: str) -> None:
    data = text.encode()
    assert token_estimate._may_have_dense_run(data) == bool(token_estimate._DENSE_RUN.search(data))
