"""Files of Git repositories in knowledge bases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.add_column("knowledge_documents", sa.Column("repository_id", sa.String(length=36), nullable=True))
    op.add_column("knowledge_documents", sa.Column("commit_id", sa.String(length=64), nullable=True))
