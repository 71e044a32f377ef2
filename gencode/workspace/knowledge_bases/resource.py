"""The resource of knowledge bases: bodies, view, rules."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, StringConstraints
from sqlalchemy import ColumnElement

from gencode.domain.task import rfc3339
from gencode.http.base_models import Moment, RequestModel, ResponseModel
from gencode.workspace.knowledge_bases.encoder_spec import EncoderKind, choose_encoder
from gencode.workspace.knowledge_bases.tables import KnowledgeBase
from gencode.workspace.model_configs.resource import ModelId
from gencode.workspace.resources.declaration import Resource
from gencode.workspace.resources.models import PRINTABLE, unchanged

Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=PRINTABLE)]
Description = Annotated[str, StringConstraints(max_length=1000, pattern=r"^[^\x00]*$")]
ConfigReference = Annotated[
    str,
    StringConstraints(pattern=r"^config/[0-9a-f-]{36}$"),
    Field(description="A model config, as its `reference` says"),
]
Dimensions = Annotated[
    int, Field(ge=1, le=8192, description="The API is asked for vectors of this length; null: its own length")
]


class EncoderStatus(StrEnum):
    NONE = "none"
    BUILDING = "building"
    """Searches use the encoder before it, or the text only."""
    ACTIVE = "active"


class KnowledgeBaseCreation(RequestModel):
    name: Name
    description: Description | None = None
    encoder: EncoderKind = Field(EncoderKind.NONE, strict=False)
    encoder_config: ConfigReference | None = None
    encoder_model: ModelId | None = None
    encoder_dimensions: Dimensions | None = None
    is_public: bool = False


class KnowledgeBaseChange(RequestModel):
    """Fields that are not given stay as they are."""

    name: Name = unchanged("")
    description: Description | None = unchanged(None)
    encoder: EncoderKind = unchanged(EncoderKind.NONE, is_enum=True)
    encoder_config: ConfigReference | None = unchanged(None)
    encoder_model: ModelId | None = unchanged(None)
    encoder_dimensions: Dimensions | None = unchanged(None)
    is_public: bool = unchanged(False)


class KnowledgeBaseView(ResponseModel):
    """document_count  of the documents, whatever their status; pending_count, failed_count: of those that
                    are not indexed yet, and of those that could not be
    total_size      bytes of the documents
    indexed_until   the documents that were added up to this moment are indexed, or have failed
    is_complete     whether all documents are indexed
    """

    id: str
    owner: str
    name: str
    description: str | None
    encoder: EncoderKind
    encoder_config: str | None
    encoder_model: str | None
    encoder_dimensions: int | None
    encoder_status: EncoderStatus
    is_public: bool
    document_count: int
    pending_count: int
    failed_count: int
    chunk_count: int
    total_size: int
    indexed_until: Moment | None
    is_complete: bool
    created_at: Moment
    updated_at: Moment


_COLUMNS = (
    *("id", "owner", "name", "description", "encoder_config", "encoder_model", "encoder_dimensions"),
    *("is_public", "document_count", "pending_count", "failed_count", "chunk_count", "total_size"),
)


def view_of(row: KnowledgeBase) -> KnowledgeBaseView:
    columns: dict[str, Any] = {name: getattr(row, name) for name in _COLUMNS}
    return KnowledgeBaseView(
        **columns,
        encoder=EncoderKind(row.encoder),
        encoder_status=encoder_status(row),
        indexed_until=rfc3339(row.indexed_until) if row.indexed_until else None,
        is_complete=row.pending_count + row.failed_count == 0,
        created_at=rfc3339(row.created_at),
        updated_at=rfc3339(row.updated_at),
    )


def encoder_status(row: KnowledgeBase) -> EncoderStatus:
    if row.target_encoder is None:
        return EncoderStatus.NONE
    is_active = (row.active_encoder or {}).get("id") == row.target_encoder["id"]
    return EncoderStatus.ACTIVE if is_active else EncoderStatus.BUILDING


def _is_public() -> ColumnElement[bool]:
    return KnowledgeBase.is_public.is_(True)


KNOWLEDGE_BASES: Resource[KnowledgeBase, KnowledgeBaseView] = Resource(
    name="KnowledgeBase",
    title="knowledge base",
    path="/knowledge/bases",
    table=KnowledgeBase,
    creation=KnowledgeBaseCreation,
    change=KnowledgeBaseChange,
    view_model=KnowledgeBaseView,
    view=view_of,
    taken={"uq_knowledge_bases_name": "name"},
    before_flush=choose_encoder,
    is_shared=_is_public,
)
