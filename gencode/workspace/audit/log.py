"""Appends to the audit log and verifies it.

Each entry has a position, which grows by one, and an HMAC over the entry and the HMAC before it. So an entry
that is changed, removed, inserted or moved is found, unless the key is known; entries that are removed from
the end are found by comparing the last HMAC with one that was noted elsewhere.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from gencode.workspace.audit.tables import AuditEntry
from gencode.workspace.database import Database
from gencode.workspace.tables import now

PAGE = 500
APPEND_LOCK = 0x67656E61
"""The key of PostgreSQL's advisory lock: one transaction appends at a time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """See AuditEntry."""

    actor: str
    action: str
    subject: str
    address: str = ""
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Verification:
    """entries  that are in order
    broken   the position of the first entry that is not; None if all are
    last     the HMAC of the last entry in order
    """

    entries: int
    broken: int | None
    last: str


class AuditLog:
    """`key`: secret bytes that all processes share."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    async def append(self, session: AsyncSession, change: Change) -> None:
        """Appends within the caller's transaction."""
        if session.get_bind().dialect.name == "postgresql":
            await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": APPEND_LOCK})
        last = await session.scalar(select(AuditEntry).order_by(AuditEntry.position.desc()).limit(1))
        entry = AuditEntry(
            position=last.position + 1 if last else 1,
            at=now(),
            actor=change.actor,
            action=change.action,
            subject=change.subject,
            address=change.address,
            before=dict(change.before),
            after=dict(change.after),
        )
        entry.mac = self._mac(entry, last.mac if last else "")
        session.add(entry)
        await session.flush()

    async def page(
        self, session: AsyncSession, limit: int, before: int, actor: str = "", subject: str = ""
    ) -> Sequence[AuditEntry]:
        """Entries below a position, the newest first."""
        query = select(AuditEntry).where(AuditEntry.position < before)
        query = query.where(AuditEntry.actor == actor) if actor else query
        query = query.where(AuditEntry.subject == subject) if subject else query
        return (await session.scalars(query.order_by(AuditEntry.position.desc()).limit(limit))).all()

    async def verify(self, database: Database) -> Verification:
        """Reads the whole log, a page in a transaction, and computes every HMAC again."""
        entries, last = 0, ""
        async for entry in _all_entries(database):
            expected = self._mac(entry, last)
            if entry.position != entries + 1 or not hmac.compare_digest(expected, entry.mac):
                return Verification(entries=entries, broken=entries + 1, last=last)
            entries, last = entries + 1, entry.mac
        return Verification(entries=entries, broken=None, last=last)

    def _mac(self, entry: AuditEntry, before: str) -> str:
        fields = [
            before,
            entry.position,
            entry.at.isoformat(timespec="microseconds"),
            entry.actor,
            entry.action,
            entry.subject,
            entry.address,
            entry.before,
            entry.after,
        ]
        signed = json.dumps(fields, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
        return hmac.digest(self._key, signed.encode(), hashlib.sha256).hex()


async def _all_entries(database: Database) -> AsyncIterator[AuditEntry]:
    """Also those with positions below the first, which somebody has inserted."""
    entries = select(AuditEntry).order_by(AuditEntry.position).limit(PAGE)
    page = await _page(database, entries)
    while page:
        for entry in page:
            yield entry
        page = await _page(database, entries.where(AuditEntry.position > page[-1].position))


async def _page(database: Database, query: Select[AuditEntry]) -> Sequence[AuditEntry]:
    async with database.transaction() as session:
        return (await session.scalars(query)).all()
