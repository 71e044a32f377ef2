"""What POST /api/v1/knowledge/index takes, and what a task of it shows."""

from __future__ import annotations

from pydantic import BaseModel, Field

from gencode.model_tasks.request import Deadline, Money, Tokens
from gencode.workspace.knowledge_bases.requests import IndexRequest


class IndexTaskRequest(IndexRequest):
    """max_tokens, max_cost, deadline  limits of what an encoder whose API is paid for may use"""

    max_tokens: Tokens | None = None
    max_cost: Money | None = None
    deadline: Deadline | None = None


class IndexTaskFields(BaseModel):
    """Fields of a task's JSON that only tasks of this kind have."""

    knowledge_base_id: str | None = None
    knowledge_base_name: str | None = None
    knowledge_document_id: str | None = Field(None, description="Null: the whole base")
    knowledge_document_name: str | None = None
    repository_id: str | None = None
    commit: str | None = None
    file_count: int | None = Field(None, description="Files of the repository")
    excluded_counts: dict[str, int] | None = Field(None, description="Files that are left out, by reason")
    chunk_count: int | None = Field(None, description="Chunks that the task has put into the index")
