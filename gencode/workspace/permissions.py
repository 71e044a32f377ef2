"""Who may call which operation of the workspace: one table, which the routes enforce and the tests read.

Operations with OWN concern nothing but the caller's account. Resources belong to their owners, or to a
project or a team, whose roles are in the column `team`: the stores enforce it, since it depends on the row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from gencode.domain.errors import Forbidden
from gencode.domain.phrase import Phrase
from gencode.domain.principal import Principal, PrincipalKind
from gencode.http.dependencies import get_principal
from gencode.http.operation import Operation
from gencode.workspace.blueprints.resource import BLUEPRINTS
from gencode.workspace.code_diffs.resource import CODE_DIFFS
from gencode.workspace.conversations.resource import CONVERSATIONS
from gencode.workspace.deployments.resource import DEPLOYMENTS
from gencode.workspace.git_credentials.resource import GIT_CREDENTIALS
from gencode.workspace.identity.tables import UserRole
from gencode.workspace.knowledge_bases.resource import KNOWLEDGE_BASES
from gencode.workspace.model_configs.resource import MODEL_CONFIGS
from gencode.workspace.prompt_templates.resource import PROMPT_TEMPLATES
from gencode.workspace.repositories.resource import GIT_REPOSITORIES
from gencode.workspace.requirement_documents.resource import REQUIREMENT_DOCUMENTS
from gencode.workspace.resources.declaration import Resource
from gencode.workspace.teams.roles import READ_CONTENT, TEAM_ROLES, WRITE_CONTENT, TeamRole
from gencode.workspace.templates.resource import TEMPLATE_SETS


@dataclass(frozen=True, kw_only=True, slots=True)
class Permission:
    """roles     of users who may call the operation
    is_local  so may the principal of a service without keys and accounts
    is_key    so may API keys
    is_shared  also for what another principal has made public; the stores enforce it
    team      the least role in the team of what it is called for; None: nothing belongs to a team. Who may
              not read it gets NotFound, who may read it and has a lower role Forbidden
    """

    roles: frozenset[UserRole]
    is_local: bool = False
    is_key: bool = False
    is_shared: bool = False
    team: TeamRole | None = None

    def allows(self, principal: Principal) -> bool:
        if principal.kind is PrincipalKind.LOCAL:
            return self.is_local
        if principal.kind is PrincipalKind.API_KEY:
            return self.is_key
        return principal.kind is PrincipalKind.USER and not self.roles.isdisjoint(principal.roles)


OWN = Permission(roles=frozenset(UserRole))
EVERYBODY = Permission(roles=frozenset(UserRole), is_local=True, is_key=True)
PUBLIC_TOO = replace(EVERYBODY, is_shared=True)
ADMIN = Permission(roles=frozenset({UserRole.ADMIN}), is_local=True)


def with_public(resource: Resource[Any, Any]) -> Mapping[str, Permission]:
    """The permissions of a resource whose rows can be made public."""
    listed, created, shown, changed, deleted = resource.operation_names
    return {
        **dict.fromkeys((listed, shown), PUBLIC_TOO),
        **dict.fromkeys((created, changed, deleted), EVERYBODY),
    }


def in_project(resource: Resource[Any, Any]) -> Mapping[str, Permission]:
    """The permissions of a resource whose rows belong to projects."""
    reading, writing = replace(EVERYBODY, team=READ_CONTENT), replace(EVERYBODY, team=WRITE_CONTENT)
    listed, created, shown, changed, deleted = resource.operation_names
    return {listed: reading, shown: reading, created: writing, changed: writing, deleted: writing}


def in_project_or_public(resource: Resource[Any, Any]) -> Mapping[str, Permission]:
    """The permissions of a resource whose rows belong to projects, and can be made public."""
    listed, _, shown, _, _ = resource.operation_names
    reading = replace(PUBLIC_TOO, team=READ_CONTENT)
    return {**in_project(resource), listed: reading, shown: reading}


PERMISSIONS: Mapping[str, Permission] = {
    **in_project(BLUEPRINTS),
    "validateBlueprint": EVERYBODY,
    **dict.fromkeys(
        (
            "listProjectBlueprints",
            "examineBlueprint",
            "previewBlueprint",
            "downloadBlueprintProject",
            "compareBlueprint",
            "getBlueprintHistory",
            "exportBlueprint",
            "listBlueprintProposals",
            "getBlueprintProposal",
        ),
        replace(EVERYBODY, team=READ_CONTENT),
    ),
    **dict.fromkeys(
        (
            "createProjectBlueprint",
            "publishBlueprint",
            "createBlueprintVersion",
            "importBlueprint",
            "acceptBlueprintProposal",
            "rejectBlueprintProposal",
        ),
        replace(EVERYBODY, team=WRITE_CONTENT),
    ),
    **in_project(DEPLOYMENTS),
    **dict.fromkeys(("listProjectDeployments", "renderDeployment"), replace(EVERYBODY, team=READ_CONTENT)),
    **in_project_or_public(TEMPLATE_SETS),
    **dict.fromkeys(
        ("listTemplateVersions", "downloadTemplate", "applyTemplate", "downloadAppliedTemplate"),
        replace(PUBLIC_TOO, team=READ_CONTENT),
    ),
    **dict.fromkeys(
        ("uploadTemplate", "uploadTemplateVersion", "proveTemplate", "publishTemplate"),
        replace(EVERYBODY, team=WRITE_CONTENT),
    ),
    "logOut": OWN,
    "getOwnUser": OWN,
    "changeOwnUser": OWN,
    "changeOwnPassword": OWN,
    "listOwnSessions": OWN,
    "endOwnSession": OWN,
    "getOwnSubscription": OWN,
    "listUsers": ADMIN,
    "createUser": ADMIN,
    "getUser": ADMIN,
    "changeUser": ADMIN,
    "deleteUser": ADMIN,
    "resetPassword": ADMIN,
    "changeTeamPlan": ADMIN,
    "listAuditLog": ADMIN,
    "listSystemLog": ADMIN,
    **dict.fromkeys(MODEL_CONFIGS.operation_names, EVERYBODY),
    "testModelConfig": EVERYBODY,
    "getUsage": EVERYBODY,
    **dict.fromkeys(GIT_CREDENTIALS.operation_names, EVERYBODY),
    "testGitCredential": EVERYBODY,
    **dict.fromkeys(GIT_REPOSITORIES.operation_names, EVERYBODY),
    "startRepositorySync": EVERYBODY,
    "listRepositoryBranches": EVERYBODY,
    "listRepositoryCommits": EVERYBODY,
    "getRepositoryTree": EVERYBODY,
    "getRepositoryFile": EVERYBODY,
    **dict.fromkeys(CODE_DIFFS.operation_names, EVERYBODY),
    "createPatchDiff": EVERYBODY,
    "getCodeDiffContent": EVERYBODY,
    "getCodeDiffPatch": EVERYBODY,
    **with_public(KNOWLEDGE_BASES),
    "listKnowledgeDocuments": PUBLIC_TOO,
    "addKnowledgeDocument": EVERYBODY,
    "uploadKnowledgeDocument": EVERYBODY,
    "getKnowledgeDocument": PUBLIC_TOO,
    "indexKnowledgeDocument": EVERYBODY,
    "deleteKnowledgeDocument": EVERYBODY,
    "listKnowledgeChunks": PUBLIC_TOO,
    "searchKnowledgeBase": PUBLIC_TOO,
    "verifyQuotes": PUBLIC_TOO,
    **with_public(PROMPT_TEMPLATES),
    **dict.fromkeys(REQUIREMENT_DOCUMENTS.operation_names, EVERYBODY),
    "uploadRequirementDocument": EVERYBODY,
    "parseRequirementDocument": EVERYBODY,
    "getRequirementChanges": EVERYBODY,
    "listReviewFindings": EVERYBODY,
    "getReviewFinding": EVERYBODY,
    "decideReviewFinding": EVERYBODY,
    "renderPromptTemplate": PUBLIC_TOO,
    "exportPromptTemplates": EVERYBODY,
    "importPromptTemplates": EVERYBODY,
    **dict.fromkeys(CONVERSATIONS.operation_names, EVERYBODY),
    "listMessages": EVERYBODY,
    "getMessage": EVERYBODY,
    "showBranch": EVERYBODY,
    "exportConversation": EVERYBODY,
    "listTeams": EVERYBODY,
    "createTeam": EVERYBODY,
    "listProjects": EVERYBODY,
    **{name: replace(EVERYBODY, team=role) for name, role in TEAM_ROLES.items()},
}
"""By the name of the operation."""


def guarded(operations: Sequence[Operation]) -> tuple[Operation, ...]:
    """The operations, which now answer with Forbidden whom the table does not allow. Raises KeyError for an
    operation that the table does not have."""
    return tuple(_guarded(operation, PERMISSIONS[operation.name]) for operation in operations)


def _guarded(operation: Operation, permission: Permission) -> Operation:
    endpoint = operation.endpoint

    async def check_and_call(request: Request) -> Response:
        if not permission.allows(get_principal(request)):
            raise Forbidden(_reason(permission))
        return await endpoint(request)

    return replace(operation, endpoint=check_and_call, errors=(*operation.errors, Forbidden))


def _reason(permission: Permission) -> str:
    if permission is OWN:
        return "this is about your account: log in, in place of an API key"
    return Phrase(
        "only users with one of these roles may do this: {sorted}", sorted=", ".join(sorted(permission.roles))
    )
