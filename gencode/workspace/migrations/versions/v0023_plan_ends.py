"""The last days of plans."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gencode.workspace.tables import POSTGRES_SCHEMA

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    # Alembic does not translate the schema of a table that it alters.
    schema = POSTGRES_SCHEMA if op.get_bind().dialect.name == "postgresql" else None
    for table in ("users", "teams"):
        last_day = sa.Column("subscription_ends_on", sa.String(length=10), nullable=True)
        op.add_column(table, last_day, schema=schema)
