"""From a request to the task that is stored: which branch, which text, which model, how long a prompt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gencode.domain.errors import Invalid, NotFound
from gencode.domain.phrase import Phrase
from gencode.domain.task import PENDING
from gencode.http.kind_dependencies import ChooseModel
from gencode.http.kinds import PreparedTask, Submitter
from gencode.model_tasks.request import choose_model, stored_request
from gencode.pipelines.chat.prompt import system_text, tokens_of
from gencode.pipelines.chat.request import ChatRequest
from gencode.pipelines.chat.texts import MESSAGES
from gencode.workspace.conversations.branches import MAX_MESSAGES, MessageReader, MessageTree
from gencode.workspace.conversations.messages import BUSY
from gencode.workspace.conversations.resource import CONVERSATIONS, check_system_template
from gencode.workspace.conversations.settlement import Settlement
from gencode.workspace.conversations.tables import Conversation, MessageRole
from gencode.workspace.conversations.titles import title_of
from gencode.workspace.errors import ConversationBusy
from gencode.workspace.knowledge_bases.knowledge import KnowledgeBases
from gencode.workspace.prompt_templates.placeholders import render, variables_of
from gencode.workspace.prompt_templates.resource import PROMPT_TEMPLATES

CONTENT = "content"
_PARAMETERS = ("conversation_id", "question_id", "max_tokens", "max_cost", "deadline")
_RESUBMITTED = ("conversation_id", "content", "replaces", "regenerates", "model")


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where the turn begins. question_id  of the message that is answered again, with its text"""

    parent_id: str | None = None
    question_id: str | None = None
    content: str = ""


class Preparation:
    """`context_tokens`: the most tokens of a prompt, unless the conversation has a limit of its own."""

    def __init__(
        self, knowledge: KnowledgeBases, settlement: Settlement, choose: ChooseModel, context_tokens: int
    ) -> None:
        self._knowledge = knowledge
        self._workspace = knowledge.workspace
        self._reader = MessageReader(knowledge.workspace.database)
        self._settlement = settlement
        self._choose = choose
        self._context_tokens = context_tokens

    async def __call__(self, request: ChatRequest, submitter: Submitter) -> PreparedTask:
        """Raises Invalid, NotFound, ConversationBusy."""
        _check_purpose(request)
        principal = submitter.principal.id
        conversation = await self._conversation(request, principal)
        place = await self._place(request, conversation)
        content = place.content or await self._content(request, principal)
        given = await self._system(conversation, principal)
        base_id = await self._base(conversation, principal)
        limit = (conversation.context_tokens if conversation else None) or self._context_tokens
        _check_fits(system_text(given), content, limit)
        model = conversation.model if conversation and request.model is None else request.model
        chosen = await choose_model(request.model_copy(update={"model": model}), submitter, self._choose)
        stored = {
            **stored_request(request),
            "content": content,
            "parent_id": place.parent_id,
            "question_id": place.question_id,
            "prompt_template_id": request.template_id,
            "system": given,
            "knowledge_base_id": base_id,
            "context_tokens": limit,
            **chosen.parameters(),
        }
        parameters = {name: stored[name] for name in _PARAMETERS}
        return PreparedTask(
            request=stored,
            parameters={**parameters, "title": title_of(content), **chosen.parameters()},
            message=MESSAGES[PENDING][submitter.language],
        )

    async def _conversation(self, request: ChatRequest, principal: str) -> Conversation | None:
        if request.conversation_id is None:
            return None
        row = await self._workspace.resource(CONVERSATIONS).get(request.conversation_id, principal)
        if await self._settlement.settle(principal, row.id):
            raise ConversationBusy(BUSY)
        return await self._workspace.resource(CONVERSATIONS).get(request.conversation_id, principal)

    async def _place(self, request: ChatRequest, conversation: Conversation | None) -> Place:
        if conversation is None:
            return Place()
        if conversation.message_count >= MAX_MESSAGES:
            message = Phrase(
                "the conversation has {max_messages} messages: begin another one", max_messages=MAX_MESSAGES
            )
            raise Invalid.of("conversation_id", "too_long", message)
        if request.regenerates:
            return await self._answered_again(request.regenerates, conversation)
        if request.replaces:
            tree = await self._reader.tree(conversation.id)
            return Place(parent_id=_parent(tree, "replaces", request.replaces, MessageRole.USER))
        return Place(parent_id=conversation.leaf_id)

    async def _answered_again(self, answer_id: str, conversation: Conversation) -> Place:
        tree = await self._reader.tree(conversation.id)
        question_id = _parent(tree, "regenerates", answer_id, MessageRole.ASSISTANT) or ""
        (question,) = await self._reader.messages([question_id])
        return Place(parent_id=question.parent_id, question_id=question_id, content=question.content)

    async def _content(self, request: ChatRequest, principal: str) -> str:
        if request.template_id is None:
            if request.variables:
                raise Invalid.of("variables", "template", "need a template_id")
            return request.content
        template = await self._template("template_id", request.template_id, principal)
        values, follows = dict(request.variables), request.content
        if CONTENT in variables_of(template) and CONTENT not in values:
            values[CONTENT], follows = request.content, ""
        rendered = render(template, values)
        return f"{rendered}\n\n{follows}" if follows.strip() else rendered

    async def _system(self, conversation: Conversation | None, principal: str) -> str | None:
        if conversation is None or conversation.prompt_template_id is None:
            return conversation.system_prompt if conversation else None
        content = await self._template("prompt_template_id", conversation.prompt_template_id, principal)
        return check_system_template(content)

    async def _base(self, conversation: Conversation | None, principal: str) -> str | None:
        if conversation is None or conversation.knowledge_base_id is None:
            return None
        try:
            return (await self._knowledge.base(conversation.knowledge_base_id, principal)).id
        except NotFound:
            raise Invalid.of("knowledge_base_id", "exists", "you have no such knowledge base") from None

    async def _template(self, field: str, template_id: str, principal: str) -> str:
        try:
            return (await self._workspace.resource(PROMPT_TEMPLATES).get(template_id, principal)).content
        except NotFound:
            raise Invalid.of(field, "exists", "you have no such prompt template") from None


def _check_purpose(request: ChatRequest) -> None:
    """Raises Invalid."""
    if (request.regenerates or request.replaces) and not request.conversation_id:
        raise Invalid.of("conversation_id", "missing", "is needed with regenerates and replaces")
    if request.regenerates and (request.content or request.template_id or request.replaces):
        raise Invalid.of("regenerates", "exclusive", "takes no message")
    if not request.regenerates and not request.template_id and not request.content.strip():
        raise Invalid.of("content", "blank", "may not be blank")


def _parent(tree: MessageTree, field: str, message_id: str, role: MessageRole) -> str | None:
    node = tree.node(message_id)
    if node.role != role.value:
        raise Invalid.of(field, "role", Phrase("must be a message with the role {value}", value=role.value))
    return node.parent_id


def _check_fits(system: str, content: str, limit: int) -> None:
    if not content.strip():
        raise Invalid.of("content", "blank", "may not be blank")
    if (needed := tokens_of(system) + tokens_of(content)) > limit:
        message = Phrase(
            "has about {needed} tokens with the system prompt; a prompt may have {limit}",
            needed=needed,
            limit=limit,
        )
        raise Invalid.of("content", "too_long", message)


def submitted(stored: Mapping[str, Any]) -> Mapping[str, Any]:
    """The body that sends the same message again."""
    body = {name: stored.get(name) for name in (*_RESUBMITTED, "max_tokens", "max_cost", "deadline")}
    return {**body, "content": ""} if body["regenerates"] else body
