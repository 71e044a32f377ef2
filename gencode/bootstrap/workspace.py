"""Opens the workspace by the settings. Imported only where WORKSPACE is on."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import structlog

from gencode import __version__
from gencode.auth.tickets import load_or_create_key
from gencode.bootstrap.backend import Backend
from gencode.bootstrap.dependency_factory import Additions
from gencode.bootstrap.extra_imports import cluster_module
from gencode.bootstrap.knowledge import open_knowledge
from gencode.domain.errors import StartError
from gencode.engine.ports.store import Store
from gencode.githosts.fetch.client import FetchClient
from gencode.githosts.fetch.limits import FetchLimits
from gencode.http.kind_dependencies import KindFactory
from gencode.llm.provider_catalog import ProviderFactory
from gencode.observability.logs import json_formatter
from gencode.outbound.user_http import UserHttp
from gencode.pipelines.blueprint.kind import BLUEPRINT_PARSES
from gencode.pipelines.build.kind import BUILDS
from gencode.pipelines.chat.kind import CHAT
from gencode.pipelines.code_diff.kind import CODE_DIFF_KIND
from gencode.pipelines.code_review.kind import CODE_REVIEW
from gencode.pipelines.index.kind import INDEX_KIND
from gencode.pipelines.parse_document.kind import PARSE_DOCUMENTS
from gencode.pipelines.requirement_analysis.kind import REQUIREMENT_ANALYSES
from gencode.pipelines.sync_repository.kind import SYNC
from gencode.pipelines.test_generation.kind import TEST_GENERATION
from gencode.security.secret_registry import SecretRegistry
from gencode.settings import DatabaseSettings, Settings, is_loopback, lets_anyone_in
from gencode.storage.data_dir_lock import CLONES, ENCRYPTION_KEY_FILE, WORKSPACE_DATABASE
from gencode.workspace.audit.log import AuditLog, Verification
from gencode.workspace.database import open_database, postgres_url, sqlite_url
from gencode.workspace.encrypted_resources import missing_keys
from gencode.workspace.identity.login_attempts import LoginLimit
from gencode.workspace.knowledge_bases.knowledge import KnowledgeBases
from gencode.workspace.model_configs.gateway import ModelConfigGateway
from gencode.workspace.plans.generations import DatabaseGenerationLimits
from gencode.workspace.plans.rules import Plan, PlanRules
from gencode.workspace.purge import Purge
from gencode.workspace.repositories.clones import RepositoryClones
from gencode.workspace.routes import OPERATIONS
from gencode.workspace.system_log.recorder import SystemLog
from gencode.workspace.teams.succession import TeamSuccession
from gencode.workspace.templates.proofs import TemplateProofs
from gencode.workspace.uploads.store import UploadRules
from gencode.workspace.workspace import Workspace, WorkspaceOptions, open_workspace

log = structlog.get_logger(__name__)

__all__ = ["KINDS", "OPERATIONS", "open_knowledge"]  # for gencode.bootstrap.app
KINDS: Sequence[KindFactory] = (
    BLUEPRINT_PARSES,
    BUILDS,
    CODE_DIFF_KIND,
    CHAT,
    CODE_REVIEW,
    INDEX_KIND,
    PARSE_DOCUMENTS,
    REQUIREMENT_ANALYSES,
    SYNC,
    TEST_GENERATION,
)
"""The kinds of task that need the workspace."""
AUDIT_KEY, SESSION_KEY = "audit", "session"
"""Names of signing keys."""
KEY_BYTES = 32
INFLATION = 16
"""How many bytes of a clone's objects, inflated, one byte as sent may stand for."""
SYSTEM_LOG_DAYS = 30
"""After which entries of the system log are deleted."""
FIRST_ADMIN = (
    "there are no accounts yet: make the first with `gencode users create-admin NAME --email ADDRESS`"
)


def configured_workspace(settings: Settings, backend: Backend) -> AbstractAsyncContextManager[Workspace]:
    """Raises StartError."""
    if not settings.database_url.get_secret_value():
        _check_audit_key(settings.data_dir)
    options = WorkspaceOptions(
        url=database_url(settings.database_url.get_secret_value(), settings),
        session_key=settings.jwt_secret_key.get_secret_value().encode() or backend.signing_key(SESSION_KEY),
        audit_key=backend.signing_key(AUDIT_KEY),
        access_minutes=settings.jwt_access_token_expire_minutes,
        refresh_days=settings.jwt_refresh_token_expire_days,
        login_limit=LoginLimit(attempts=settings.login_attempts, minutes=settings.login_lock_minutes),
        encryption_keys=_encryption_keys(settings),
        allows_registration=settings.allow_registration,
        trusted_proxies=settings.trusted_proxy_networks,
        uploads=UploadRules(max_bytes=settings.max_file_size, extensions=settings.file_extensions),
        plans=_plan_rules(settings),
    )
    return open_workspace(options)


def _plan_rules(settings: Settings) -> PlanRules:
    if not settings.plan_limits:
        return PlanRules()
    generations = {
        Plan.FREE: settings.plan_free_generations,
        Plan.TEAM: settings.plan_team_generations,
        Plan.ENTERPRISE: settings.plan_enterprise_generations,
    }
    return PlanRules(
        generations=generations,
        max_members=settings.team_max_members,
        max_projects=settings.team_max_projects,
        storage_quota_mb=settings.team_storage_quota_mb,
    )


def additions(
    workspace: Workspace,
    knowledge: KnowledgeBases,
    proofs: TemplateProofs,
    settings: Settings,
    secrets: SecretRegistry,
    user_http: UserHttp,
    store: Store,
) -> Additions:
    """What kinds of task get from the workspace."""

    def own_models(factory: ProviderFactory) -> ModelConfigGateway:
        gateway = ModelConfigGateway(workspace, factory, user_http, secrets.of, settings.max_model_calls)
        knowledge.encoders.connect(gateway)
        return gateway

    limits = DatabaseGenerationLimits(workspace.database, workspace.plans, store)
    secrets.add_owned(workspace.used_secrets)
    log = SystemLog(workspace.database, json_formatter(secrets.logged), SYSTEM_LOG_DAYS)
    return Additions(
        own_models=own_models,
        ledger=workspace.ledger,
        extensions=(workspace, knowledge, proofs, user_http, _clones(workspace, settings), limits),
        background=(
            log.run,
            Purge(workspace.database, settings.workspace_purge_days).run,
            TeamSuccession(workspace.database, workspace.audit).run,
        ),
    )


def _clones(workspace: Workspace, settings: Settings) -> RepositoryClones:
    limits = FetchLimits(
        refs=settings.max_clone_refs,
        pack_bytes=settings.max_clone_bytes,
        inflated_bytes=INFLATION * settings.max_clone_bytes,
        objects=settings.max_clone_objects,
        object_bytes=settings.max_clone_object_bytes,
        seconds=settings.clone_timeout,
    )
    fetcher = FetchClient(f"gencode/{__version__}", limits, max_fetches=settings.clones_at_once)
    return RepositoryClones(workspace, settings.data_dir / CLONES, fetcher)


def _encryption_keys(settings: Settings) -> Sequence[bytes]:
    """Those of ENCRYPTION_KEY, and the one beside the SQLite database, which is made if there is no other; a
    PostgreSQL database holds no key for itself. Raises StartError."""
    if settings.database_url.get_secret_value():
        return settings.encryption_keys
    path = settings.data_dir / ENCRYPTION_KEY_FILE
    if path.is_file() and path.stat().st_size not in (0, KEY_BYTES):
        raise StartError(f"{path} is damaged: restore it, or remove it and enter the stored keys anew")
    if settings.encryption_keys and not path.is_file():
        return settings.encryption_keys
    return (*settings.encryption_keys, load_or_create_key(path))


async def warn_of_missing_keys(workspace: Workspace) -> None:
    """A folder that was restored, or moved, without its key would only fail when a secret is needed."""
    for key_id, count in (await missing_keys(workspace.database, workspace.encryption)).items():
        log.warning(
            f"stored secrets of users cannot be decrypted: add their key to ENCRYPTION_KEY, or put"
            f" {ENCRYPTION_KEY_FILE} back into DATA_DIR",
            key=key_id,
            secrets=count,
        )


def check_address(settings: Settings, is_required: bool) -> None:
    """Checks, once the accounts are known, that the address does not give others access without credentials.
    Raises StartError."""
    if not (is_required or settings.auth == "none" or is_loopback(settings.server_host)):
        raise StartError(f"{lets_anyone_in(settings.server_host)}; {FIRST_ADMIN}")


def database_url(dsn: str, settings: DatabaseSettings | Settings) -> str:
    return postgres_url(dsn) if dsn else sqlite_url(settings.data_dir)


async def audit_log(settings: DatabaseSettings) -> AuditLog:
    """The audit log for commands; of a new folder, it begins here. Raises StartError."""
    if dsn := settings.direct_dsn:
        keys = await cluster_module("gencode.storage.postgres.signing_keys").shared_keys(dsn, [AUDIT_KEY])
        return AuditLog(keys[AUDIT_KEY])
    _check_audit_key(settings.data_dir)
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        return AuditLog(load_or_create_key(settings.data_dir / f"{AUDIT_KEY}.key"))
    except OSError as error:
        raise StartError(f"{settings.data_dir} cannot be used: {error.strerror or error}") from None


async def verify_audit_log(settings: DatabaseSettings) -> Verification:
    """Raises StartError, also if there is no log."""
    if not settings.direct_dsn:
        _require_log(settings.data_dir)
    log = await audit_log(settings)
    async with open_database(database_url(settings.direct_dsn, settings)) as database:
        return await log.verify(database)


def _check_audit_key(data_dir: Path) -> None:
    """An incomplete key would be replaced, and the log seem forged. Raises StartError."""
    path = data_dir / f"{AUDIT_KEY}.key"
    if path.is_file() and path.stat().st_size not in (0, KEY_BYTES):
        raise StartError(f"{path} is damaged: restore it, or remove it to begin another audit log")


def _require_log(data_dir: Path) -> None:
    for name in (WORKSPACE_DATABASE, f"{AUDIT_KEY}.key"):
        if not (data_dir / name).is_file():
            raise StartError(f"{data_dir} has no {name}: set DATA_DIR as the service has it")
