"""The rows of conversations: turns are written once, whoever writes them and however often."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from gencode.domain.errors import NotFound
from gencode.workspace.conversations.branches import MessageReader, MessageTree, Node
from gencode.workspace.conversations.messages import FinishedAnswer, MessageWriter, NewTurn, TurnIds
from gencode.workspace.conversations.resource import CONVERSATIONS
from gencode.workspace.conversations.tables import Conversation, MessageStatus
from gencode.workspace.conversations.titles import LENGTH, title_of
from gencode.workspace.conversations.written_text import WrittenText, piece, written_text
from gencode.workspace.errors import ConversationBusy
from gencode.workspace.task_rows import TaskVersion
from gencode.workspace.workspace import Workspace
from tests.servers.workspace import ACTOR, workspace

FIRST = TaskVersion(id="", version=0)
DONE = FinishedAnswer(
    status=MessageStatus.COMPLETE,
    content="Because.",
    prompt_tokens=10,
    completion_tokens=5,
    cost="0.25",
    is_estimated=False,
)


def turn(conversation_id: str | None, parent_id: str | None = None) -> NewTurn:
    task_id = str(uuid4())
    return NewTurn(
        ids=TurnIds.of(task_id, conversation_id, None),
        owner=ACTOR.id,
        task=TaskVersion(id=task_id, version=0),
        question="Why? Tell me.",
        parent_id=parent_id,
        prompt_template_id=None,
        model="scripted",
        is_new=conversation_id is None,
    )


async def begun(opened: Workspace) -> str:
    return (await opened.resource(CONVERSATIONS).create({"title": ""}, ACTOR)).id


async def shown(opened: Workspace, conversation_id: str) -> Conversation:
    return await opened.resource(CONVERSATIONS).get(conversation_id, ACTOR.id)


async def test_a_turn_is_written_once_and_counted_once(database_url: str) -> None:
    async with workspace(database_url) as opened:
        writer = MessageWriter(opened.database)
        new = turn(await begun(opened))
        for _ in range(2):
            await writer.open(new, reopens=True)
        for _ in range(2):
            await writer.finish(new.ids.answer_id, DONE, FIRST)
        await writer.open(new, reopens=True)
        row = await shown(opened, new.ids.conversation_id)
        assert (row.title, row.message_count, row.total_tokens) == ("Why?", 2, 15)
        assert (row.cost, row.leaf_id) == ("0.25", new.ids.answer_id)
        second = turn(row.id, row.leaf_id)
        await writer.open(second, reopens=True)
        await writer.finish(second.ids.answer_id, replace(DONE, cost=None), FIRST)
        row = await shown(opened, row.id)
        assert (row.message_count, row.total_tokens, row.cost) == (4, 30, None)


async def test_one_answer_at_a_time_and_a_failed_one_is_reopened_by_its_task_only(database_url: str) -> None:
    async with workspace(database_url) as opened:
        writer = MessageWriter(opened.database)
        first = turn(await begun(opened))
        await writer.open(first, reopens=False)
        second = turn(first.ids.conversation_id)
        with pytest.raises(ConversationBusy):
            await writer.open(second, reopens=True)
        assert not await writer.knows(second.ids.question_id)
        await writer.finish(first.ids.answer_id, replace(DONE, status=MessageStatus.FAILED), FIRST)
        await writer.open(first, reopens=False)
        await writer.open(second, reopens=False)
        with pytest.raises(ConversationBusy):
            await writer.open(first, reopens=True)
        await writer.finish(second.ids.answer_id, DONE, FIRST)
        await writer.open(first, reopens=True)
        await writer.save(first.ids.answer_id, "So", FIRST)
        (row,) = await MessageReader(opened.database).messages([first.ids.answer_id])
        assert (row.status, row.content) == ("streaming", "So")


async def test_a_task_can_make_its_conversation_and_none_after_it_is_deleted(database_url: str) -> None:
    async with workspace(database_url) as opened:
        writer, new = MessageWriter(opened.database), turn(None)
        for _ in range(2):
            await writer.open(new, reopens=True)
        assert (await shown(opened, new.ids.conversation_id)).message_count == 2
        await opened.resource(CONVERSATIONS).delete(new.ids.conversation_id, ACTOR, None)
        with pytest.raises(NotFound):
            await writer.open(new, reopens=True)
        with pytest.raises(NotFound):
            await writer.open(replace(turn(new.ids.conversation_id), owner="bob"), reopens=True)


def test_the_branch_of_a_leaf_and_the_leaf_of_a_branch() -> None:
    first = [("q1", None), ("a1", "q1"), ("q2", "a1"), ("a2", "q2")]
    pairs = [*first, ("a2b", "q2"), ("q3", "a2b"), ("q1b", None)]
    tree = MessageTree([Node(id=one, parent_id=parent, role="user") for one, parent in pairs])
    assert tree.branch("q3") == ["q1", "a1", "q2", "a2b", "q3"]
    assert tree.branch(None) == tree.branch("gone") == []
    assert tree.leaf_after("q1") == "q3"
    assert tree.leaf_after("a2") == "a2"
    assert tree.siblings("a2b") == ["a2", "a2b"]
    assert tree.siblings("q1b") == ["q1", "q1b"]
    with pytest.raises(NotFound):
        tree.node("gone")


@pytest.mark.parametrize(
    ("message", "title"),
    [
        ("Why is the sky blue? I ask since", "Why is the sky blue?"),
        ("  Version 1.5 fails.\nSee below", "Version 1.5 fails."),
        ("天空为什么是蓝色的？我想知道", "天空为什么是蓝色的？"),
        ("one\ttwo\x07", "one two"),
        ("", ""),
        ("word " * 30, "word word word word word word word word word word word…"),
        ("x" * 100, "x" * (LENGTH - 1) + "…"),
    ],
)
def test_a_title_is_the_first_sentence(message: str, title: str) -> None:
    assert title_of(message) == title
    assert len(title) <= LENGTH


def test_the_text_so_far_is_that_of_the_last_round() -> None:
    stored = {**piece(1, 0, "old text"), **piece(2, 0, ""), "answer:x": "{}"}
    assert written_text(stored) == WrittenText(round=2)
    stored |= {**piece(2, 0, "new "), **piece(2, 10, "end"), **piece(2, 4, "middle")}
    assert written_text(stored) == WrittenText(round=2, text="new middleend")
