"""The promises of `gencode.engine.ports.store.Store`, checked on every implementation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gencode.domain.errors import Conflict, IdempotencyKeyReused, StoreError
from gencode.domain.event import Event
from gencode.domain.principal import LOCAL, Principal, PrincipalKind
from gencode.domain.task import UNFINISHED, Failure, State, Task
from gencode.engine.ports.store import IdempotencyKey, Store, TaskQuery
from gencode.storage.memory import MemoryStore
from gencode.storage.postgres.store import open_postgres
from gencode.storage.sqlite.store import open_sqlite
from tests.unit.storage.samples import REQUEST, a_task, an_event

AWKWARD = "生成代码 🎉 \x00 \r\n \u2028 '; DROP TABLE tasks; --"


@pytest.fixture(params=["memory", "sqlite", "sqlite with a second connection", "postgres"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    if request.param == "memory":
        yield MemoryStore()
        return
    if request.param == "postgres":
        async with open_postgres(request.getfixturevalue("postgres")) as opened:
            yield opened
        return
    second_connection = request.param != "sqlite"
    async with open_sqlite(tmp_path / "gencode.db", second_connection=second_connection) as opened:
        yield opened


async def the_task(store: Store, id_: str) -> Task:
    (task,) = await store.find(TaskQuery(id=id_))
    return task


def committed(task: Task, **fields: object) -> Task:
    """The next version of a task."""
    return replace(task, version=task.version + 1, **fields)  # type: ignore[arg-type]


async def test_what_was_created_is_found_whole(store: Store) -> None:
    task = a_task(
        principal=Principal(id="slack:T0/U0", kind=PrincipalKind.SERVICE),
        language="zh",
        state=State.FAILED,
        stage="merging_files",
        message="it broke",
        result={"repo_url": "http://x/y"},
        parameters={"model": "m", "max_tokens": 5},
        failure=Failure(code="LLM_AUTH", message="check the key", retryable=False, stage="generating"),
        attempts=2,
        sequence=1,
        version=3,
        retries={"LLM_AUTH": 2},
        trace="00-1-2-01",
        cache_key="abc",
    )
    events = [an_event(task, 1, status="pending"), an_event(task, 2, status="failed")]
    assert await store.create(task, REQUEST, events) == task
    assert await the_task(store, task.id) == task
    assert await store.events(task.id) == events


async def test_awkward_text_comes_back_as_it_was(store: Store) -> None:
    task = a_task(
        principal=AWKWARD,
        message=AWKWARD,
        parameters={AWKWARD: [AWKWARD, 1.5, 2**70, None, True]},
        result={"a": {"b": AWKWARD}},
        failure=Failure(code="X", message=AWKWARD, retryable=True),
    )
    event = an_event(task, 1, text=AWKWARD)
    key = IdempotencyKey(principal=AWKWARD, value=AWKWARD, digest=AWKWARD)
    await store.create(task, {AWKWARD: AWKWARD}, [event], key)
    await store.commit(later := committed(task), checkpoints={AWKWARD: AWKWARD})
    assert await store.find(TaskQuery(principal=AWKWARD)) == [later]
    assert await store.request(task.id) == {AWKWARD: AWKWARD}
    assert await store.events(task.id) == [event]
    assert await store.checkpoints(task.id) == {AWKWARD: AWKWARD}


async def test_a_lone_surrogate_becomes_a_question_mark_everywhere(store: Store) -> None:
    bad = "a\ud800b"
    task = a_task(bad, message=bad, parameters={"model": bad})
    key = IdempotencyKey(principal=bad, value=bad, digest=bad)
    await store.create(task, {"prompt": bad}, [an_event(task, 1, text=bad)], key)
    await store.commit(committed(task), checkpoints={bad: bad})
    assert await store.find(TaskQuery(principal=bad)) == [
        replace(committed(task), principal=Principal(id="a?b"), message="a?b", parameters={"model": "a?b"})
    ]
    assert await store.request(task.id) == {"prompt": "a?b"}
    assert await store.events(task.id) == [an_event(task, 1, text="a?b")]
    assert await store.checkpoints(task.id) == {"a?b": "a?b"}
    assert (await store.create(a_task(bad), {}, [], key)).id == task.id
    assert await store.find(TaskQuery(id=bad)) == []


@pytest.mark.parametrize("value", [float("nan"), object()])
async def test_what_is_not_json_is_refused_and_nothing_is_stored(store: Store, value: object) -> None:
    task = a_task()
    with pytest.raises((ValueError, TypeError)):
        await store.create(replace(task, parameters={"x": value}), REQUEST, [])
    with pytest.raises((ValueError, TypeError)):
        await store.create(task, {"x": value}, [])
    with pytest.raises((ValueError, TypeError)):
        await store.create(task, REQUEST, [an_event(task, 1, x=value)])
    assert await store.find(TaskQuery()) == []


async def test_the_request_is_stored_once_and_read_apart(store: Store) -> None:
    task = a_task()
    await store.create(task, {"prompt": "long", "model": "m"}, [])
    await store.commit(committed(task, parameters={"model": "other"}))
    assert await store.request(task.id) == {"prompt": "long", "model": "m"}
    assert (await the_task(store, task.id)).parameters == {"model": "other"}
    assert await store.request("unknown") == {}


# --- the four ways of a write -----------------------------------------------------------------------
# That an outcome is unknown is the disk's doing: see tests/faults/test_disk.py.


async def test_a_commit_replaces_the_task_and_appends_events(store: Store) -> None:
    task = a_task()
    await store.create(task, REQUEST, [an_event(task, 1)])
    later = committed(
        task,
        state=State.RUNNING,
        stage="generating",
        message="working",
        result={"a": 1},
        parameters={"model": "other"},
        attempts=1,
        sequence=2,
        cache_key="k",
    )
    await store.commit(later, [an_event(task, 2, status="generating")])
    assert await the_task(store, task.id) == later
    assert [event.id for event in await store.events(task.id)] == [1, 2]


async def test_a_commit_leaves_what_never_changes(store: Store) -> None:
    task = a_task()
    await store.create(task, REQUEST, [])
    await store.commit(committed(task, principal=LOCAL, kind="other", language="zh", trace="t"))
    assert await the_task(store, task.id) == committed(task)


async def test_a_task_of_a_known_id_is_refused_and_the_first_one_stays(store: Store) -> None:
    task = a_task(message="first")
    await store.create(task, REQUEST, [])
    with pytest.raises(StoreError):
        await store.create(replace(task, message="second"), {}, [an_event(task, 1)])
    assert await the_task(store, task.id) == task
    assert await store.request(task.id) == REQUEST
    assert await store.events(task.id) == []


async def test_a_new_task_with_one_event_id_twice_is_refused(store: Store) -> None:
    task = a_task()
    with pytest.raises(StoreError):
        await store.create(task, REQUEST, [an_event(task, 1), an_event(task, 1)])
    assert await store.find(TaskQuery()) == []
    assert await store.request(task.id) == {}


@pytest.mark.parametrize("version", [0, 1, 2, 4, 5])
async def test_a_commit_that_is_not_the_next_version_is_a_conflict(store: Store, version: int) -> None:
    task = a_task(version=2)
    await store.create(task, REQUEST, [])
    with pytest.raises(Conflict):
        await store.commit(replace(task, version=version), [an_event(task, 1)], {"plan": "{}"})
    assert await the_task(store, task.id) == task
    assert await store.events(task.id) == []
    assert await store.checkpoints(task.id) == {}


async def test_a_commit_of_a_task_that_is_gone_is_a_conflict_and_stores_nothing(store: Store) -> None:
    task = a_task()
    with pytest.raises(Conflict):
        await store.commit(committed(task), [an_event(task, 1)], {"plan": "{}"})
    assert await store.find(TaskQuery()) == []
    assert await store.events(task.id) == []
    assert await store.checkpoints(task.id) == {}


async def test_a_commit_with_a_known_event_id_is_a_conflict_and_leaves_nothing_behind(store: Store) -> None:
    task = a_task()
    await store.create(task, REQUEST, [an_event(task, 1)])
    with pytest.raises(Conflict):
        await store.commit(
            committed(task, message="changed"), [an_event(task, 2), an_event(task, 1)], {"plan": "{}"}
        )
    assert await the_task(store, task.id) == task
    assert await store.events(task.id) == [an_event(task, 1)]
    assert await store.checkpoints(task.id) == {}


async def test_a_commit_with_one_event_id_twice_leaves_nothing_behind(store: Store) -> None:
    task = a_task()
    await store.create(task, REQUEST, [])
    with pytest.raises(Conflict):
        await store.commit(committed(task, message="changed"), [an_event(task, 1), an_event(task, 1)])
    assert await the_task(store, task.id) == task
    assert await store.events(task.id) == []


# --- reading ----------------------------------------------------------------------------------------


async def test_events_after_an_id_and_of_an_unknown_task(store: Store) -> None:
    task, other = a_task(), a_task()
    await store.create(task, REQUEST, [an_event(task, id_) for id_ in (3, 1, 2)])
    await store.create(other, REQUEST, [an_event(other, 1)])
    assert [event.id for event in await store.events(task.id)] == [1, 2, 3]
    assert [event.id for event in await store.events(task.id, after=1)] == [2, 3]
    assert await store.events(task.id, after=3) == []
    assert await store.events("unknown") == []


async def test_a_log_of_many_pages_comes_whole_and_in_order(store: Store) -> None:
    task = a_task()
    log = [an_event(task, id_) for id_ in range(1, 1300)]
    log += [an_event(task, id_, text="x" * 200_000) for id_ in range(1300, 1305)]
    await store.create(task, REQUEST, log)
    assert await store.events(task.id) == log
    assert await store.events(task.id, after=1301) == log[1301:]


async def test_checkpoints_come_in_the_order_in_which_they_were_first_stored(store: Store) -> None:
    task, other = a_task(), a_task()
    await store.create(task, REQUEST, [])
    await store.create(other, REQUEST, [])
    await store.commit(committed(task), checkpoints={"z": "1", "a": "1"})
    await store.commit(committed(other), checkpoints={"z": "other's"})
    await store.commit(committed(committed(task)), checkpoints={"m": "1", "z": "2"})
    assert list((await store.checkpoints(task.id)).items()) == [("z", "2"), ("a", "1"), ("m", "1")]
    assert await store.checkpoints("unknown") == {}


async def test_checkpoints_of_many_pages_come_whole_and_in_order(store: Store) -> None:
    task = a_task()
    await store.create(task, REQUEST, [])
    checkpoints = {f"small:{n}": str(n) for n in range(1100)}
    checkpoints |= {f"large:{n}": "生" * 200_000 for n in range(5)}
    await store.commit(committed(task), checkpoints=checkpoints)
    assert list((await store.checkpoints(task.id)).items()) == list(checkpoints.items())


async def test_find_filters_and_lists_the_newest_first(store: Store) -> None:
    tasks = [
        a_task(principal, kind=kind, state=state)
        for principal, kind in (("alice", "generate"), ("bob", "index"))
        for state in (State.QUEUED, State.PAUSED, State.SUCCEEDED)
    ]
    for task in tasks:
        await store.create(task, REQUEST, [])
    newest = tasks[::-1]
    assert await store.find(TaskQuery()) == newest
    assert await store.find(TaskQuery(limit=2)) == newest[:2]
    assert await store.find(TaskQuery(principal="bob")) == newest[:3]
    assert await store.find(TaskQuery(kind="index")) == newest[:3]
    assert await store.find(TaskQuery(kind="index", principal="alice")) == []
    assert await store.find(TaskQuery(states=UNFINISHED)) == [t for t in newest if not t.state.is_terminal]
    assert await store.find(TaskQuery(states=[State.QUEUED, State.SUCCEEDED], principal="alice")) == [
        tasks[2],
        tasks[0],
    ]
    assert await store.find(TaskQuery(states=[State.UNKNOWN])) == []
    assert await store.find(TaskQuery(states=[])) == []
    assert await store.find(TaskQuery(id=tasks[0].id)) == [tasks[0]]
    assert await store.find(TaskQuery(id=tasks[0].id, principal="bob")) == []
    chosen = [tasks[0].id, tasks[4].id, "unknown", "\ud800"]
    assert await store.find(TaskQuery(ids=chosen)) == [tasks[4], tasks[0]]
    assert await store.find(TaskQuery(ids=chosen, principal="bob", limit=1)) == [tasks[4]]
    assert await store.find(TaskQuery(ids=())) == []
    assert await store.count(TaskQuery(ids=chosen)) == 2


async def test_tasks_are_found_by_their_public_status(store: Store) -> None:
    tasks = [
        a_task(state=state, stage=stage)
        for state, stage in (
            (State.QUEUED, ""),
            (State.RUNNING, ""),
            (State.QUEUED, "generating"),
            (State.PAUSED, "generating"),
            (State.RUNNING, "pushing"),
            (State.FAILED, ""),
            (State.FAILED, "generating"),
            (State.CANCELLED, "pushing"),
            (State.SUCCEEDED, "pushing"),
            (State.QUEUED, "completed"),
        )
    ]
    for task in tasks:
        await store.create(task, REQUEST, [])

    async def found(*statuses: str, **query: object) -> list[int]:
        asked = TaskQuery(statuses=statuses, **query)  # type: ignore[arg-type]
        return [tasks.index(task) for task in await store.find(asked)]

    assert await found("pending") == [1, 0]
    assert await found("generating") == [3, 2]
    assert await found("pushing") == [4]
    assert await found("completed") == [8]
    assert await found("failed") == [6, 5]
    assert await found("cancelled") == [7]
    assert await found("pending", "cancelled", "failed") == [7, 6, 5, 1, 0]
    assert await found("generating", states=[State.PAUSED]) == [3]
    assert await found("nonsense") == []
    assert await found() == []


async def test_tasks_of_one_cache_key_are_found_by_it_and_none_by_an_empty_one(store: Store) -> None:
    tasks = [
        a_task(principal, cache_key=cache_key)
        for principal in ("alice", "bob")
        for cache_key in ("", "d", "de")
    ]
    for task in tasks:
        await store.create(task, REQUEST, [])
    later = committed(tasks[0], cache_key="d")
    await store.commit(later)
    assert await store.find(TaskQuery(cache_key="d", principal="alice")) == [tasks[1], later]
    assert await store.find(TaskQuery(cache_key="d")) == [tasks[4], tasks[1], later]
    assert await store.find(TaskQuery(cache_key="")) == []


async def test_pages_join_without_gap_or_overlap(store: Store) -> None:
    tasks = [a_task("alice" if n % 2 else "bob") for n in range(20)]
    await asyncio.gather(*(store.create(task, REQUEST, []) for task in tasks))
    seen: list[Task] = []
    while page := await store.find(
        TaskQuery(principal="alice", before=seen[-1].id if seen else None, limit=3)
    ):
        assert len(page) <= 3
        seen += page
    assert seen == [task for task in tasks[::-1] if task.principal.id == "alice"]


# --- idempotency keys -------------------------------------------------------------------------------


KEY = IdempotencyKey(principal="alice", value="k-1", digest="body-1")


async def test_a_known_key_gives_the_first_task_as_it_is_now(store: Store) -> None:
    first, second = a_task(), a_task()
    await store.create(first, REQUEST, [an_event(first, 1)], KEY)
    later = committed(first, state=State.RUNNING)
    await store.commit(later)
    assert await store.create(second, REQUEST, [an_event(second, 1)], KEY) == later
    assert await store.find(TaskQuery()) == [later]
    assert await store.events(second.id) == []


async def test_a_known_key_with_another_body_is_refused(store: Store) -> None:
    first = a_task()
    await store.create(first, REQUEST, [], KEY)
    with pytest.raises(IdempotencyKeyReused):
        await store.create(a_task(), REQUEST, [], replace(KEY, digest="body-2"))
    assert await store.find(TaskQuery()) == [first]


async def test_the_task_that_a_key_named_is_found(store: Store) -> None:
    first = a_task()
    assert await store.find_by_key(KEY) is None
    await store.create(first, REQUEST, [], KEY)
    later = committed(first, state=State.RUNNING)
    await store.commit(later)
    assert await store.find_by_key(KEY) == later
    assert await store.find_by_key(replace(KEY, principal="bob")) is None
    assert await store.find_by_key(replace(KEY, value="k-2")) is None
    with pytest.raises(IdempotencyKeyReused):
        await store.find_by_key(replace(KEY, digest="body-2"))


async def test_keys_belong_to_their_principal(store: Store) -> None:
    mine, other = a_task(), a_task("bob")
    await store.create(mine, REQUEST, [], KEY)
    assert await store.create(other, REQUEST, [], replace(KEY, principal="bob", digest="body-2")) == other


@pytest.mark.fault(80)
async def test_one_key_many_times_at_once_makes_one_task(store: Store) -> None:
    tasks = [a_task() for _ in range(50)]
    made = await asyncio.gather(*(store.create(task, REQUEST, [an_event(task, 1)], KEY) for task in tasks))
    assert made == [tasks[0]] * 50
    assert await store.find(TaskQuery()) == [tasks[0]]
    assert [bool(await store.events(task.id)) for task in tasks] == [True] + [False] * 49


@pytest.mark.fault(80)
async def test_one_key_with_two_bodies_at_once_is_refused_once(store: Store) -> None:
    first, second = a_task(), a_task()
    made, refused = await asyncio.gather(
        store.create(first, REQUEST, [], KEY),
        store.create(second, REQUEST, [], replace(KEY, digest="body-2")),
        return_exceptions=True,
    )
    assert made == first
    assert isinstance(refused, IdempotencyKeyReused)
    assert await store.find(TaskQuery()) == [first]


async def test_a_key_whose_task_could_not_be_stored_stays_free(store: Store) -> None:
    taken, fresh = a_task(), a_task()
    await store.create(taken, REQUEST, [])
    failed, made = await asyncio.gather(
        store.create(taken, REQUEST, [], KEY), store.create(fresh, REQUEST, [], KEY), return_exceptions=True
    )
    assert isinstance(failed, StoreError)
    assert made == fresh


# --- overlapping calls ------------------------------------------------------------------------------


async def test_overlapping_writes_take_effect_in_the_order_of_the_calls(store: Store) -> None:
    task = a_task()
    versions = [replace(task, version=n, sequence=n, message=str(n)) for n in range(1, 101)]
    await asyncio.gather(
        store.create(task, REQUEST, []),
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


async def test_only_the_guilty_ones_of_many_overlapping_writes_fail(store: Store) -> None:
    known, busy = a_task(), a_task()
    await store.create(known, REQUEST, [an_event(known, 1)])
    await store.create(busy, REQUEST, [])
    good = [a_task() for _ in range(20)]
    outcomes = await asyncio.gather(
        *(store.create(task, REQUEST, [an_event(task, 1)]) for task in good[:10]),
        store.create(known, REQUEST, []),
        store.commit(committed(known, message="x"), [an_event(known, 1)]),
        store.commit(a_task(version=1)),
        store.commit(replace(busy, version=1)),
        store.commit(replace(busy, version=1, message="stale")),
        store.commit(replace(busy, version=3, message="ahead")),
        store.commit(replace(busy, version=2)),
        *(store.create(task, REQUEST, [an_event(task, 1)]) for task in good[10:]),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes[10:17]] == [
        *(StoreError, Conflict, Conflict),
        *(type(None), Conflict, Conflict, type(None)),
    ]
    assert [*outcomes[:10], *outcomes[17:]] == good
    assert await store.find(TaskQuery()) == [*good[::-1], replace(busy, version=2), known]


async def test_hundreds_of_writers_lose_nothing(store: Store) -> None:
    async def write(task: Task) -> None:
        await store.create(task, REQUEST, [an_event(task, 1)])
        for id_ in (2, 3, 4):
            later = replace(task, sequence=id_, version=id_ - 1)
            await store.commit(later, [an_event(task, id_)], {"part": str(id_)})
            assert [event.id for event in await store.events(task.id, after=1)] == list(range(2, id_ + 1))

    tasks = [a_task() for _ in range(300)]
    await asyncio.gather(*map(write, tasks))
    found = await store.find(TaskQuery(limit=1000))
    assert found == [replace(task, sequence=4, version=3) for task in tasks[::-1]]
    assert await store.checkpoints(tasks[0].id) == {"part": "4"}


async def test_cancelled_callers_do_not_disturb_others(store: Store) -> None:
    """Half of the callers go away, each after another number of turns of the event loop."""
    pairs = [(a_task(), a_task()) for _ in range(60)]
    stays = [asyncio.create_task(store.create(task, REQUEST, [an_event(task, 1)])) for task, _ in pairs]
    leaves = [asyncio.create_task(store.create(task, REQUEST, [an_event(task, 1)])) for _, task in pairs]
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
    task = a_task(parameters=data)
    await store.create(task, data, [Event(task_id=task.id, id=1, kind="status", data=data)])
    data["prompt"] = "changed"
    assert await store.request(task.id) == {"prompt": "as it was"}
    assert (await the_task(store, task.id)).parameters == {"prompt": "as it was"}
    assert (await store.events(task.id))[0].data == {"prompt": "as it was"}


async def test_tasks_are_counted_whatever_the_limit(store: Store) -> None:
    alice, bob = Principal(id="alice"), Principal(id="bob")
    for principal, state in [(alice, State.QUEUED), (alice, State.PAUSED), (bob, State.PAUSED)]:
        await store.create(a_task(principal=principal, state=state), REQUEST, [])
    assert await store.count(TaskQuery()) == 3
    assert await store.count(TaskQuery(principal="alice", limit=1)) == 2
    assert await store.count(TaskQuery(principal="alice", states={State.PAUSED})) == 1
    assert await store.count(TaskQuery(principal="carol")) == 0


async def test_paused_tasks_are_found_once_their_deadline_has_passed(store: Store) -> None:
    moment = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)
    for milliseconds in (-1, 0, 1):
        until = moment + timedelta(milliseconds=milliseconds)
        await store.create(a_task(state=State.PAUSED, paused_until=until), REQUEST, [])
    await store.create(a_task(state=State.QUEUED), REQUEST, [])
    found = await store.find(TaskQuery(expired=moment))
    assert sorted(task.paused_until for task in found if task.paused_until) == [
        moment - timedelta(milliseconds=1),
        moment,
    ]
    assert await store.find(TaskQuery(expired=moment - timedelta(days=1))) == []
