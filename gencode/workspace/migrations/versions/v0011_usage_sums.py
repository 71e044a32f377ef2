"""Costs of model calls as integers, which are summed exactly, and indexes for their sums."""

from __future__ import annotations

from decimal import Decimal

import sqlalchemy as sa
from alembic import op

from gencode.workspace.tables import POSTGRES_SCHEMA
from gencode.workspace.usage.costs import cost_parts

revision = "0011"
down_revision = "0010"

_CALLS = sa.Table(
    "model_calls",
    sa.MetaData(),
    sa.Column("id", sa.String),
    sa.Column("cost", sa.String),
    sa.Column("cost_micro", sa.BigInteger),
    sa.Column("cost_rest", sa.BigInteger),
)


def upgrade() -> None:
    connection = op.get_bind()
    # Alembic does not translate the schema of a table that it alters.
    schema = POSTGRES_SCHEMA if connection.dialect.name == "postgresql" else None
    for name in ("cost_micro", "cost_rest"):
        op.add_column("model_calls", sa.Column(name, sa.BigInteger(), nullable=True), schema=schema)
    priced = sa.select(_CALLS.c.id, _CALLS.c.cost).where(_CALLS.c.cost.is_not(None))
    for call_id, cost in connection.execute(priced).all():
        millionths, rest = cost_parts(Decimal(cost))
        of_call = sa.update(_CALLS).where(_CALLS.c.id == call_id)
        connection.execute(of_call.values(cost_micro=millionths, cost_rest=rest))
    op.drop_index("ix_model_calls_config_month", table_name="model_calls")
    summed = ["config_id", "month", "prompt_tokens", "completion_tokens", "cost_micro", "cost_rest"]
    op.create_index("ix_model_calls_config_use", "model_calls", summed, unique=False)
    op.create_index("ix_model_calls_month", "model_calls", ["month"], unique=False)
