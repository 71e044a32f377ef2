"""The resource of conversations: bodies, view, rules."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints
from sqlalchemy import inspect, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from gencode.domain.errors import Invalid
from gencode.domain.phrase import Phrase
from gencode.domain.task import rfc3339
from gencode.http.base_models import Moment, RequestModel, ResponseModel, Words
from gencode.workspace.conversations.tables import MAX_TITLE, Conversation
from gencode.workspace.knowledge_bases.tables import KnowledgeBase
from gencode.workspace.prompt_templates.placeholders import variables_of
from gencode.workspace.prompt_templates.resource import MAX_CONTENT, PromptTemplate
from gencode.workspace.resources.declaration import Resource
from gencode.workspace.resources.models import PRINTABLE, TEXT_WITHOUT_NUL, RowId, unchanged

Title = Annotated[
    str,
    StringConstraints(max_length=MAX_TITLE, pattern=PRINTABLE),
    Field(description='"": made from the first message'),
]
ModelReference = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$")]
SystemPrompt = Annotated[
    str, StringConstraints(min_length=1, max_length=MAX_CONTENT, pattern=TEXT_WITHOUT_NUL)
]
ContextTokens = Annotated[int, Field(ge=500, le=10_000_000)]


class ConversationCreation(RequestModel):
    """`context_tokens`: the most tokens of a prompt; older messages are left out of a longer one."""

    title: Title = ""
    model: ModelReference | None = None
    system_prompt: SystemPrompt | None = None
    prompt_template_id: RowId | None = None
    knowledge_base_id: RowId | None = None
    context_tokens: ContextTokens | None = None


class ConversationChange(RequestModel):
    """Fields that are not given stay as they are."""

    title: Title = unchanged("")
    model: ModelReference | None = unchanged(None)
    system_prompt: SystemPrompt | None = unchanged(None)
    prompt_template_id: RowId | None = unchanged(None)
    knowledge_base_id: RowId | None = unchanged(None)
    context_tokens: ContextTokens | None = unchanged(None)


class ConversationView(ResponseModel):
    """`total_tokens`, `cost`: of all answers, also those of other branches; a cost of null is unknown."""

    id: str
    owner: str
    title: Words
    model: str | None
    system_prompt: Words | None
    prompt_template_id: str | None
    knowledge_base_id: str | None
    context_tokens: int | None
    total_tokens: int
    cost: str | None
    message_count: int
    last_message_at: Moment | None
    created_at: Moment
    updated_at: Moment


_COLUMNS = (
    *("id", "owner", "title", "model", "system_prompt", "prompt_template_id", "knowledge_base_id"),
    *("context_tokens", "total_tokens", "cost", "message_count"),
)


def view_of(row: Conversation) -> ConversationView:
    columns: dict[str, Any] = {name: getattr(row, name) for name in _COLUMNS}
    return ConversationView(
        **columns,
        last_message_at=rfc3339(row.last_message_at) if row.last_message_at else None,
        created_at=rfc3339(row.created_at),
        updated_at=rfc3339(row.updated_at),
    )


async def _check_references(session: AsyncSession, row: Conversation) -> None:
    """Raises Invalid."""
    await _check_knowledge_base(session, row)
    await _check_template(session, row)


async def _check_knowledge_base(session: AsyncSession, row: Conversation) -> None:
    """Of a new choice: the base may be deleted later, and other fields then be changed. Raises Invalid."""
    if row.knowledge_base_id is None or not inspect(row).attrs.knowledge_base_id.history.has_changes():
        return
    is_readable = or_(KnowledgeBase.owner == row.owner, KnowledgeBase.is_public.is_(True))
    found = (KnowledgeBase.id == row.knowledge_base_id, ~KnowledgeBase.is_deleted, is_readable)
    if await session.scalar(select(KnowledgeBase.id).where(*found)) is None:
        raise Invalid.of("knowledge_base_id", "exists", "you have no such knowledge base")


async def _check_template(session: AsyncSession, row: Conversation) -> None:
    """Raises Invalid."""
    if row.prompt_template_id is None:
        return
    if row.system_prompt is not None:
        raise Invalid.of("prompt_template_id", "exclusive", "give either this or system_prompt")
    is_readable = or_(PromptTemplate.owner == row.owner, PromptTemplate.is_public.is_(True))
    found = (PromptTemplate.id == row.prompt_template_id, ~PromptTemplate.is_deleted, is_readable)
    content = await session.scalar(select(PromptTemplate.content).where(*found))
    check_system_template(content)


def check_system_template(content: str | None) -> str:
    """The content of the template of a system prompt; None: there is no such template. Raises Invalid."""
    if content is None:
        raise Invalid.of("prompt_template_id", "exists", "you have no such prompt template")
    if names := variables_of(content):
        message = Phrase(
            "has variables ({names}): a system prompt takes a template without any",
            names=", ".join(names[:5]),
        )
        raise Invalid.of("prompt_template_id", "variables", message)
    return content


CONVERSATIONS: Resource[Conversation, ConversationView] = Resource(
    name="Conversation",
    title="conversation",
    path="/chat/conversations",
    table=Conversation,
    creation=ConversationCreation,
    change=ConversationChange,
    view_model=ConversationView,
    view=view_of,
    before_flush=_check_references,
)
