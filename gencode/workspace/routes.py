"""All operations of the workspace."""

from __future__ import annotations

from gencode.workspace.audit.routes import list_audit_log
from gencode.workspace.git_credentials.resource import GIT_CREDENTIALS
from gencode.workspace.identity.auth_routes import OWN_OPERATIONS, PUBLIC_OPERATIONS
from gencode.workspace.identity.user_routes import ADMIN_OPERATIONS
from gencode.workspace.knowledge_bases.routes import KNOWLEDGE_OPERATIONS
from gencode.workspace.model_configs.routes import MODEL_CONFIG_OPERATIONS
from gencode.workspace.permissions import guarded
from gencode.workspace.prompt_templates.routes import PROMPT_TEMPLATE_OPERATIONS
from gencode.workspace.requirement_documents.routes import REQUIREMENT_OPERATIONS
from gencode.workspace.resources.routes import operations_of
from gencode.workspace.system_log.routes import list_system_log

GUARDED_OPERATIONS = guarded(
    (
        *OWN_OPERATIONS,
        *ADMIN_OPERATIONS,
        list_audit_log,
        list_system_log,
        *MODEL_CONFIG_OPERATIONS,
        *operations_of(GIT_CREDENTIALS),
        *KNOWLEDGE_OPERATIONS,
        *PROMPT_TEMPLATE_OPERATIONS,
        *REQUIREMENT_OPERATIONS,
    )
)
"""For principals whom the table of permissions allows."""
OPERATIONS = (*PUBLIC_OPERATIONS, *GUARDED_OPERATIONS)
"""Below the API."""
