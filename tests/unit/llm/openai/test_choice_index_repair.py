"""Servers that count their events in the index of the only choice."""

from __future__ import annotations

import pytest

from gencode.llm.openai.choice_index_repair import ChoiceIndex
from gencode.llm.openai.server_events import JsonObject


def event(index: int, text: str) -> JsonObject:
    return {"choices": [{"index": index, "delta": {"content": text}}]}


def indexes(events: list[JsonObject]) -> list[int]:
    return [found["choices"][0]["index"] for found in events]


def fed(*events: JsonObject) -> list[JsonObject]:
    """One event at a time, to the end."""
    step = ChoiceIndex()
    return [*(ready for one in events for ready in step.feed([one])), *step.close()]


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("count", [1, 2, 3, 9])
def test_counted_events_are_those_of_the_first_choice(first: int, count: int) -> None:
    events = [event(n, str(n)) for n in range(first, first + count)]
    found = fed(*events)
    assert [one["choices"][0]["delta"] for one in found] == [one["choices"][0]["delta"] for one in events]
    assert set(indexes(found)) == {0}


@pytest.mark.parametrize("given", [[0, 1, 0, 1], [0, 0, 1, 0], [0, 1, 1], [1, 0, 1, 0], [5, 6, 7]])
def test_choices_keep_their_index(given: list[int]) -> None:
    events = [event(index, str(n)) for n, index in enumerate(given)]
    assert fed(*events) == events


def test_events_without_choices_pass() -> None:
    usage: JsonObject = {"choices": [], "usage": {}}
    found = fed(event(0, "a"), usage, event(1, "b"), usage, event(2, "c"), usage)
    assert [one for one in found if one["choices"]] == [event(0, text) for text in "abc"]
    assert found.count(usage) == 3
