"""Knowledge bases, their documents and texts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gencode.workspace.tables import UtcDateTime

revision = "0008"
down_revision = "0007"

_NOT_DELETED = sa.text("NOT is_deleted")


def upgrade() -> None:
    _bases()
    _documents()
    op.create_table(
        "knowledge_texts",
        sa.Column("document_id", sa.String(length=36), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("page_starts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("document_id", name=op.f("pk_knowledge_texts")),
    )
    op.create_table(
        "knowledge_removals",
        sa.Column("base_id", sa.String(length=36), nullable=False),
        sa.Column("document_id", sa.String(length=36), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_knowledge_removals")),
    )


def _bases() -> None:
    op.create_table(
        "knowledge_bases",
        sa.Column("description", sa.String(length=1000), nullable=True),
        sa.Column("encoder", sa.String(length=20), nullable=False),
        sa.Column("encoder_config", sa.String(length=80), nullable=True),
        sa.Column("encoder_model", sa.String(length=200), nullable=True),
        sa.Column("encoder_dimensions", sa.Integer(), nullable=True),
        sa.Column("target_encoder", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("active_encoder", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.Column("document_count", sa.Integer(), nullable=False),
        sa.Column("pending_count", sa.Integer(), nullable=False),
        sa.Column("failed_count", sa.Integer(), nullable=False),
        sa.Column("chunk_count", sa.Integer(), nullable=False),
        sa.Column("total_size", sa.BigInteger(), nullable=False),
        sa.Column("indexed_until", UtcDateTime(), nullable=True),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "encoder IN ('none', 'offline', 'model')", name=op.f("ck_knowledge_bases_encoder")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_knowledge_bases")),
    )
    op.create_index(op.f("ix_knowledge_bases_owner"), "knowledge_bases", ["owner"], unique=False)
    _unique("uq_knowledge_bases_name", "knowledge_bases", ["owner", "name"])


def _documents() -> None:
    op.create_table(
        "knowledge_documents",
        sa.Column("base_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("format", sa.String(length=20), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("upload_id", sa.String(length=36), nullable=True),
        sa.Column("characters", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("chunk_count", sa.Integer(), nullable=False),
        sa.Column("processing_status", sa.String(length=20), nullable=False),
        sa.Column("progress", sa.Integer(), nullable=False),
        sa.Column("error_code", sa.String(length=100), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("warnings", sa.JSON(), nullable=False),
        sa.Column("task_id", sa.String(length=36), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "processing_status IN ('pending', 'processing', 'completed', 'failed')",
            name=op.f("ck_knowledge_documents_processing_status"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_knowledge_documents")),
    )
    columns = ["base_id", "created_at", "id"]
    op.create_index("ix_knowledge_documents_base_created", "knowledge_documents", columns, unique=False)
    _unique("uq_knowledge_documents_content", "knowledge_documents", ["base_id", "content_hash"])


def _unique(name: str, table: str, columns: list[str]) -> None:
    """Among the rows that are not deleted."""
    op.create_index(
        name, table, columns, unique=True, sqlite_where=_NOT_DELETED, postgresql_where=_NOT_DELETED
    )
