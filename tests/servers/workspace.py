"""A workspace for tests: its passwords are hashed fast."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from argon2 import PasswordHasher

from gencode.workspace.identity.accounts import NewUser
from gencode.workspace.identity.actor import Actor
from gencode.workspace.identity.passwords import Passwords
from gencode.workspace.identity.tables import UserRole
from gencode.workspace.workspace import Workspace, WorkspaceOptions, open_workspace

SESSION_KEY, AUDIT_KEY = b"s" * 32, b"a" * 32
PASSWORD = "correct horse battery"
ACTOR = Actor(id="user:admin", address="192.0.2.1")


def fast_passwords() -> Passwords:
    return Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@asynccontextmanager
async def workspace(url: str, **options: Any) -> AsyncIterator[Workspace]:
    chosen = WorkspaceOptions(url=url, session_key=SESSION_KEY, audit_key=AUDIT_KEY, **options)
    async with open_workspace(chosen, fast_passwords()) as opened:
        yield opened


def new_user(name: str = "alice", role: UserRole = UserRole.USER, **fields: Any) -> NewUser:
    return NewUser(
        **{"username": name, "email": f"{name}@example.com", "password": PASSWORD, "role": role} | fields
    )
