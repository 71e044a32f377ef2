"""The registration of the kind `chat`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from pydantic import BaseModel, Field

from gencode.domain.errors import CrashLoop, Internal, NotFound, SecretFound, TaskTimeout
from gencode.domain.task import Task
from gencode.http.kind_dependencies import KindDependencies, KindFactory
from gencode.http.kinds import Kind, KindRuntime, Submission
from gencode.llm.errors import (
    BudgetExceeded,
    LimitReached,
    LLMAuth,
    LLMBadOutput,
    LLMBadRequest,
    LLMBalance,
    LLMIncomplete,
    LLMNetwork,
    LLMQuota,
    LLMRateLimit,
    LLMRefused,
    LLMTimeout,
    LLMTooLarge,
    LLMUnavailable,
    ProviderError,
)
from gencode.model_tasks.request import LimitsRetry, limits_changes
from gencode.pipelines.chat.answering import Answering
from gencode.pipelines.chat.api import answer_again, send_message
from gencode.pipelines.chat.collecting import Collecting
from gencode.pipelines.chat.delivering import Delivering
from gencode.pipelines.chat.opening import Claim, Opening
from gencode.pipelines.chat.pipeline import Chat
from gencode.pipelines.chat.preparation import Preparation, submitted
from gencode.pipelines.chat.request import ChatRequest
from gencode.pipelines.chat.texts import ANSWERING, NAME, STAGE_TITLES, TITLE
from gencode.pipelines.chat.tools import answer_tool
from gencode.pipelines.chat.turn import ids_of
from gencode.workspace.conversations.settlement import Settlement
from gencode.workspace.errors import ConversationBusy
from gencode.workspace.knowledge_bases.knowledge import KnowledgeBases


class ChatTaskFields(BaseModel, defer_build=True):
    """Fields of a task's JSON that only this kind has."""

    conversation_id: str | None = None
    user_message_id: str | None = None
    assistant_message_id: str | None = Field(None, description="Of the answer")


def task_fields(task: Task) -> Mapping[str, Any]:
    ids = ids_of(task)
    return {
        "model": task.parameters.get("model"),
        "conversation_id": ids.conversation_id,
        "user_message_id": ids.question_id,
        "assistant_message_id": ids.answer_id,
    }


KIND = Kind(
    name=NAME,
    title=TITLE,
    stage_titles=STAGE_TITLES,
    request_model=ChatRequest,
    submission=Submission(
        path="/pipelines/chat",
        operation_id="chat",
        summary="Send a message to a conversation, or begin one",
        tool_title="Send a message to a conversation",
        tool_description=(
            "Send a message to a conversation, or begin one (without conversation_id). Answers at once with "
            "a task_id; read the answer with the tool answer."
        ),
    ),
    view_model=ChatTaskFields,
    retry_model=LimitsRetry,
    errors=(
        *(ProviderError, LLMBadRequest, LLMAuth, LLMBalance, LLMQuota, LimitReached, LLMRefused),
        *(LLMTooLarge, LLMRateLimit, LLMUnavailable, LLMNetwork, LLMTimeout, LLMIncomplete, LLMBadOutput),
        *(ConversationBusy, NotFound, BudgetExceeded, SecretFound, TaskTimeout, CrashLoop, Internal),
    ),
    event_names=("context", "text", "citations", "usage", "retry", "failover", "resumed"),
    milestones=(ANSWERING,),
    operations=(send_message, answer_again),
)


def start(dependencies: KindDependencies) -> KindRuntime:
    knowledge, settings = dependencies.extension(KnowledgeBases), dependencies.settings
    database, tasks = knowledge.workspace.database, dependencies.store
    opening = Opening(database, tasks)
    pipeline = Chat(
        Collecting(knowledge, opening),
        Answering(database, opening, dependencies.sessions, settings.max_output_tokens),
        Delivering(knowledge),
        dependencies.price,
    )
    prepare = Preparation(
        knowledge, Settlement(database, tasks), dependencies.choose_model, settings.chat_context_tokens
    )
    return KindRuntime(
        pipeline=pipeline,
        prepare=prepare,
        view=task_fields,
        label=lambda task: str(task.parameters.get("title")),
        submitted=submitted,
        services=Claim(opening, tasks),
        tools=(answer_tool(database, tasks),),
        retry_changes=partial(limits_changes, dependencies.price),
    )


CHAT = KindFactory(kind=KIND, start=start)
