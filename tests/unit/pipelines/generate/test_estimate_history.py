from __future__ import annotations

from dataclasses import replace

import pytest

from gencode.domain.event import Event
from gencode.domain.task import Task
from gencode.llm.port import Usage
from gencode.pipelines.generate.api.estimate import LAST_EVENTS, task_usage
from gencode.storage.memory import MemoryStore
from tests.unit.storage.samples import REQUEST, a_task, an_event

LONG = 5 * LAST_EVENTS


class Counting(MemoryStore):
    """Counts the events that are read."""

    read = 0

    async def events(self, task_id: str, after: int = 0) -> list[Event]:
        found = await super().events(task_id, after)
        self.read += len(found)
        return found


async def stored(store: MemoryStore, usage_events: dict[int, int]) -> Task:
    """A task of LONG events; by their ids, those that are usage_events, with the prompt tokens of each."""
    task = a_task()
    log = [an_event(task, number) for number in range(1, LONG + 1)]
    for number, tokens in usage_events.items():
        data = {"total": {"prompt": tokens, "completion": 1, "cached": 0}}
        log[number - 1] = replace(log[number - 1], kind="usage", data=data)
    task = replace(task, sequence=LONG)
    await store.create(task, REQUEST, log)
    return task


async def test_only_the_end_of_a_long_log_is_read() -> None:
    store = Counting()
    task = await stored(store, {3: 10, LONG - 5: 20, LONG - LAST_EVENTS + 1: 15})
    assert await task_usage(store, task) == Usage(prompt=20, completion=1)
    assert store.read == LAST_EVENTS


@pytest.mark.parametrize(("usage_events", "prompt"), [({3: 10}, 10), ({}, None)])
async def test_the_whole_log_is_read_when_its_end_has_no_usage(
    usage_events: dict[int, int], prompt: int | None
) -> None:
    store = Counting()
    found = await task_usage(store, await stored(store, usage_events))
    assert (found.prompt if found else None) == prompt
