"""What Alembic runs for each command; see `upgrade`."""

from __future__ import annotations

from alembic import context

import gencode.workspace.audit.tables
import gencode.workspace.identity.tables
import gencode.workspace.prompt_templates.resource
import gencode.workspace.requirement_documents.table
import gencode.workspace.uploads.table  # noqa: F401 - these tables are compared with the database
from gencode.workspace.migrations.upgrade import CONNECTION
from gencode.workspace.tables import POSTGRES_SCHEMA, Base

connection = context.config.attributes[CONNECTION]
schema = POSTGRES_SCHEMA if connection.dialect.name == "postgresql" else None
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    version_table_schema=schema,
    render_as_batch=True,
    transactional_ddl=False,  # the caller has the transaction
)
context.run_migrations()
