"""The version of the task that a row knows (see gencode.workspace.task_rows)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gencode.workspace.tables import POSTGRES_SCHEMA

revision = "0015"
down_revision = "0014"

_COLUMNS = {
    "code_diffs": "task_version",
    "git_repositories": "sync_task_version",
    "requirement_documents": "parse_task_version",
    "knowledge_documents": "task_version",
    "chat_messages": "task_version",
}


def upgrade() -> None:
    # Alembic does not translate the schema of a table that it alters.
    schema = POSTGRES_SCHEMA if op.get_bind().dialect.name == "postgresql" else None
    for table, name in _COLUMNS.items():
        column = sa.Column(name, sa.Integer(), nullable=False, server_default="0")
        op.add_column(table, column, schema=schema)
