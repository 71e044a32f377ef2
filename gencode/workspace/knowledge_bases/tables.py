"""The tables of knowledge bases. Their chunks and vectors are in the index, see `gencode.retrieval`."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from gencode.workspace.resources.declaration import OwnedRow
from gencode.workspace.tables import NOT_DELETED, Base, Row, SoftDeleted


class ProcessingStatus(StrEnum):
    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"


class DocumentSource(StrEnum):
    TEXT = "text"
    UPLOAD = "upload"
    REPOSITORY = "repository"
    """A file of a Git repository; its name is its path."""


class DocumentFormat(StrEnum):
    """How a text is split into chunks."""

    TEXT = "text"
    MARKDOWN = "markdown"


def _one_of(column: str, values: type[StrEnum]) -> str:
    return f"{column} IN ({', '.join(repr(value.value) for value in values)})"


class KnowledgeBase(OwnedRow):
    """encoder            what the owner has chosen: none, offline, model
    encoder_config     the model config whose API encodes
    encoder_model      the model's id there; null: the one of the config
    encoder_dimensions of its vectors; null: those of its first answer
    target_encoder     the EncoderSpec of that choice; null for none
    active_encoder     the EncoderSpec of the vectors that searches use; null for none
    document_count     of the documents, whatever their status; total_size: their bytes
    indexed_until      the documents that were added up to this moment are indexed, or have failed
    """

    __tablename__ = "knowledge_bases"

    description: Mapped[str | None] = mapped_column(String(1000))
    encoder: Mapped[str] = mapped_column(String(20), default="none")
    encoder_config: Mapped[str | None] = mapped_column(String(80))
    encoder_model: Mapped[str | None] = mapped_column(String(200))
    encoder_dimensions: Mapped[int | None]
    target_encoder: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    active_encoder: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    is_public: Mapped[bool] = mapped_column(default=False)
    document_count: Mapped[int] = mapped_column(default=0)
    pending_count: Mapped[int] = mapped_column(default=0)
    failed_count: Mapped[int] = mapped_column(default=0)
    chunk_count: Mapped[int] = mapped_column(default=0)
    total_size: Mapped[int] = mapped_column(BigInteger, default=0)
    indexed_until: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("encoder IN ('none', 'offline', 'model')", name="encoder"),
        Index(
            "uq_knowledge_bases_name",
            "owner",
            "name",
            unique=True,
            sqlite_where=NOT_DELETED,
            postgresql_where=NOT_DELETED,
        ),
    )


class KnowledgeDocument(Row, SoftDeleted, Base):
    """content_hash  the SHA-256 of its bytes, hexadecimal
    size          bytes
    upload_id     of a document that was uploaded: where its file is
    task_id       the task that indexes it, or has done so; task_version: see TaskRows
    progress      percent
    repository_id of a file of a repository; commit_id: the newest indexed commit that has it
    warnings      what its text lacks: {"en": ..., "zh": ...}
    """

    __tablename__ = "knowledge_documents"

    base_id: Mapped[str] = mapped_column(String(36))
    name: Mapped[str] = mapped_column(String(255))
    source: Mapped[str] = mapped_column(String(20))
    format: Mapped[str] = mapped_column(String(20))
    size: Mapped[int] = mapped_column(BigInteger)
    content_hash: Mapped[str] = mapped_column(String(64))
    upload_id: Mapped[str | None] = mapped_column(String(36))
    characters: Mapped[int] = mapped_column(default=0)
    pages: Mapped[int] = mapped_column(default=0)
    chunk_count: Mapped[int] = mapped_column(default=0)
    processing_status: Mapped[str] = mapped_column(String(20), default=ProcessingStatus.PENDING.value)
    progress: Mapped[int] = mapped_column(default=0)
    error_code: Mapped[str | None] = mapped_column(String(100))
    error_message: Mapped[str | None] = mapped_column(Text)
    warnings: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)
    task_id: Mapped[str | None] = mapped_column(String(36))
    task_version: Mapped[int] = mapped_column(default=0)
    repository_id: Mapped[str | None] = mapped_column(String(36))
    commit_id: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (
        CheckConstraint(_one_of("processing_status", ProcessingStatus), name="processing_status"),
        Index("ix_knowledge_documents_base_created", "base_id", "created_at", "id"),
        Index(
            "uq_knowledge_documents_content",
            "base_id",
            "content_hash",
            unique=True,
            sqlite_where=NOT_DELETED,
            postgresql_where=NOT_DELETED,
        ),
    )


class KnowledgeText(Base):
    """The text of a document, from which its chunks can be made again.

    page_starts  offsets of its pages, as JSON; empty: it has none
    """

    __tablename__ = "knowledge_texts"

    document_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    page_starts: Mapped[list[int]] = mapped_column(JSON, default=list)


class KnowledgeRemoval(Row, Base):
    """What the index is to forget: it is stored with the deletion, and deleted when the index has done it.

    document_id  null: the whole base
    """

    __tablename__ = "knowledge_removals"

    base_id: Mapped[str] = mapped_column(String(36))
    document_id: Mapped[str | None] = mapped_column(String(36))
