"""Opens the workspace by the settings. Imported only where WORKSPACE is on."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from gencode.auth.tickets import load_or_create_key
from gencode.bootstrap.backend import Backend
from gencode.bootstrap.cluster_imports import cluster_module
from gencode.domain.errors import StartError
from gencode.settings import DatabaseSettings, Settings, is_loopback, lets_anyone_in
from gencode.workspace.audit.log import AuditLog, Verification
from gencode.workspace.database import open_database, postgres_url, sqlite_url
from gencode.workspace.identity.login_attempts import LoginLimit
from gencode.workspace.routes import OPERATIONS
from gencode.workspace.workspace import Workspace, WorkspaceOptions, open_workspace

__all__ = ["OPERATIONS"]  # for gencode.bootstrap.app
AUDIT_KEY, SESSION_KEY = "audit", "session"
"""Names of signing keys."""
FIRST_ADMIN = (
    "there are no accounts yet: make the first with `gencode users create-admin NAME --email ADDRESS`"
)


def configured_workspace(settings: Settings, backend: Backend) -> AbstractAsyncContextManager[Workspace]:
    """Raises StartError."""
    options = WorkspaceOptions(
        url=database_url(settings.database_url.get_secret_value(), settings),
        session_key=settings.jwt_secret_key.get_secret_value().encode() or backend.signing_key(SESSION_KEY),
        audit_key=backend.signing_key(AUDIT_KEY),
        access_minutes=settings.jwt_access_token_expire_minutes,
        refresh_days=settings.jwt_refresh_token_expire_days,
        login_limit=LoginLimit(attempts=settings.login_attempts, minutes=settings.login_lock_minutes),
        allows_registration=settings.allow_registration,
    )
    return open_workspace(options)


def check_address(settings: Settings, is_required: bool) -> None:
    """Checks, once the accounts are known, that the address does not give others access without credentials.
    Raises StartError."""
    if not (is_required or settings.auth == "none" or is_loopback(settings.server_host)):
        raise StartError(f"{lets_anyone_in(settings.server_host)}; {FIRST_ADMIN}")


def database_url(dsn: str, settings: DatabaseSettings | Settings) -> str:
    return postgres_url(dsn) if dsn else sqlite_url(settings.data_dir)


async def audit_log(settings: DatabaseSettings) -> AuditLog:
    """The audit log for commands. Raises StartError."""
    if dsn := settings.direct_dsn:
        keys = await cluster_module("gencode.storage.postgres.signing_keys").shared_keys(dsn, [AUDIT_KEY])
        return AuditLog(keys[AUDIT_KEY])
    return AuditLog(load_or_create_key(settings.data_dir / f"{AUDIT_KEY}.key"))


async def verify_audit_log(settings: DatabaseSettings) -> Verification:
    """Raises StartError."""
    log = await audit_log(settings)
    url = database_url(settings.direct_dsn, settings)
    async with open_database(url) as database, database.transaction() as session:
        return await log.verify(session)
