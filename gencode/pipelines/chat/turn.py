"""The artifact of the kind's stages, and the checkpoint that fixes what the model sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict

from gencode.domain.task import Task
from gencode.engine.ports.pipeline import Checkpoints
from gencode.model_tasks.calls import ModelRun
from gencode.pipelines.chat.prompt import system_text
from gencode.workspace.conversations.messages import NewTurn, TurnIds
from gencode.workspace.conversations.written_text import WrittenText, written_text
from gencode.workspace.knowledge_bases.sources import KnowledgeSource
from gencode.workspace.task_rows import TaskVersion

CONTEXT = "context"
"""A checkpoint, and the event that reports it."""


class Context(BaseModel):
    """messages  the ids of the earlier messages that the model sees
    left_out  how many more the branch has
    tokens    of the prompt, estimated
    sources   passages of the knowledge base
    is_complete  whether all of its documents were searched
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    messages: tuple[str, ...]
    left_out: int
    tokens: int
    sources: tuple[KnowledgeSource, ...] = ()
    is_complete: bool = True

    def shown(self) -> dict[str, Any]:
        """For the result of the task, and the message."""
        return {
            "left_out": self.left_out,
            "tokens": self.tokens,
            "sources": len(self.sources),
            "is_complete": self.is_complete,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """system          the system message
    context_tokens  the most tokens of a prompt
    written         the text of the answer so far
    result          of the task so far
    """

    new: NewTurn
    system: str
    context_tokens: int
    knowledge_base_id: str | None
    run: ModelRun
    context: Context | None
    written: WrittenText
    result: Mapping[str, Any] = field(default_factory=dict)


def ids_of(task: Task) -> TurnIds:
    """Of what the task writes."""
    parameters = task.parameters
    return TurnIds.of(task.id, parameters.get("conversation_id"), parameters.get("question_id"))


def restored(task: Task, request: Mapping[str, Any], checkpoints: Checkpoints) -> Turn:
    stored = checkpoints.get(CONTEXT)
    return Turn(
        new=NewTurn(
            ids=ids_of(task),
            owner=task.principal.id,
            task=TaskVersion.of(task),
            question=None if request["question_id"] else str(request["content"]),
            parent_id=request["parent_id"],
            prompt_template_id=request["prompt_template_id"],
            model=str(request["model"]),
            is_new=request["conversation_id"] is None,
        ),
        system=system_text(request["system"]),
        context_tokens=int(request["context_tokens"]),
        knowledge_base_id=request.get("knowledge_base_id"),
        run=ModelRun.of(task, request, checkpoints),
        context=Context.model_validate_json(stored) if stored else None,
        written=written_text(checkpoints),
        result=task.result,
    )
