from __future__ import annotations

import asyncio

import pytest

from gencode.llm.errors import LLMIncomplete, LLMNetwork, LLMRateLimit, LLMRefused
from gencode.llm.port import ChatChunk, ChatRequest, Message, Usage
from gencode.llm.token_estimate import estimate_tokens, prompt_tokens
from gencode.llm.usage_meter import CallMeter

REQUEST = ChatRequest(messages=(Message(role="user", content="write a file"),), max_tokens=100)
TOLD = Usage(prompt=40, completion=9, cached=30)


def metered(*chunks: ChatChunk, is_sent: bool = True) -> CallMeter:
    meter = CallMeter("a.py", REQUEST)
    meter.is_sent = is_sent
    for chunk in chunks:
        meter.receive(chunk)
    return meter


def estimated(text: str) -> Usage:
    return Usage(prompt=prompt_tokens(REQUEST), completion=estimate_tokens(text), estimated=True)


def test_the_usage_that_was_told_counts_exactly() -> None:
    assert metered(ChatChunk(text="x = 1"), ChatChunk(usage=TOLD)).usage() == TOLD
    assert metered(ChatChunk(text="x = 1", finish_reason="stop", usage=TOLD)).usage() == TOLD


def test_without_a_told_usage_all_that_was_sent_and_received_is_estimated() -> None:
    text, reasoning = "落霞与孤鹜齐飞", "I think about it. " * 9
    meter = metered(ChatChunk(reasoning=reasoning), ChatChunk(text=text))
    assert meter.usage() == estimated(reasoning + text)


def test_every_chunk_is_one_token_at_least() -> None:
    assert metered(*[ChatChunk(text="a")] * 50).usage().completion == 50


def test_text_after_the_newest_usage_is_added_to_it() -> None:
    usage = metered(ChatChunk(usage=TOLD), ChatChunk(text="six more tokens, or so: 1")).usage()
    assert (usage.prompt, usage.cached, usage.estimated) == (40, 30, True)
    assert usage.completion == 9 + estimate_tokens("six more tokens, or so: 1")


@pytest.mark.parametrize("told", [Usage(), Usage(prompt=40), Usage(completion=9)])
def test_what_is_missing_in_a_told_usage_is_estimated(told: Usage) -> None:
    usage = metered(ChatChunk(text="x = 1"), ChatChunk(usage=told)).usage()
    assert usage.prompt == (told.prompt or prompt_tokens(REQUEST))
    assert usage.completion == (told.completion or estimate_tokens("x = 1"))
    assert usage.estimated


@pytest.mark.parametrize("error", [LLMIncomplete("cut"), LLMNetwork("reset"), asyncio.CancelledError()])
def test_a_call_that_broke_off_is_charged(error: BaseException) -> None:
    assert metered(ChatChunk(text="x = 1")).usage_after(error) == estimated("x = 1")
    assert metered().usage_after(error) == estimated("")


def test_a_refused_answer_has_the_usage_that_was_told() -> None:
    assert metered(ChatChunk(usage=TOLD)).usage_after(LLMRefused("no")) == TOLD


def test_a_call_that_was_never_sent_costs_nothing() -> None:
    assert metered(is_sent=False).usage_after(asyncio.CancelledError()) == Usage()


def test_a_call_that_was_refused_before_the_model_ran_costs_nothing() -> None:
    unreachable = LLMNetwork("connection refused")
    unreachable.may_be_billed = False
    for error in (unreachable, LLMRateLimit("too many")):
        assert metered().usage_after(error) == Usage()
        assert metered(ChatChunk(text="x = 1")).usage_after(error) == estimated("x = 1")
