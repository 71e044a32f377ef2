"""All operations of the workspace."""

from __future__ import annotations

import gencode.workspace.builds.tables  # noqa: F401 - the kind `build` has the routes of this table
from gencode.workspace.audit.routes import list_audit_log
from gencode.workspace.blueprints.routes import BLUEPRINT_OPERATIONS
from gencode.workspace.code_diffs.routes import CODE_DIFF_OPERATIONS
from gencode.workspace.conversations.routes import CONVERSATION_OPERATIONS
from gencode.workspace.deployments.routes import DEPLOYMENT_OPERATIONS
from gencode.workspace.git_credentials.routes import GIT_CREDENTIAL_OPERATIONS
from gencode.workspace.identity.auth_routes import OWN_OPERATIONS, PUBLIC_OPERATIONS
from gencode.workspace.identity.user_routes import ADMIN_OPERATIONS
from gencode.workspace.knowledge_bases.routes import KNOWLEDGE_OPERATIONS
from gencode.workspace.model_configs.routes import MODEL_CONFIG_OPERATIONS
from gencode.workspace.permissions import guarded
from gencode.workspace.plans.routes import PLAN_OPERATIONS
from gencode.workspace.projects.routes import PROJECT_OPERATIONS
from gencode.workspace.prompt_templates.routes import PROMPT_TEMPLATE_OPERATIONS
from gencode.workspace.repositories.routes import REPOSITORY_OPERATIONS
from gencode.workspace.requirement_documents.routes import REQUIREMENT_OPERATIONS
from gencode.workspace.reviews.routes import REVIEW_OPERATIONS
from gencode.workspace.system_log.routes import list_system_log
from gencode.workspace.teams.routes import TEAM_OPERATIONS
from gencode.workspace.templates.content_routes import TEMPLATE_CONTENT_OPERATIONS
from gencode.workspace.templates.routes import TEMPLATE_OPERATIONS
from gencode.workspace.usage.routes import get_usage

GUARDED_OPERATIONS = guarded(
    (
        *OWN_OPERATIONS,
        *ADMIN_OPERATIONS,
        list_audit_log,
        list_system_log,
        *GIT_CREDENTIAL_OPERATIONS,
        *REPOSITORY_OPERATIONS,
        *CODE_DIFF_OPERATIONS,
        *MODEL_CONFIG_OPERATIONS,
        get_usage,
        *KNOWLEDGE_OPERATIONS,
        *PROMPT_TEMPLATE_OPERATIONS,
        *CONVERSATION_OPERATIONS,
        *REQUIREMENT_OPERATIONS,
        *REVIEW_OPERATIONS,
        *TEAM_OPERATIONS,
        *PROJECT_OPERATIONS,
        *PLAN_OPERATIONS,
        *BLUEPRINT_OPERATIONS,
        *DEPLOYMENT_OPERATIONS,
        *TEMPLATE_OPERATIONS,
        *TEMPLATE_CONTENT_OPERATIONS,
    )
)
"""For principals whom the table of permissions allows."""
OPERATIONS = (*PUBLIC_OPERATIONS, *GUARDED_OPERATIONS)
"""Below the API."""
