from __future__ import annotations

import anyio
import pytest

from gencode.hub.postgres.outgoing_messages import MAX_DROPPABLE, MAX_KEPT, OutgoingMessages


def taken(outgoing: OutgoingMessages) -> list[tuple[str, str]]:
    return [(message.channel, message.payload) for message in outgoing.take().messages]


def test_of_two_kept_messages_with_the_same_key_the_later_is_sent() -> None:
    outgoing = OutgoingMessages()
    for channel, key, payload in (("a", "1", "x"), ("a", "2", "y"), ("b", "1", "z"), ("a", "1", "w")):
        outgoing.put(channel, key, payload)
    assert taken(outgoing) == [("a", "y"), ("b", "z"), ("a", "w")]
    assert taken(outgoing) == []


def test_of_too_many_droppable_messages_the_oldest_are_lost_and_no_kept_one() -> None:
    outgoing = OutgoingMessages()
    for n in range(MAX_DROPPABLE + 10):
        outgoing.put("kept", str(n), str(n))
        outgoing.put_droppable("live", str(n))
    messages = taken(outgoing)
    live = [("live", str(n)) for n in range(10, MAX_DROPPABLE + 10)]
    assert [message for message in messages if message[0] == "live"] == live
    assert [message for message in messages if message[0] == "kept"] == [
        ("kept", str(n)) for n in range(MAX_DROPPABLE + 10)
    ]


def test_a_batch_that_was_perhaps_not_sent_waits_again_without_what_may_be_sent_once() -> None:
    outgoing = OutgoingMessages()
    outgoing.put("a", "1", "old")
    outgoing.put("a", "2", "old")
    outgoing.put_droppable("live", "x")
    batch = outgoing.take()
    outgoing.put("a", "1", "new")
    outgoing.put_droppable("live", "y")
    outgoing.restore(batch)
    assert taken(outgoing) == [("a", "old"), ("a", "new"), ("live", "y")]


@pytest.mark.parametrize("was_taken", [False, True])
def test_kept_messages_that_cannot_be_sent_are_bounded(was_taken: bool) -> None:
    outgoing = OutgoingMessages()
    for n in range(MAX_KEPT):
        outgoing.put("a", str(n), str(n))
    batch = outgoing.take() if was_taken else None
    for n in range(MAX_KEPT, MAX_KEPT + 10):
        outgoing.put("a", str(n), str(n))
    if batch:
        outgoing.restore(batch)
    assert taken(outgoing) == [("a", str(n)) for n in range(10, MAX_KEPT + 10)]


def test_messages_are_sent_in_the_order_in_which_they_were_put() -> None:
    outgoing = OutgoingMessages()
    outgoing.put("events", "1", "first")
    outgoing.put_droppable("live", "x")
    outgoing.put("events", "2", "second")
    assert [payload for _, payload in taken(outgoing)] == ["first", "x", "second"]


async def test_kept_messages_are_due_at_once_and_a_restored_batch_too() -> None:
    outgoing = OutgoingMessages()
    async with anyio.create_task_group() as group:
        group.start_soon(outgoing.wait)
        await anyio.wait_all_tasks_blocked()
        outgoing.put("a", "1", "x")
    batch = outgoing.take()
    outgoing.restore(batch)
    await outgoing.wait()
    assert outgoing.take() == batch


async def test_droppable_messages_alone_are_due_too() -> None:
    outgoing = OutgoingMessages()
    outgoing.put_droppable("live", "x")
    await outgoing.wait()
    assert taken(outgoing) == [("live", "x")]
