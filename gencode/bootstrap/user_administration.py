"""What `gencode users` does with the accounts of a service, which may be running."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gencode.bootstrap.workspace import audit_log, database_url
from gencode.domain.errors import StartError
from gencode.http.strict_json import validate
from gencode.settings import DatabaseSettings
from gencode.workspace.identity.accounts import Accounts, NewUser
from gencode.workspace.identity.actor import Actor
from gencode.workspace.identity.schemas import PasswordReset, Registration
from gencode.workspace.identity.tables import User, UserRole
from gencode.workspace.workspace import open_accounts

COMMAND_LINE = Actor(id="command line")


async def create_admin(settings: DatabaseSettings, name: str, email: str, password: str) -> User:
    """Raises Invalid, AlreadyTaken, StartError."""
    given = validate(Registration, {"username": name, "email": email, "password": password})
    new = NewUser(username=given.username, email=given.email, password=given.password, role=UserRole.ADMIN)
    async with _accounts(settings) as accounts:
        return await accounts.create(new, COMMAND_LINE)


async def reset_password(settings: DatabaseSettings, name: str, password: str) -> User:
    """Raises Invalid, StartError."""
    given = validate(PasswordReset, {"new_password": password})
    async with _accounts(settings) as accounts:
        user = await accounts.named(name)
        if user is None:
            raise StartError(f"there is no user {name!r}")
        await accounts.reset_password(user.id, given.new_password, COMMAND_LINE)
        return user


@asynccontextmanager
async def _accounts(settings: DatabaseSettings) -> AsyncIterator[Accounts]:
    log = await audit_log(settings)  # creates a missing folder
    async with open_accounts(database_url(settings.direct_dsn, settings), log) as accounts:
        yield accounts
