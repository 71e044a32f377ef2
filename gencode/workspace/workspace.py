"""Everything of the workspace, opened and closed together."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from gencode.blueprints.importing.limited_importer import LimitedImporter
from gencode.security.secret_registry import OwnedSecrets
from gencode.workspace.audit.log import AuditLog
from gencode.workspace.database import Database, open_database
from gencode.workspace.encryption import Encryption
from gencode.workspace.identity.accounts import Accounts
from gencode.workspace.identity.client_address import Network
from gencode.workspace.identity.login_attempts import LoginLimit
from gencode.workspace.identity.passwords import Passwords
from gencode.workspace.identity.session_authenticator import DatabaseSessionAuthenticator
from gencode.workspace.identity.sessions import Sessions
from gencode.workspace.identity.tokens import SessionTokens
from gencode.workspace.plans.rules import PlanRules
from gencode.workspace.resources.declaration import Resource, T, V
from gencode.workspace.resources.store import ResourceStore
from gencode.workspace.tables import now
from gencode.workspace.uploads.store import UploadRules, Uploads
from gencode.workspace.usage.ledger import DatabaseLedger


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkspaceOptions:
    """url                  of the database, see `gencode.workspace.database`
    session_key          secret bytes, which sign the tokens of sessions
    audit_key            secret bytes of the audit log
    encryption_keys      see Encryption
    allows_registration  whether everybody who reaches the service may register
    trusted_proxies      whose X-Forwarded-For is believed
    """

    url: str = field(repr=False)
    session_key: bytes = field(repr=False)
    audit_key: bytes = field(repr=False)
    encryption_keys: Sequence[bytes] = field(default=(), repr=False)
    access_minutes: int = 30
    refresh_days: int = 7
    login_limit: LoginLimit = field(default_factory=LoginLimit)
    allows_registration: bool = False
    trusted_proxies: Sequence[Network] = ()
    uploads: UploadRules = field(default_factory=UploadRules)
    plans: PlanRules = field(default_factory=PlanRules)


@dataclass(frozen=True, kw_only=True, slots=True)
class Workspace:
    """used_secrets  those that resources have decrypted so far
    opened_at     what an earlier process left unfinished is older
    """

    database: Database
    audit: AuditLog
    accounts: Accounts
    sessions: Sessions
    authenticator: DatabaseSessionAuthenticator
    encryption: Encryption
    ledger: DatabaseLedger
    uploads: Uploads
    allows_registration: bool
    trusted_proxies: Sequence[Network]
    plans: PlanRules
    importer: LimitedImporter = field(default_factory=LimitedImporter)
    used_secrets: OwnedSecrets = field(default_factory=OwnedSecrets, repr=False)
    opened_at: datetime = field(default_factory=now)

    def resource(self, resource: Resource[T, V]) -> ResourceStore[T, V]:
        """The rows of a resource."""
        return ResourceStore(
            self.database, self.audit, self.encryption, resource, self.used_secrets, self.plans
        )


@asynccontextmanager
async def open_workspace(
    options: WorkspaceOptions, passwords: Passwords | None = None
) -> AsyncIterator[Workspace]:
    """Raises StartError. `passwords`: faster ones for tests."""
    tokens = SessionTokens(options.session_key, options.access_minutes)
    async with open_database(options.url) as database:
        audit = AuditLog(options.audit_key)
        authenticator = DatabaseSessionAuthenticator(database, tokens)
        sessions = Sessions(database, tokens, audit, options.refresh_days, authenticator.end)
        accounts = Accounts(database, passwords or Passwords(), audit, sessions, options.login_limit)
        if await accounts.exist():
            authenticator.require()
        yield Workspace(
            database=database,
            audit=audit,
            accounts=accounts,
            sessions=sessions,
            authenticator=authenticator,
            encryption=Encryption(options.encryption_keys),
            ledger=DatabaseLedger(database),
            uploads=Uploads(database, options.uploads),
            allows_registration=options.allows_registration,
            trusted_proxies=options.trusted_proxies,
            plans=options.plans,
        )


@asynccontextmanager
async def open_accounts(url: str, audit: AuditLog) -> AsyncIterator[Accounts]:
    """The accounts alone, for commands, which open no sessions. Raises StartError."""
    async with open_database(url) as database:
        sessions = Sessions(database, SessionTokens(secrets.token_bytes(32), 1), audit, 1)
        yield Accounts(database, Passwords(), audit, sessions, LoginLimit())
