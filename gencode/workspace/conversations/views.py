"""Messages as clients see them, and the documents of an export."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import Field

from gencode.domain.task import rfc3339
from gencode.http.base_models import Moment, ResponseModel, Words
from gencode.workspace.conversations.branches import MessageTree
from gencode.workspace.conversations.resource import ConversationView
from gencode.workspace.conversations.tables import ChatMessage, MessageRole, MessageStatus


class MessageUsage(ResponseModel):
    """Of all model calls of the answer's task. `cost` null: unknown."""

    prompt_tokens: int
    completion_tokens: int
    cost: str | None
    is_estimated: bool = Field(
        description="The provider has not reported all: the call was stopped or broke off"
    )


class MessageFailure(ResponseModel):
    """Why the answer has failed; its task can be retried."""

    code: str
    message: Words


class MessageContext(ResponseModel):
    left_out: int = Field(ge=0, description="Earlier messages that did not fit the window of the model")
    tokens: int = Field(ge=0, description="Of the prompt, estimated")
    sources: int = Field(0, ge=0, description="Passages of the knowledge base in the prompt")
    is_complete: bool = Field(True, description="Whether all documents of the knowledge base were searched")


class Citation(ResponseModel):
    """A quote of the answer. `start`, `end`: of the document's text, in characters."""

    number: int = Field(description="Of the source, as the answer names it")
    quote: Words
    is_verified: bool = Field(description="Whether the source has it, word for word")
    reason: str | None = Field(description="Why not, such as not_found")
    knowledge_base_id: str | None
    document_id: str | None
    document_name: Words | None
    page: int | None
    start: int | None
    end: int | None


class MessageView(ResponseModel):
    """`siblings`: the messages at the same place in other branches, itself included. `tokens`: prompt and
    completion; null of messages of users."""

    id: str
    conversation_id: str
    parent_id: str | None
    siblings: list[str]
    role: MessageRole
    status: MessageStatus
    content: Words = Field(description="Of an answer that is being written: what is stored so far")
    task_id: str | None = Field(description="That writes, or wrote, the answer")
    prompt_template_id: str | None
    model: str | None
    tokens: int | None
    usage: MessageUsage | None
    is_truncated: bool = Field(description="The token limit has ended the answer")
    failure: MessageFailure | None
    context: MessageContext | None
    citations: list[Citation]
    created_at: Moment


class MessagePage(ResponseModel):
    """Of the branch that is shown."""

    items: list[MessageView]
    next_cursor: str | None


class ConversationExport(ResponseModel):
    """All messages of all branches. `branch`: the ids of those that are shown."""

    conversation: ConversationView
    branch: list[str]
    messages: list[MessageView]


_COLUMNS = (
    *("id", "conversation_id", "parent_id", "content", "task_id", "prompt_template_id", "model"),
    *("tokens", "is_truncated"),
)


def message_view(row: ChatMessage, tree: MessageTree, texts: Mapping[str, str]) -> MessageView:
    """`texts`: of answers that are being written, by id."""
    columns: dict[str, Any] = {name: getattr(row, name) for name in _COLUMNS}
    return MessageView(
        **{**columns, "content": texts.get(row.id, row.content)},
        siblings=tree.siblings(row.id),
        role=MessageRole(row.role),
        status=MessageStatus(row.status),
        usage=_usage(row),
        failure=MessageFailure(**row.failure) if row.failure else None,
        context=MessageContext(**row.context) if row.context else None,
        citations=[Citation(**citation) for citation in row.citations],
        created_at=rfc3339(row.created_at),
    )


def _usage(row: ChatMessage) -> MessageUsage | None:
    if row.tokens is None:
        return None
    return MessageUsage(
        prompt_tokens=row.prompt_tokens or 0,
        completion_tokens=row.completion_tokens or 0,
        cost=row.cost,
        is_estimated=row.is_estimated,
    )


def as_markdown(title: str, messages: Sequence[MessageView]) -> str:
    """The branch that is shown, as a document."""
    return "\n\n".join([f"# {title}" if title else "# Conversation", *_sections(messages)]) + "\n"


def _sections(messages: Sequence[MessageView]) -> Iterator[str]:
    for message in messages:
        note = "" if message.status is MessageStatus.COMPLETE else f" ({message.status.value})"
        yield f"## {message.role.value.title()}{note}"
        yield message.content
        yield from map(_citation_line, message.citations)


def _citation_line(citation: Citation) -> str:
    state = "" if citation.is_verified else " (not found in the source)"
    return f"[{citation.number}] {citation.document_name or '?'}: “{citation.quote}”{state}"
