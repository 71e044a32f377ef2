"""The tables of conversations and their messages."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, synonym

from gencode.workspace.resources.declaration import OwnedRow
from gencode.workspace.tables import Base, Row

_STREAMING = text("status = 'streaming'")
MAX_TITLE = 200


class MessageRole(StrEnum):
    USER = "user"
    ASSISTANT = "assistant"
    SYSTEM = "system"


class MessageStatus(StrEnum):
    """`stopped` and `failed` answers keep the text that had arrived."""

    COMPLETE = "complete"
    STOPPED = "stopped"
    FAILED = "failed"
    STREAMING = "streaming"


def _one_of(values: type[StrEnum]) -> str:
    return ", ".join(f"'{value.value}'" for value in values)


class Conversation(OwnedRow):
    """model               as requests name it; null: the owner's default
    prompt_template_id  of the system prompt, in place of `system_prompt`
    context_tokens      the most tokens of a prompt; null: the service's limit
    leaf_id             the last message of the branch that is shown
    total_tokens, cost  of all answers; a cost of null is unknown
    """

    __tablename__ = "conversations"

    name: Mapped[str] = mapped_column(String(MAX_TITLE), default="")
    title: Mapped[str] = synonym("name")
    model: Mapped[str | None] = mapped_column(String(300))
    system_prompt: Mapped[str | None] = mapped_column(Text)
    prompt_template_id: Mapped[str | None] = mapped_column(String(36))
    knowledge_base_id: Mapped[str | None] = mapped_column(String(36))
    context_tokens: Mapped[int | None]
    leaf_id: Mapped[str | None] = mapped_column(String(36))
    total_tokens: Mapped[int] = mapped_column(BigInteger, default=0)
    cost: Mapped[str | None] = mapped_column(String(40), default="0")
    message_count: Mapped[int] = mapped_column(default=0)
    last_message_at: Mapped[datetime | None]


class ChatMessage(Row, Base):
    """parent_id     the message before it in its branch; null: it is the first
    task_id       the task that answers it, or whose answer it is; task_version: see TaskVersion
    tokens, cost  of the task: all its model calls. Null of messages of users; a cost of null is unknown
    is_truncated  the token limit has ended the answer
    failure       {"code", "message"}
    context       {"left_out": earlier messages that the model did not see, "tokens": of the prompt}
    """

    __tablename__ = "chat_messages"

    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"))
    owner: Mapped[str] = mapped_column(String(200))
    parent_id: Mapped[str | None] = mapped_column(String(36))
    role: Mapped[str] = mapped_column(String(20))
    status: Mapped[str] = mapped_column(String(20))
    content: Mapped[str] = mapped_column(Text)
    task_id: Mapped[str | None] = mapped_column(String(36))
    task_version: Mapped[int] = mapped_column(default=0)
    prompt_template_id: Mapped[str | None] = mapped_column(String(36))
    model: Mapped[str | None] = mapped_column(String(300))
    tokens: Mapped[int | None] = mapped_column(BigInteger)
    prompt_tokens: Mapped[int | None] = mapped_column(BigInteger)
    completion_tokens: Mapped[int | None] = mapped_column(BigInteger)
    cost: Mapped[str | None] = mapped_column(String(40))
    is_estimated: Mapped[bool] = mapped_column(default=False)
    is_truncated: Mapped[bool] = mapped_column(default=False)
    failure: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    citations: Mapped[list[Any]] = mapped_column(JSON, default=list)
    context: Mapped[dict[str, Any] | None] = mapped_column(JSON)

    __table_args__ = (
        CheckConstraint(f"role IN ({_one_of(MessageRole)})", name="role"),
        CheckConstraint(f"status IN ({_one_of(MessageStatus)})", name="status"),
        Index("ix_chat_messages_conversation", "conversation_id", "created_at"),
        Index("ix_chat_messages_owner", "owner", sqlite_where=_STREAMING, postgresql_where=_STREAMING),
        Index(
            "uq_chat_messages_streaming",
            "conversation_id",
            unique=True,
            sqlite_where=_STREAMING,
            postgresql_where=_STREAMING,
        ),
    )
    """At most one answer of a conversation is being written."""
