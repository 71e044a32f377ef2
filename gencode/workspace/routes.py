"""All operations of the workspace."""

from __future__ import annotations

from gencode.workspace.audit.routes import list_audit_log
from gencode.workspace.conversations.routes import CONVERSATION_OPERATIONS
from gencode.workspace.git_credentials.resource import GIT_CREDENTIALS
from gencode.workspace.identity.auth_routes import OWN_OPERATIONS, PUBLIC_OPERATIONS
from gencode.workspace.identity.user_routes import ADMIN_OPERATIONS
from gencode.workspace.model_configs.resource import MODEL_CONFIGS
from gencode.workspace.permissions import guarded
from gencode.workspace.prompt_templates.routes import PROMPT_TEMPLATE_OPERATIONS
from gencode.workspace.resources.routes import operations_of
from gencode.workspace.system_log.routes import list_system_log

GUARDED_OPERATIONS = guarded(
    (
        *OWN_OPERATIONS,
        *ADMIN_OPERATIONS,
        list_audit_log,
        list_system_log,
        *operations_of(MODEL_CONFIGS),
        *operations_of(GIT_CREDENTIALS),
        *PROMPT_TEMPLATE_OPERATIONS,
        *CONVERSATION_OPERATIONS,
    )
)
"""For principals whom the table of permissions allows."""
OPERATIONS = (*PUBLIC_OPERATIONS, *GUARDED_OPERATIONS)
"""Below the API."""
