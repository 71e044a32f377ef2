"""Files of Git repositories in knowledge bases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gencode.workspace.tables import POSTGRES_SCHEMA

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    # Alembic does not translate the schema of a table that it alters.
    schema = POSTGRES_SCHEMA if op.get_bind().dialect.name == "postgresql" else None
    for name, length in (("repository_id", 36), ("commit_id", 64)):
        column = sa.Column(name, sa.String(length=length), nullable=True)
        op.add_column("knowledge_documents", column, schema=schema)
