"""Rows U of docs/compatibility.md: what the account of a task holds, whatever the server reports."""

from __future__ import annotations

from typing import Any

import pytest

from tests.compatibility.harness import (
    DONE,
    LINES,
    STOP,
    TEXT,
    Harness,
    Outcome,
    cut,
    data,
    delta,
    deltas,
)
from tests.servers.model import USAGE, stream, text

pytestmark = pytest.mark.asyncio(loop_scope="module")

HALF = "".join(LINES[:4])
REPORTED = {"prompt_tokens": 190, "completion_tokens": 130, "total_tokens": 320}


def of_the_file(outcome: Outcome) -> dict[str, Any]:
    """The account without the plan, whose usage is known."""
    total = outcome.tokens
    return {
        "prompt": total["prompt"] - USAGE.prompt,
        "completion": total["completion"] - USAGE.completion,
        "cached": total["cached"] - USAGE.cached,
    }


def is_estimate(outcome: Outcome, characters: int = len(TEXT)) -> bool:
    """Whether the account holds an estimate for so many characters, and says so."""
    last = [event.data["tokens"] for event in outcome.events if event.kind == "usage"][-1]
    counted = of_the_file(outcome)
    plausible = characters / 8 <= counted["completion"] <= characters and counted["prompt"] > 0
    return plausible and last["estimated"] is True


@pytest.mark.compatibility("U1")
async def test_no_usage_at_all(run: Harness) -> None:
    outcome = await run(stream(*deltas(), STOP))
    outcome.delivers()
    assert is_estimate(outcome)


@pytest.mark.compatibility("U2")
async def test_no_usage_and_a_limit_of_tokens(run: Harness) -> None:
    """A server that reports nothing writes no more than the request allows."""
    content = "".join(f"INSERT INTO t VALUES ({n}, 'row number {n}');\n" for n in range(2_000))
    part = content[:12_000]
    outcome = await run(
        lambda body: text(part, "length"),
        provider={"quirks": {"prefix": "deepseek"}},
        request={"max_tokens": 30_000},
    )
    outcome.fails("BUDGET_EXCEEDED", "max_tokens=30000", calls=outcome.file_calls())
    assert 1 <= outcome.file_calls() <= 8


@pytest.mark.compatibility("U3")
async def test_usage_inside_the_choice(run: Harness) -> None:
    last = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "usage": REPORTED}]}
    outcome = await run(stream(*deltas(), last))
    outcome.delivers()
    assert of_the_file(outcome) == {"prompt": 190, "completion": 130, "cached": 0}


@pytest.mark.compatibility("U4")
async def test_usage_that_grows_with_each_event(run: Harness) -> None:
    usages = [{"prompt_tokens": 190, "completion_tokens": 13 * n} for n in range(1, 11)]
    growing = [event | {"usage": usage} for event, usage in zip(deltas(), usages, strict=True)]
    outcome = await run(stream(*growing, STOP))
    outcome.delivers()
    assert of_the_file(outcome) == {"prompt": 190, "completion": 130, "cached": 0}


@pytest.mark.compatibility("U5")
@pytest.mark.parametrize("value", ["130", 130.0, "130.0"], ids=repr)
async def test_counts_that_are_no_integers(run: Harness, value: object) -> None:
    usage = {"prompt_tokens": 190, "completion_tokens": value}
    outcome = await run(stream(*deltas(), STOP, {"choices": [], "usage": usage}))
    outcome.delivers()
    assert of_the_file(outcome)["completion"] == 130


@pytest.mark.compatibility("U6")
@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": None, "completion_tokens": None, "total_tokens": None},
        {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
        {"prompt_tokens": -1, "completion_tokens": -1},
        {"prompt_tokens_details": {"cached_tokens": 0}},
        [],
        "unknown",
    ],
    ids=str,
)
async def test_usage_that_says_nothing(run: Harness, usage: object) -> None:
    outcome = await run(stream(*deltas(), STOP, {"choices": [], "usage": usage}))
    outcome.delivers()
    assert is_estimate(outcome)


@pytest.mark.compatibility("U7")
async def test_usage_of_an_answer_that_broke_off(run: Harness) -> None:
    """Ten attempts would be ten bills: each is in the account."""
    outcome = await run(cut(*deltas(HALF)))
    outcome.fails(("LLM_INCOMPLETE", "LLM_NETWORK"), calls=3)
    assert of_the_file(outcome)["completion"] >= 3 * len(HALF) / 8


@pytest.mark.compatibility("U8")
async def test_usage_of_an_answer_that_broke_off_and_reported_it(run: Harness) -> None:
    growing = [event | {"usage": {"prompt_tokens": 190, "completion_tokens": 40}} for event in deltas(HALF)]
    outcome = await run(cut(*growing))
    outcome.fails(("LLM_INCOMPLETE", "LLM_NETWORK"), calls=3)
    counted = of_the_file(outcome)
    assert (counted["prompt"], counted["completion"]) == (3 * 190, 3 * 40)


@pytest.mark.compatibility("U9")
@pytest.mark.parametrize(
    "end",
    [
        [delta(finish="content_filter")],
        [delta(refusal="I cannot help with that."), STOP],
        [
            delta(tool_calls=[{"index": 0, "function": {"name": "f", "arguments": ""}}]),
            delta(finish="tool_calls"),
        ],
        [{"error": {"message": "The server had an error", "code": 401}}],
    ],
    ids=["filter", "refusal", "tools", "error"],
)
async def test_usage_of_an_answer_that_cannot_be_used(run: Harness, end: list[dict[str, Any]]) -> None:
    usage = {"choices": [], "usage": REPORTED}
    outcome = await run(data(*deltas(HALF), usage, *end, usage, DONE))
    assert (outcome.status, outcome.files) == ("failed", {})
    counted = of_the_file(outcome)
    assert (counted["prompt"], counted["completion"]) == (
        190 * outcome.file_calls(),
        130 * outcome.file_calls(),
    )


@pytest.mark.compatibility("U10")
async def test_a_count_that_is_larger_than_any_model(run: Harness) -> None:
    usage = {"prompt_tokens": 190, "completion_tokens": 10**30}
    outcome = await run(stream(*deltas(), STOP, {"choices": [], "usage": usage}))
    outcome.delivers()
    assert 0 < outcome.tokens["completion"] < 2**63


@pytest.mark.compatibility("U11")
async def test_one_count_of_two(run: Harness) -> None:
    """A completion cannot come from an empty prompt: the missing one is estimated."""
    usage = {"prompt_tokens": 0, "completion_tokens": 130}
    outcome = await run(stream(*deltas(), STOP, {"choices": [], "usage": usage}))
    outcome.delivers()
    counted = of_the_file(outcome)
    assert counted["completion"] == 130
    assert counted["prompt"] > 0


@pytest.mark.compatibility("U12")
async def test_reasoning_that_only_the_total_counts(run: Harness) -> None:
    details = {"reasoning_tokens": 89}
    usage = {
        "prompt_tokens": 279,
        "completion_tokens": 130,
        "total_tokens": 498,
        "completion_tokens_details": details,
    }
    outcome = await run(stream(*deltas(), STOP, {"choices": [], "usage": usage}))
    outcome.delivers()
    assert (of_the_file(outcome)["prompt"], of_the_file(outcome)["completion"]) == (279, 130 + 89)
