from __future__ import annotations

import anyio

from gencode.hub.postgres.outgoing import MAX_DROPPABLE, OutgoingMessages


def test_of_two_kept_messages_with_the_same_key_the_later_is_sent() -> None:
    outgoing = OutgoingMessages()
    for channel, key, payload in (("a", "1", "x"), ("a", "2", "y"), ("b", "1", "z"), ("a", "1", "w")):
        outgoing.put(channel, key, payload)
    assert outgoing.take().messages == [("a", "w"), ("a", "y"), ("b", "z")]
    assert outgoing.take().messages == []


def test_of_too_many_droppable_messages_the_oldest_are_lost_and_no_kept_one() -> None:
    outgoing = OutgoingMessages()
    for n in range(MAX_DROPPABLE + 10):
        outgoing.put("kept", str(n), str(n))
        outgoing.put_droppable("live", str(n))
    messages = outgoing.take().messages
    assert messages[:MAX_DROPPABLE] == [("live", str(n)) for n in range(10, MAX_DROPPABLE + 10)]
    assert messages[MAX_DROPPABLE:] == [("kept", str(n)) for n in range(MAX_DROPPABLE + 10)]


def test_a_batch_that_was_perhaps_not_sent_waits_again_without_what_may_be_sent_once() -> None:
    outgoing = OutgoingMessages()
    outgoing.put("a", "1", "old")
    outgoing.put("a", "2", "old")
    outgoing.put_droppable("live", "x")
    batch = outgoing.take()
    outgoing.put("a", "1", "new")
    outgoing.put_droppable("live", "y")
    outgoing.restore(batch)
    assert outgoing.take().messages == [("live", "y"), ("a", "new"), ("a", "old")]


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
    assert outgoing.take().messages == [("live", "x")]
