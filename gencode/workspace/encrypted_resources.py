"""All stored secrets: `gencode secrets rotate` encrypts them anew, and `gencode doctor` reads them."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from gencode.domain.errors import StoreError
from gencode.workspace.audit.log import AuditLog, Change
from gencode.workspace.database import Database
from gencode.workspace.deployments.resource import DEPLOYMENTS
from gencode.workspace.encryption import Encryption, key_id_of, secret_place
from gencode.workspace.git_credentials.resource import GIT_CREDENTIALS
from gencode.workspace.identity.actor import Actor
from gencode.workspace.model_configs.resource import MODEL_CONFIGS
from gencode.workspace.resources.declaration import Resource

ENCRYPTED: Sequence[Resource[Any, Any]] = (MODEL_CONFIGS, GIT_CREDENTIALS, DEPLOYMENTS)
ROTATED = "secrets.rotated"
PAGE = 200
"""Rows that are read in one transaction."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredSecret:
    """`place`: the row and field that hold it."""

    table: Any
    column: Any
    row_id: str
    place: str
    sealed: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Rotation:
    """key_id      of the key that encrypts all of them now
    changed     how many were encrypted anew
    kept        how many had this key already
    unreadable  the places of those that no key decrypts; they stay as they are
    """

    key_id: str
    changed: int
    kept: int
    unreadable: Sequence[str]


async def rotate_secrets(
    database: Database, audit: AuditLog, encryption: Encryption, actor: Actor
) -> Rotation:
    """Encrypts all secrets with the first key, also beside a running service: one that is changed meanwhile
    is left as its writer has it. Raises NoEncryptionKey, StoreError."""
    key_id, changed, kept, unreadable = encryption.key_id, 0, 0, []
    async for page in _pages(database):
        async with database.transaction() as session:
            for secret in page:
                if key_id_of(secret.sealed) == key_id:
                    kept += 1
                    continue
                try:
                    text = encryption.decrypt(secret.sealed, secret.place)
                except StoreError:
                    unreadable.append(secret.place)
                    continue
                changed += await replace_secret(session, secret, encryption.encrypt(text, secret.place))
    found = Rotation(key_id=key_id, changed=changed, kept=kept, unreadable=unreadable)
    await _record(database, audit, actor, found)
    return found


async def unreadable_secrets(database: Database, encryption: Encryption) -> tuple[int, Sequence[str]]:
    """How many secrets there are, and the places of those that no key decrypts. Raises StoreError."""
    count, unreadable = 0, []
    async for page in _pages(database):
        for secret in page:
            count += 1
            try:
                encryption.decrypt(secret.sealed, secret.place)
            except StoreError:
                unreadable.append(secret.place)
    return count, unreadable


async def missing_keys(database: Database, encryption: Encryption) -> Mapping[str, int]:
    """How many secrets need a key that is not known, by the id of the key. Raises StoreError."""
    found: Counter[str] = Counter()
    async with database.transaction() as session:
        for resource in ENCRYPTED:
            for column in _columns(resource):
                key_id = func.substr(column, 1, 8)
                counted = select(key_id, func.count()).where(column.is_not(None)).group_by(key_id)
                found.update({str(one): int(count) for one, count in await session.execute(counted)})
    return {one: count for one, count in found.items() if not encryption.knows(one)}


def _columns(resource: Resource[Any, Any]) -> list[Any]:
    return [getattr(resource.table, f"{name}_encrypted") for name in resource.secrets]


async def _pages(database: Database) -> AsyncIterator[Sequence[StoredSecret]]:
    """All secrets, those of deleted rows included."""
    for resource in ENCRYPTED:
        for name, column in zip(resource.secrets, _columns(resource), strict=True):
            last = ""
            while page := await _page(database, resource, name, column, last):
                yield page
                last = page[-1].row_id


async def _page(
    database: Database, resource: Resource[Any, Any], name: str, column: Any, after: str
) -> Sequence[StoredSecret]:
    table: Any = resource.table
    wanted = select(table.id, table.owner, column).where(column.is_not(None), table.id > after)
    async with database.transaction() as session:
        rows = (await session.execute(wanted.order_by(table.id).limit(PAGE))).all()
    return [
        StoredSecret(
            table=table,
            column=column,
            row_id=row_id,
            place=secret_place(table.__tablename__, owner, row_id, name),
            sealed=sealed,
        )
        for row_id, owner, sealed in rows
    ]


async def replace_secret(session: AsyncSession, secret: StoredSecret, sealed: str) -> int:
    """1, or 0 if the row has another secret meanwhile. The row counts as unchanged."""
    table: Any = secret.table
    same = (table.id == secret.row_id, secret.column == secret.sealed)
    values = {secret.column: sealed, table.updated_at: table.updated_at}
    done: Any = await session.execute(update(table).where(*same).values(values))
    return int(done.rowcount)


async def _record(database: Database, audit: AuditLog, actor: Actor, found: Rotation) -> None:
    told = {"key": found.key_id, "changed": found.changed, "kept": found.kept}
    change = Change(
        actor=actor.id,
        action=ROTATED,
        subject="secrets",
        address=actor.address,
        before={},
        after={**told, "unreadable": len(found.unreadable)},
    )
    async with database.transaction() as session:
        await audit.append(session, change)
