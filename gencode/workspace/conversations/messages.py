"""Writes the messages of conversations. What a task writes has ids made from the task's, so that a repetition
changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from gencode.domain.errors import NotFound
from gencode.workspace.conversations.tables import ChatMessage, Conversation, MessageRole, MessageStatus
from gencode.workspace.conversations.titles import title_of
from gencode.workspace.database import Database, insert_if_absent
from gencode.workspace.errors import ConversationBusy
from gencode.workspace.tables import now
from gencode.workspace.task_rows import TaskVersion

BUSY = "another answer of this conversation is being written: stop it, or wait"


@dataclass(frozen=True, kw_only=True, slots=True)
class TurnIds:
    """The ids of what a task writes. `question_id`: of the new message, or of the one that is answered
    again."""

    conversation_id: str
    question_id: str
    answer_id: str

    @classmethod
    def of(cls, task_id: str, conversation_id: str | None, question_id: str | None) -> TurnIds:
        """None: the task makes a conversation, or a question, of its own."""
        made = UUID(task_id)
        return cls(
            conversation_id=conversation_id or str(uuid5(made, "conversation")),
            question_id=question_id or str(uuid5(made, "question")),
            answer_id=str(uuid5(made, "answer")),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class NewTurn:
    """A question and its answer, which is still to be written.

    question    None: an existing message is answered again
    parent_id   of the question; None: it begins the conversation
    is_new      the task makes the conversation
    """

    ids: TurnIds
    owner: str
    task: TaskVersion
    question: str | None
    parent_id: str | None
    prompt_template_id: str | None
    model: str
    is_new: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class FinishedAnswer:
    """An answer when its task is over.

    cost  None: unknown
    """

    status: MessageStatus
    content: str
    prompt_tokens: int
    completion_tokens: int
    cost: str | None
    is_estimated: bool
    is_truncated: bool = False
    failure: Mapping[str, Any] | None = None
    context: Mapping[str, Any] | None = None
    citations: Sequence[Mapping[str, Any]] = field(default_factory=tuple)

    def columns(self) -> dict[str, Any]:
        return {
            "status": self.status.value,
            "content": self.content,
            "tokens": self.prompt_tokens + self.completion_tokens,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "cost": self.cost,
            "is_estimated": self.is_estimated,
            "is_truncated": self.is_truncated,
            "failure": dict(self.failure) if self.failure else None,
            "context": dict(self.context) if self.context else None,
            "citations": [dict(citation) for citation in self.citations],
        }


class MessageWriter:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self, turn: NewTurn, *, reopens: bool) -> None:
        """Adds the question and the answer, which is streaming. Repeated without effect, except that an
        answer that has failed is streaming again if `reopens`, and that an earlier end of the task does not
        end it any more. Raises NotFound for a deleted conversation, ConversationBusy while another answer is
        being written."""
        async with self._database.transaction() as session:
            if turn.is_new:
                await _insert_conversation(session, turn)
            conversation = await _locked(session, turn.ids.conversation_id, turn.owner)
            known = await session.get(ChatMessage, turn.ids.answer_id)
            if known and not (reopens and known.status == MessageStatus.FAILED.value):
                known.task_version = max(known.task_version, turn.task.version)
                return
            if await session.scalar(_other_answer(turn.ids.conversation_id, turn.ids.answer_id)):
                raise ConversationBusy(BUSY)
            if known:
                _reopen(known, turn.task)
            else:
                await _insert_turn(session, turn)
            conversation.leaf_id = turn.ids.answer_id
            conversation.name = conversation.name or title_of(turn.question or "")
            await _add_up(session, conversation)

    async def knows(self, answer_id: str) -> bool:
        """Whether the answer has a row."""
        async with self._database.transaction() as session:
            return await session.get(ChatMessage, answer_id) is not None

    async def reopen(self, answer_id: str, task: TaskVersion) -> None:
        """The task of an answer that has failed was retried: unless another answer is being written, this one
        is."""
        async with self._database.transaction() as session:
            row = await session.get(ChatMessage, answer_id, with_for_update=True)
            if row is None or row.status != MessageStatus.FAILED.value or row.task_version >= task.version:
                return
            await _locked(session, row.conversation_id, row.owner)
            if not await session.scalar(_other_answer(row.conversation_id, answer_id)):
                _reopen(row, task)

    async def save(self, answer_id: str, content: str, task: TaskVersion) -> None:
        """Keeps the text so far of an answer that is being written."""
        await self._change(answer_id, {"content": content}, task)

    async def finish(self, answer_id: str, answer: FinishedAnswer, task: TaskVersion | None) -> None:
        """Completes an answer that is being written, unless its row knows a later commit of the task;
        repeated without effect. `task`: None, it is not stored any more."""
        await self._change(answer_id, answer.columns(), task)

    async def select(self, conversation_id: str, owner: str, leaf_id: str) -> None:
        """Shows another branch. Raises NotFound."""
        async with self._database.transaction() as session:
            conversation = await _locked(session, conversation_id, owner)
            conversation.leaf_id = leaf_id

    async def _change(self, answer_id: str, values: Mapping[str, Any], task: TaskVersion | None) -> None:
        is_streaming = (ChatMessage.id == answer_id, ChatMessage.status == MessageStatus.STREAMING.value)
        async with self._database.transaction() as session:
            row = await session.scalar(select(ChatMessage).where(*is_streaming).with_for_update())
            if row is None or (task and task.version < row.task_version):
                return
            if task:
                row.task_version = task.version
            for name, value in values.items():
                setattr(row, name, value)
            await session.flush()
            found = select(Conversation).where(Conversation.id == row.conversation_id).with_for_update()
            if conversation := await session.scalar(found):
                await _add_up(session, conversation)


async def _insert_conversation(session: AsyncSession, turn: NewTurn) -> None:
    await insert_if_absent(session, Conversation, id=turn.ids.conversation_id, owner=turn.owner)


async def _locked(session: AsyncSession, conversation_id: str, owner: str) -> Conversation:
    is_own = (Conversation.id == conversation_id, Conversation.owner == owner, ~Conversation.is_deleted)
    row = await session.scalar(select(Conversation).where(*is_own).with_for_update())
    if row is None:
        raise NotFound("there is no such conversation, or it belongs to somebody else")
    return row


def _other_answer(conversation_id: str, answer_id: str) -> Any:
    return select(ChatMessage.id).where(
        ChatMessage.conversation_id == conversation_id,
        ChatMessage.status == MessageStatus.STREAMING.value,
        ChatMessage.id != answer_id,
    )


def _reopen(row: ChatMessage, task: TaskVersion) -> None:
    row.status, row.failure, row.task_version = MessageStatus.STREAMING.value, None, task.version


async def _insert_turn(session: AsyncSession, turn: NewTurn) -> None:
    common = {
        "conversation_id": turn.ids.conversation_id,
        "owner": turn.owner,
        "task_id": turn.task.id,
        "task_version": turn.task.version,
    }
    if turn.question is not None:
        await insert_if_absent(
            session,
            ChatMessage,
            **common,
            id=turn.ids.question_id,
            parent_id=turn.parent_id,
            role=MessageRole.USER.value,
            status=MessageStatus.COMPLETE.value,
            content=turn.question,
            prompt_template_id=turn.prompt_template_id,
        )
    await insert_if_absent(
        session,
        ChatMessage,
        **common,
        id=turn.ids.answer_id,
        parent_id=turn.ids.question_id,
        role=MessageRole.ASSISTANT.value,
        status=MessageStatus.STREAMING.value,
        content="",
        model=turn.model,
        created_at=now(),
    )


async def _add_up(session: AsyncSession, conversation: Conversation) -> None:
    """The sums are made anew, so that a repetition counts nothing twice."""
    await session.flush()
    mine = ChatMessage.conversation_id == conversation.id
    sums = select(func.count(), func.sum(ChatMessage.tokens), func.max(ChatMessage.created_at)).where(mine)
    count, tokens, last = (await session.execute(sums)).one()
    costs = list(await session.scalars(select(ChatMessage.cost).where(mine, ChatMessage.tokens.is_not(None))))
    conversation.message_count, conversation.total_tokens = count, tokens or 0
    conversation.last_message_at = last
    is_known = all(cost is not None for cost in costs)
    conversation.cost = f"{sum(map(Decimal, filter(None, costs)), Decimal(0)):f}" if is_known else None
