"""Reads and changes the rows of a resource: ownership, conflicts, pages and audit are the same for all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic
from uuid import uuid4

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from gencode.domain.errors import Invalid, NotFound, RequestError
from gencode.domain.phrase import Phrase
from gencode.security.secret_registry import OwnedSecrets
from gencode.workspace.audit.log import AuditLog, Change
from gencode.workspace.database import Database
from gencode.workspace.encryption import Encryption, secret_place
from gencode.workspace.errors import AlreadyTaken, VersionChanged
from gencode.workspace.identity.actor import Actor
from gencode.workspace.plans.rules import PlanRules
from gencode.workspace.resources.access import Action
from gencode.workspace.resources.declaration import Resource, T, V
from gencode.workspace.tables import Base

MAX_AUDITED = 500
"""Characters of a text, or of a JSON document, that the audit log has in full; of longer ones it has the
length and the digest."""


SECRET = "[secret]"
"""What the audit log has in place of a secret."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PageQuery:
    """sort     a column
    after    the last row of the page before: its value in that column, and its id
    filters  values by column
    text     a part of the name
    """

    limit: int
    sort: str = "created_at"
    descending: bool = True
    after: tuple[Any, str] | None = None
    filters: Mapping[str, str] = field(default_factory=dict)
    text: str = ""


class ResourceStore(Generic[T, V]):
    """`principal`: the id of who asks. Rows that the principal may not read are as if they were not there;
    see Access."""

    def __init__(
        self,
        database: Database,
        audit: AuditLog,
        encryption: Encryption,
        resource: Resource[T, V],
        used_secrets: OwnedSecrets,
        plans: PlanRules,
    ) -> None:
        self._database = database
        self._audit = audit
        self._encryption = encryption
        self._resource = resource
        self._used_secrets = used_secrets
        self._plans = plans
        self._table: Any = resource.table

    async def create(
        self,
        values: Mapping[str, Any],
        actor: Actor,
        others: Sequence[Base] = (),
        then: Callable[[AsyncSession, T], Awaitable[None]] | None = None,
    ) -> T:
        """
        others  rows of other tables that are stored in the same transaction, before this one
        then    what else is done in the transaction

        Raises
        AlreadyTaken, NoEncryptionKey, and the errors of the resource's `access`,
        `before_create` and `before_flush`."""
        row: T = self._table(id=str(uuid4()), owner=actor.id)
        async with self._database.transaction() as session:
            self._assign(row, values)
            await self._resource.access.check(session, row, actor.id, Action.CREATE)
            if self._resource.before_create:
                await self._resource.before_create(session, row, self._plans)
            session.add_all([*others, row])
            await self._flush(session, row)
            await self._record(session, actor, "created", row, {}, values)
            if then:
                await then(session, row)
        return row

    async def get(self, row_id: str, principal: str) -> T:
        """Raises NotFound."""
        query = self._select().where(self._table.id == row_id, self._is_readable(principal))
        async with self._database.transaction() as session:
            return self._require(await session.scalar(query))

    async def get_writable(self, row_id: str, principal: str) -> T:
        """The row, if the principal may change it: for operations that submit a task which will. Raises
        NotFound, and the errors of the resource's `access`."""
        async with self._database.transaction() as session:
            return await self._writable(session, row_id, principal, None, Action.CHANGE)

    async def allowed_actions(self, row: T, principal: str) -> Sequence[Action]:
        """Which of change and delete the principal, who may read the row, may do with it as it is now."""
        mine = and_(self._table.id == row.id, self._resource.access.is_readable(self._table, principal))
        async with self._database.transaction() as session:
            if await session.scalar(select(self._table.id).where(mine)) is None:
                return ()  # another principal shares it
            actions = (Action.CHANGE, Action.DELETE)
            return [one for one in actions if await self._is_allowed(session, row, principal, one)]

    async def _is_allowed(self, session: AsyncSession, row: T, principal: str, action: Action) -> bool:
        try:
            await self._resource.access.check(session, row, principal, action)
        except RequestError:
            return False
        return True

    async def page(self, query: PageQuery, principal: str) -> Sequence[T]:
        """One row more than the limit, if there are more."""
        column: Any = getattr(self._table, query.sort)
        order = (column.desc(), self._table.id.desc()) if query.descending else (column, self._table.id)
        conditions = [self._is_readable(principal), *self._restrictions(query)]
        if query.after:
            conditions.append(_is_after(column, self._table.id, query.after, descending=query.descending))
        found = select(self._resource.table).where(*conditions).order_by(*order).limit(query.limit + 1)
        async with self._database.transaction() as session:
            return (await session.scalars(found)).all()

    async def prepare_view(self, rows: Sequence[T]) -> None:
        """To be called before the rows are shown."""
        if self._resource.before_view and rows:
            async with self._database.transaction() as session:
                await self._resource.before_view(session, rows)

    async def change(
        self,
        row_id: str,
        changes: Mapping[str, Any],
        actor: Actor,
        version: int | None,
        then: Callable[[AsyncSession, T], Awaitable[None]] | None = None,
    ) -> T:
        """`version`: what the row must have, if it matters. `then`: what else is done in the transaction.
        Raises NotFound, VersionChanged, and the errors of `create`, for a row that moves also those of a
        creation where it goes."""
        async with self._database.transaction() as session:
            row = await self._writable(session, row_id, actor.id, version, Action.CHANGE)
            before = {name: getattr(row, name) for name in changes if name not in self._resource.secrets}
            self._check_scope(row, changes)
            self._assign(row, changes)
            await self._check_move(session, row, before, actor.id)
            row.version += 1
            await self._flush(session, row)
            await self._record(session, actor, "changed", row, before, changes)
            if then:
                await then(session, row)
        return row

    async def delete(self, row_id: str, actor: Actor, version: int | None) -> None:
        """Raises NotFound, VersionChanged, and the errors of the resource's `access` and `before_delete`."""
        async with self._database.transaction() as session:
            row = await self._writable(session, row_id, actor.id, version, Action.DELETE)
            if self._resource.before_delete:
                await self._resource.before_delete(session, row)
            row.is_deleted = True
            row.version += 1
            await self._record(session, actor, "deleted", row, {"name": row.name}, {})

    def secret(self, row: T, name: str, principal: str | None = None) -> str:
        """The decrypted secret of a row, which no answer for its owner, or for `principal` who uses a row of
        another one, may contain from now on; "" if it has none. Raises StoreError."""
        sealed: str = getattr(row, f"{name}_encrypted") or ""
        secret = self._encryption.decrypt(sealed, self._place(row, name)) if sealed else ""
        for one in {row.owner, principal or row.owner}:
            self._used_secrets.add(one, secret)
        return secret

    def _check_scope(self, row: T, changes: Mapping[str, Any]) -> None:
        """A stored secret is never sent to another place than it was given for. Raises Invalid."""
        scope = self._resource.secret_scope
        if not any(name in changes and changes[name] != getattr(row, name) for name in scope):
            return
        for name in self._resource.secrets:
            if name not in changes and getattr(row, f"{name}_encrypted"):
                raise Invalid.of(
                    name,
                    "value_error",
                    Phrase("must be given again with another {scope}", scope=" or ".join(scope)),
                )

    def _assign(self, row: T, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            if isinstance(value, Mapping) and name in self._resource.secrets:
                self._assign_names(row, name, value)
            elif name in self._resource.secrets:
                sealed = self._encryption.encrypt(value, self._place(row, name)) if value else None
                setattr(row, f"{name}_encrypted", sealed)
            else:
                setattr(row, name, value)

    def _assign_names(self, row: T, name: str, given: Mapping[str, str | None]) -> None:
        """Secrets by name: those that are not given stay, null removes one. Raises NoEncryptionKey."""
        sealed: str | None = getattr(row, f"{name}_encrypted")
        stored = json.loads(self._encryption.decrypt(sealed, self._place(row, name))) if sealed else {}
        values = {key: value for key, value in {**stored, **given}.items() if value is not None}
        text = json.dumps(values, sort_keys=True)
        setattr(
            row,
            f"{name}_encrypted",
            self._encryption.encrypt(text, self._place(row, name)) if values else None,
        )
        setattr(row, f"{name}_names", sorted(values))

    def _place(self, row: T, name: str) -> str:
        return secret_place(self._table.__tablename__, row.owner, row.id, name)

    async def _check_move(self, session: AsyncSession, row: T, before: Mapping[str, Any], who: str) -> None:
        access = self._resource.access
        if any(name in before and before[name] != getattr(row, name) for name in access.places):
            with session.no_autoflush:
                await access.check(session, row, who, Action.CREATE)

    async def _writable(
        self, session: AsyncSession, row_id: str, principal: str, version: int | None, action: Action
    ) -> T:
        """The row, locked until the transaction ends."""
        access = self._resource.access
        is_there = and_(
            self._table.id == row_id, access.is_readable(self._table, principal), ~self._table.is_deleted
        )
        row = self._require(await session.scalar(self._select().where(is_there).with_for_update()))
        await access.check(session, row, principal, action)
        if version is not None and version != row.version:
            raise VersionChanged(
                Phrase("the {title} was changed meanwhile: read it again", title=Phrase(self._resource.title))
            )
        return row

    def _select(self) -> Select[T]:
        """Whole rows, with the columns that lists do not read."""
        return select(self._resource.table).options(
            *(undefer(getattr(self._table, name)) for name in self._resource.long_columns)
        )

    def _is_readable(self, principal: str) -> ColumnElement[bool]:
        readable = self._resource.access.is_readable(self._table, principal)
        shared = self._resource.is_shared
        return and_(~self._table.is_deleted, or_(readable, shared()) if shared else readable)

    def _restrictions(self, query: PageQuery) -> list[ColumnElement[bool]]:
        restrictions = [getattr(self._table, name) == value for name, value in query.filters.items()]
        if query.text:
            restrictions.append(self._table.name.icontains(query.text, autoescape=True))
        return restrictions

    def _require(self, row: T | None) -> T:
        if row is None:
            raise NotFound(
                Phrase(
                    "there is no such {title}, or it belongs to somebody else",
                    title=Phrase(self._resource.title),
                )
            )
        return row

    async def _flush(self, session: AsyncSession, row: T) -> None:
        try:
            if self._resource.before_flush:
                with session.no_autoflush:
                    await self._resource.before_flush(session, row)
            await session.flush()
        except IntegrityError as error:
            cause = str(error.orig)
            taken = [name for index, name in self._resource.taken.items() if index in cause or name in cause]
            if not taken:
                raise
            raise AlreadyTaken(
                Phrase("another {title} has this {taken}", title=Phrase(self._resource.title), taken=taken[0])
            ) from None

    async def _record(
        self,
        session: AsyncSession,
        actor: Actor,
        action: str,
        row: T,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
    ) -> None:
        name = self._resource.name
        change = Change(
            actor=actor.id,
            action=f"{name}.{action}",
            subject=f"{name}:{row.id}",
            address=actor.address,
            before=self._audited(before),
            after=self._audited(after),
        )
        await self._audit.append(session, change)

    def _audited(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        hidden = self._resource.secrets
        return {name: SECRET if name in hidden else _audited(value) for name, value in values.items()}


def _is_after(
    column: ColumnElement[Any], row_id: ColumnElement[str], after: tuple[Any, str], *, descending: bool
) -> ColumnElement[bool]:
    value, last = after
    if descending:
        return or_(column < value, and_(column == value, row_id < last))
    return or_(column > value, and_(column == value, row_id > last))


def _audited(value: Any) -> Any:
    text = json.dumps(value, sort_keys=True) if isinstance(value, dict | list) else value
    if isinstance(text, str) and len(text) > MAX_AUDITED:
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        return {"length": len(text), "sha256": digest}
    return value
