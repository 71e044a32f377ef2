"""The promises of `gencode.engine.store.Store`, asked of each implementation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from gencode.domain.errors import IdempotencyKeyReused, StoreError
from gencode.domain.event import Event
from gencode.domain.task import Failure, Status, Task
from gencode.engine.store import IdempotencyKey, Store, TaskQuery
from gencode.storage.memory import MemoryStore
from gencode.storage.sqlite.store import open_sqlite
from tests.unit.storage.samples import a_task, an_event

AWKWARD = "生成代码 🎉 \x00 \r\n \u2028 '; DROP TABLE tasks; --"


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    if request.param == "memory":
        yield MemoryStore()
    else:
        async with open_sqlite(tmp_path / "gencode.db") as opened:
            yield opened


async def the_task(store: Store, id_: str) -> Task:
    (task,) = await store.find(TaskQuery(id=id_))
    return task


async def test_what_was_created_is_found_whole(store: Store) -> None:
    task = a_task(
        language="zh",
        status=Status.FAILED,
        message="it broke",
        result={"repo_url": "http://x/y"},
        failure=Failure(code="LLM_AUTH", message="check the key", retryable=False),
        attempts=2,
        sequence=1,
        retries={"LLM_AUTH": 2},
        digest="abc",
    )
    events = [an_event(task, 1, status="pending"), an_event(task, 2, status="failed")]
    assert await store.create(task, events) == task
    assert await the_task(store, task.id) == task
    assert await store.events(task.id) == events


async def test_awkward_text_comes_back_as_it_was(store: Store) -> None:
    task = a_task(
        client=AWKWARD,
        message=AWKWARD,
        request={AWKWARD: [AWKWARD, 1.5, 2**70, None, True]},
        result={"a": {"b": AWKWARD}},
        failure=Failure(code="X", message=AWKWARD, retryable=True),
    )
    event = an_event(task, 1, text=AWKWARD)
    await store.create(task, [event], IdempotencyKey(client=AWKWARD, value=AWKWARD, digest=AWKWARD))
    await store.commit(task, keep={AWKWARD: AWKWARD})
    assert await store.find(TaskQuery(client=AWKWARD)) == [task]
    assert await store.events(task.id) == [event]
    assert await store.checkpoints(task.id) == {AWKWARD: AWKWARD}


async def test_a_lone_surrogate_becomes_a_question_mark_everywhere(store: Store) -> None:
    bad = "a\ud800b"
    task = a_task(client=bad, message=bad, request={"prompt": bad})
    key = IdempotencyKey(client=bad, value=bad, digest=bad)
    await store.create(task, [an_event(task, 1, text=bad)], key)
    await store.commit(task, keep={bad: bad})
    assert await store.find(TaskQuery(client=bad)) == [
        replace(task, client="a?b", message="a?b", request={"prompt": "a?b"})
    ]
    assert await store.events(task.id) == [an_event(task, 1, text="a?b")]
    assert await store.checkpoints(task.id) == {"a?b": "a?b"}
    assert (await store.create(a_task(client=bad), [], key)).id == task.id
    assert await store.find(TaskQuery(id=bad)) == []


@pytest.mark.parametrize("value", [float("nan"), object()])
async def test_what_is_not_json_is_refused_and_nothing_is_stored(store: Store, value: object) -> None:
    task = a_task(request={"x": value})
    with pytest.raises((ValueError, TypeError)):
        await store.create(task, [])
    good = a_task()
    with pytest.raises((ValueError, TypeError)):
        await store.create(good, [an_event(good, 1, x=value)])
    assert await store.find(TaskQuery()) == []


async def test_commit_replaces_the_task_and_appends_events(store: Store) -> None:
    task = a_task()
    await store.create(task, [an_event(task, 1)])
    later = replace(
        task,
        status=Status.GENERATING,
        message="working",
        result={"a": 1},
        request={"prompt": "other"},
        client="bob",
        kind="other",
        attempts=1,
        sequence=2,
    )
    await store.commit(later, [an_event(task, 2, status="generating")])
    assert await the_task(store, task.id) == later
    assert [event.id for event in await store.events(task.id)] == [1, 2]


async def test_a_task_of_a_known_id_is_refused_and_the_first_one_stays(store: Store) -> None:
    task = a_task(message="first")
    await store.create(task, [])
    with pytest.raises(StoreError):
        await store.create(replace(task, message="second"), [an_event(task, 1)])
    assert await the_task(store, task.id) == task
    assert await store.events(task.id) == []


async def test_a_commit_of_an_unknown_task_stores_nothing(store: Store) -> None:
    task = a_task()
    with pytest.raises(StoreError):
        await store.commit(task, [an_event(task, 1)], {"plan": "{}"})
    assert await store.find(TaskQuery()) == []
    assert await store.events(task.id) == []
    assert await store.checkpoints(task.id) == {}


async def test_a_commit_with_a_known_event_id_leaves_nothing_behind(store: Store) -> None:
    task = a_task()
    await store.create(task, [an_event(task, 1)])
    with pytest.raises(StoreError):
        await store.commit(
            replace(task, message="changed"), [an_event(task, 2), an_event(task, 1)], {"plan": "{}"}
        )
    assert await the_task(store, task.id) == task
    assert await store.events(task.id) == [an_event(task, 1)]
    assert await store.checkpoints(task.id) == {}


async def test_a_commit_with_one_event_id_twice_leaves_nothing_behind(store: Store) -> None:
    task = a_task()
    await store.create(task, [])
    with pytest.raises(StoreError):
        await store.commit(replace(task, message="changed"), [an_event(task, 1), an_event(task, 1)])
    assert await the_task(store, task.id) == task
    assert await store.events(task.id) == []


# --- reading ----------------------------------------------------------------------------------------


async def test_events_after_an_id_and_of_an_unknown_task(store: Store) -> None:
    task, other = a_task(), a_task()
    await store.create(task, [an_event(task, id_) for id_ in (3, 1, 2)])
    await store.create(other, [an_event(other, 1)])
    assert [event.id for event in await store.events(task.id)] == [1, 2, 3]
    assert [event.id for event in await store.events(task.id, after=1)] == [2, 3]
    assert await store.events(task.id, after=3) == []
    assert await store.events("unknown") == []


async def test_parts_keep_the_order_in_which_they_were_first_kept(store: Store) -> None:
    task, other = a_task(), a_task()
    await store.create(task, [])
    await store.create(other, [])
    await store.commit(task, keep={"z": "1", "a": "1"})
    await store.commit(other, keep={"z": "other's"})
    await store.commit(task, keep={"m": "1", "z": "2"})
    assert list((await store.checkpoints(task.id)).items()) == [("z", "2"), ("a", "1"), ("m", "1")]
    assert await store.checkpoints("unknown") == {}


async def test_find_filters_and_lists_the_newest_first(store: Store) -> None:
    tasks = [
        a_task(client=client, status=status)
        for client in ("alice", "bob")
        for status in (Status.PENDING, Status.PUSHING, Status.COMPLETED)
    ]
    for task in tasks:
        await store.create(task, [])
    newest = tasks[::-1]
    assert await store.find(TaskQuery()) == newest
    assert await store.find(TaskQuery(client="bob")) == newest[:3]
    assert await store.find(TaskQuery(statuses=[Status.PENDING, Status.PUSHING])) == [
        task for task in newest if not task.status.is_terminal
    ]
    assert await store.find(TaskQuery(statuses=[Status.COMPLETED], client="alice")) == [tasks[2]]
    assert await store.find(TaskQuery(statuses=[])) == []
    assert await store.find(TaskQuery(id=tasks[0].id)) == [tasks[0]]
    assert await store.find(TaskQuery(id=tasks[0].id, client="bob")) == []


async def test_tasks_of_one_digest_are_found_by_it_and_none_by_an_empty_one(store: Store) -> None:
    tasks = [
        a_task(client=client, digest=digest) for client in ("alice", "bob") for digest in ("", "d", "de")
    ]
    for task in tasks:
        await store.create(task, [])
    later = replace(tasks[0], digest="d")
    await store.commit(later)
    assert await store.find(TaskQuery(digest="d", client="alice")) == [tasks[1], later]
    assert await store.find(TaskQuery(digest="d")) == [tasks[4], tasks[1], later]
    assert await store.find(TaskQuery(digest="")) == []


async def test_pages_join_without_gap_or_overlap(store: Store) -> None:
    tasks = [a_task(client="alice" if n % 2 else "bob") for n in range(20)]
    await asyncio.gather(*(store.create(task, []) for task in tasks))
    seen: list[Task] = []
    while page := await store.find(TaskQuery(client="alice", before=seen[-1].id if seen else None, limit=3)):
        assert len(page) <= 3
        seen += page
    assert seen == [task for task in tasks[::-1] if task.client == "alice"]


# --- idempotency keys -------------------------------------------------------------------------------


KEY = IdempotencyKey(client="alice", value="k-1", digest="body-1")


async def test_a_known_key_gives_the_first_task_as_it_is_now(store: Store) -> None:
    first, second = a_task(), a_task()
    await store.create(first, [an_event(first, 1)], KEY)
    later = replace(first, status=Status.GENERATING)
    await store.commit(later)
    assert await store.create(second, [an_event(second, 1)], KEY) == later
    assert await store.find(TaskQuery()) == [later]
    assert await store.events(second.id) == []


async def test_a_known_key_with_another_body_is_refused(store: Store) -> None:
    first = a_task()
    await store.create(first, [], KEY)
    with pytest.raises(IdempotencyKeyReused):
        await store.create(a_task(), [], replace(KEY, digest="body-2"))
    assert await store.find(TaskQuery()) == [first]


async def test_what_a_key_named_can_be_asked(store: Store) -> None:
    first = a_task()
    assert await store.named(KEY) is None
    await store.create(first, [], KEY)
    later = replace(first, status=Status.GENERATING)
    await store.commit(later)
    assert await store.named(KEY) == later
    assert await store.named(replace(KEY, client="bob")) is None
    assert await store.named(replace(KEY, value="k-2")) is None
    with pytest.raises(IdempotencyKeyReused):
        await store.named(replace(KEY, digest="body-2"))


async def test_keys_belong_to_their_client(store: Store) -> None:
    mine, other = a_task(), a_task(client="bob")
    await store.create(mine, [], KEY)
    assert await store.create(other, [], replace(KEY, client="bob", digest="body-2")) == other


@pytest.mark.fault(80)
async def test_one_key_many_times_at_once_makes_one_task(store: Store) -> None:
    tasks = [a_task() for _ in range(50)]
    made = await asyncio.gather(*(store.create(task, [an_event(task, 1)], KEY) for task in tasks))
    assert made == [tasks[0]] * 50
    assert await store.find(TaskQuery()) == [tasks[0]]
    assert [bool(await store.events(task.id)) for task in tasks] == [True] + [False] * 49


@pytest.mark.fault(80)
async def test_one_key_with_two_bodies_at_once_is_refused_once(store: Store) -> None:
    first, second = a_task(), a_task()
    made, refused = await asyncio.gather(
        store.create(first, [], KEY),
        store.create(second, [], replace(KEY, digest="body-2")),
        return_exceptions=True,
    )
    assert made == first
    assert isinstance(refused, IdempotencyKeyReused)
    assert await store.find(TaskQuery()) == [first]


async def test_a_key_whose_task_could_not_be_stored_stays_free(store: Store) -> None:
    taken, fresh = a_task(), a_task()
    await store.create(taken, [])
    failed, made = await asyncio.gather(
        store.create(taken, [], KEY), store.create(fresh, [], KEY), return_exceptions=True
    )
    assert isinstance(failed, StoreError)
    assert made == fresh


# --- overlapping calls ------------------------------------------------------------------------------


async def test_overlapping_writes_take_effect_in_the_order_of_the_calls(store: Store) -> None:
    task = a_task()
    versions = [replace(task, sequence=n, message=str(n)) for n in range(1, 101)]
    await asyncio.gather(
        store.create(task, []),
        *(
            store.commit(
                version, [an_event(task, version.sequence)], {"last": version.message, version.message: ""}
            )
            for version in versions
        ),
    )
    assert await the_task(store, task.id) == versions[-1]
    assert [event.id for event in await store.events(task.id)] == list(range(1, 101))
    checkpoints = await store.checkpoints(task.id)
    assert checkpoints["last"] == "100"
    assert list(checkpoints) == ["last", *(str(n) for n in range(1, 101))]


async def test_only_the_guilty_one_of_many_overlapping_writes_fails(store: Store) -> None:
    known = a_task()
    await store.create(known, [an_event(known, 1)])
    good = [a_task() for _ in range(20)]
    outcomes = await asyncio.gather(
        *(store.create(task, [an_event(task, 1)]) for task in good[:10]),
        store.create(known, []),
        store.commit(replace(known, message="x"), [an_event(known, 1)]),
        store.commit(a_task()),
        *(store.create(task, [an_event(task, 1)]) for task in good[10:]),
        return_exceptions=True,
    )
    assert [isinstance(outcome, StoreError) for outcome in outcomes] == [False] * 10 + [True] * 3 + [
        False
    ] * 10
    assert await store.find(TaskQuery()) == [*good[::-1], known]


async def test_hundreds_of_writers_lose_nothing(store: Store) -> None:
    async def write(task: Task) -> None:
        await store.create(task, [an_event(task, 1)])
        for id_ in (2, 3, 4):
            await store.commit(replace(task, sequence=id_), [an_event(task, id_)], {"part": str(id_)})
            assert [event.id for event in await store.events(task.id, after=1)] == list(range(2, id_ + 1))

    tasks = [a_task() for _ in range(300)]
    await asyncio.gather(*map(write, tasks))
    found = await store.find(TaskQuery(limit=1000))
    assert found == [replace(task, sequence=4) for task in tasks[::-1]]
    assert await store.checkpoints(tasks[0].id) == {"part": "4"}


async def test_cancelled_callers_disturb_nobody(store: Store) -> None:
    """Half of the callers go away, each after another number of turns of the event loop."""
    pairs = [(a_task(), a_task()) for _ in range(60)]
    stays = [asyncio.create_task(store.create(task, [an_event(task, 1)])) for task, _ in pairs]
    leaves = [asyncio.create_task(store.create(task, [an_event(task, 1)])) for _, task in pairs]
    for caller in leaves:
        await asyncio.sleep(0)
        caller.cancel()
        with suppress(asyncio.CancelledError):
            await caller
    await asyncio.gather(*stays)
    found = {task.id for task in await store.find(TaskQuery(limit=1000))}
    assert found >= {task.id for task, _ in pairs}
    for _, task in pairs:  # wholly there or not at all
        assert bool(await store.events(task.id)) == (task.id in found)


async def test_what_was_given_may_change_afterwards(store: Store) -> None:
    data = {"prompt": "as it was"}
    task = a_task(request=data)
    await store.create(task, [Event(task_id=task.id, id=1, kind="status", data=data)])
    data["prompt"] = "changed"
    assert (await the_task(store, task.id)).request == {"prompt": "as it was"}
    assert (await store.events(task.id))[0].data == {"prompt": "as it was"}
