from __future__ import annotations

from dataclasses import replace

import pytest

from gencode.domain.event import Event
from gencode.domain.task import Task
from gencode.http.estimate import END, newest_account
from gencode.llm.port import Usage
from gencode.storage.memory import MemoryStore
from tests.unit.storage.samples import REQUEST, a_task, an_event

LONG = 5 * END


class Counting(MemoryStore):
    """Counts the events that are read."""

    read = 0

    async def events(self, task_id: str, after: int = 0) -> list[Event]:
        found = await super().events(task_id, after)
        self.read += len(found)
        return found


async def stored(store: MemoryStore, accounts: dict[int, int]) -> Task:
    """A task of LONG events; by their ids, those that are accounts, with the prompt tokens of each."""
    task = a_task()
    log = [an_event(task, number) for number in range(1, LONG + 1)]
    for number, tokens in accounts.items():
        data = {"total": {"prompt": tokens, "completion": 1, "cached": 0}}
        log[number - 1] = replace(log[number - 1], kind="usage", data=data)
    task = replace(task, sequence=LONG)
    await store.create(task, REQUEST, log)
    return task


async def test_only_the_end_of_a_long_log_is_read() -> None:
    store = Counting()
    task = await stored(store, {3: 10, LONG - 5: 20, LONG - END + 1: 15})
    assert await newest_account(store, task) == Usage(prompt=20, completion=1)
    assert store.read == END


@pytest.mark.parametrize(("accounts", "prompt"), [({3: 10}, 10), ({}, None)])
async def test_all_of_it_when_the_end_does_not_tell(accounts: dict[int, int], prompt: int | None) -> None:
    store = Counting()
    found = await newest_account(store, await stored(store, accounts))
    assert (found.prompt if found else None) == prompt
