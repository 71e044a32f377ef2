"""Model configs, and the calls of models."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gencode.workspace.tables import UtcDateTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    _model_configs()
    _model_calls()


def _model_configs() -> None:
    op.create_table(
        "model_configs",
        sa.Column("provider", sa.String(length=20), nullable=False),
        sa.Column("base_url", sa.String(length=1000), nullable=True),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("api_key_encrypted", sa.Text(), nullable=True),
        sa.Column("max_tokens", sa.Integer(), nullable=True),
        sa.Column("temperature", sa.Double(), nullable=True),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("price_prompt", sa.String(length=40), nullable=True),
        sa.Column("price_completion", sa.String(length=40), nullable=True),
        sa.Column("price_cached", sa.String(length=40), nullable=True),
        sa.Column("monthly_token_limit", sa.BigInteger(), nullable=True),
        sa.Column("monthly_cost_limit", sa.String(length=40), nullable=True),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "provider IN ('openai', 'deepseek', 'spark', 'doubao', 'gemini', 'claude', 'compatible')",
            name=op.f("ck_model_configs_provider"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_configs")),
    )
    op.create_index(op.f("ix_model_configs_owner"), "model_configs", ["owner"], unique=False)
    op.create_index(
        "uq_model_configs_default",
        "model_configs",
        ["owner"],
        unique=True,
        sqlite_where=sa.text("is_default AND NOT is_deleted"),
        postgresql_where=sa.text("is_default AND NOT is_deleted"),
    )


def _model_calls() -> None:
    op.create_table(
        "model_calls",
        sa.Column("task_id", sa.String(length=36), nullable=False),
        sa.Column("call", sa.String(length=600), nullable=False),
        sa.Column("kind", sa.String(length=100), nullable=False),
        sa.Column("principal", sa.String(length=200), nullable=False),
        sa.Column("model", sa.String(length=300), nullable=False),
        sa.Column("config_id", sa.String(length=36), nullable=True),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("prompt_tokens", sa.Integer(), nullable=False),
        sa.Column("completion_tokens", sa.Integer(), nullable=False),
        sa.Column("cached_tokens", sa.Integer(), nullable=False),
        sa.Column("cost", sa.String(length=40), nullable=True),
        sa.Column("is_estimated", sa.Boolean(), nullable=False),
        sa.Column("is_settled", sa.Boolean(), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_calls")),
    )
    op.create_index("ix_model_calls_config_month", "model_calls", ["config_id", "month"], unique=False)
    op.create_index("ix_model_calls_principal_month", "model_calls", ["principal", "month"], unique=False)
    op.create_index("uq_model_calls_call", "model_calls", ["task_id", "call"], unique=True)
