"""Reads and writes what reviews keep. Every write can be repeated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Select, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from gencode.domain.errors import NotFound
from gencode.workspace.audit.log import AuditLog, Change
from gencode.workspace.database import Database, insert_if_absent
from gencode.workspace.identity.actor import Actor
from gencode.workspace.reviews.tables import ReviewedHunk, ReviewFinding, ReviewSubject, StoredStatus
from gencode.workspace.tables import now

MAX_KNOWN = 2000
"""Findings of a subject that are compared with those of a new review, the newest first."""
HUNK_DAYS = 90
"""After which a reviewed hunk is forgotten."""
_KEYS_AT_ONCE = 400


@dataclass(frozen=True, kw_only=True, slots=True)
class LastReview:
    """task_id, lines  see ReviewSubject; "" and b"" without an earlier review
    findings        of the subject
    """

    task_id: str = ""
    lines: bytes = b""
    findings: Sequence[ReviewFinding] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class FindingRecord:
    """A finding as a review leaves it. `status`: open or gone; a finding that is ignored stays so."""

    id: str
    identity: str
    status: StoredStatus
    path: str
    line: int | None
    severity: str
    category: str
    title: str
    finding: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FindingQuery:
    """after: the position and the id of the last one of the page before"""

    limit: int
    subject: str | None = None
    status: str | None = None
    after: str = ""


class ReviewStore:
    """`owner`: the id of a principal. What belongs to others is as if it were not there."""

    def __init__(self, database: Database, audit: AuditLog) -> None:
        self._database = database
        self._audit = audit

    async def last_review(self, owner: str, subject: str) -> LastReview:
        mine = (ReviewFinding.owner == owner, ReviewFinding.subject == subject)
        newest = select(ReviewFinding).where(*mine).order_by(ReviewFinding.task_id.desc()).limit(MAX_KNOWN)
        async with self._database.transaction() as session:
            row = await session.scalar(_of_subject(owner, subject))
            findings = (await session.scalars(newest)).all()
        if row is None:
            return LastReview(findings=findings)
        return LastReview(task_id=row.task_id, lines=row.lines, findings=findings)

    async def record(
        self, owner: str, subject: str, task_id: str, lines: bytes, records: Sequence[FindingRecord]
    ) -> None:
        """Stores what a review leaves, unless a later one has done so."""
        async with self._database.transaction() as session:
            await insert_if_absent(
                session, ReviewSubject, owner=owner, subject=subject, task_id=task_id, lines=lines
            )
            row = await session.scalar(_of_subject(owner, subject).with_for_update())
            if row is None or row.task_id > task_id:
                return
            row.task_id, row.lines = task_id, lines
            for record in records:
                await _put(session, owner, subject, task_id, record)

    async def finding(self, owner: str, finding_id: str) -> ReviewFinding:
        """Raises NotFound."""
        async with self._database.transaction() as session:
            return await _own(session, owner, finding_id)

    async def page(self, owner: str, query: FindingQuery) -> Sequence[ReviewFinding]:
        """By id; one row more than the limit, if there are more."""
        found = select(ReviewFinding).where(ReviewFinding.owner == owner, ReviewFinding.id > query.after)
        if query.subject is not None:
            found = found.where(ReviewFinding.subject == query.subject)
        if query.status is not None:
            found = found.where(ReviewFinding.status == query.status)
        async with self._database.transaction() as session:
            return (await session.scalars(found.order_by(ReviewFinding.id).limit(query.limit + 1))).all()

    async def change(self, actor: Actor, finding_id: str, status: StoredStatus, reason: str) -> ReviewFinding:
        """Raises NotFound."""
        async with self._database.transaction() as session:
            row = await _own(session, actor.id, finding_id)
            before = {"status": row.status, "reason": row.reason}
            row.status, row.reason = status, reason
            change = Change(
                actor=actor.id,
                action="ReviewFinding.changed",
                subject=f"ReviewFinding:{row.id}",
                address=actor.address,
                before=before,
                after={"status": row.status, "reason": row.reason},
            )
            await self._audit.append(session, change)
        return row

    # --- reviewed hunks ---------------------------------------------------------------------------------

    async def reviewed_hunks(self, owner: str, keys: Sequence[str]) -> dict[str, str]:
        """The findings, as JSON, of those hunks that were reviewed, by key."""
        found: dict[str, str] = {}
        recent = (ReviewedHunk.owner == owner, ReviewedHunk.created_at > now() - timedelta(days=HUNK_DAYS))
        async with self._database.transaction() as session:
            for at in range(0, len(keys), _KEYS_AT_ONCE):
                wanted = ReviewedHunk.key.in_(keys[at : at + _KEYS_AT_ONCE])
                for row in await session.scalars(select(ReviewedHunk).where(*recent, wanted)):
                    found[row.key] = row.findings
        return found

    async def remember_hunks(self, owner: str, findings: Mapping[str, str]) -> None:
        """`findings`: JSON by key. Those of an earlier review stay."""
        old = (ReviewedHunk.owner == owner, ReviewedHunk.created_at <= now() - timedelta(days=HUNK_DAYS))
        async with self._database.transaction() as session:
            await session.execute(delete(ReviewedHunk).where(*old))
            for key, text in findings.items():
                await insert_if_absent(session, ReviewedHunk, owner=owner, key=key, findings=text)


def _of_subject(owner: str, subject: str) -> Select[ReviewSubject]:
    return select(ReviewSubject).where(ReviewSubject.owner == owner, ReviewSubject.subject == subject)


async def _own(session: AsyncSession, owner: str, finding_id: str) -> ReviewFinding:
    mine = (ReviewFinding.id == finding_id, ReviewFinding.owner == owner)
    row = await session.scalar(select(ReviewFinding).where(*mine).with_for_update())
    if row is None:
        raise NotFound("there is no such finding, or it belongs to somebody else")
    return row


async def _put(session: AsyncSession, owner: str, subject: str, task_id: str, record: FindingRecord) -> None:
    """A user's decision that was made since this review has begun stays."""
    row = await session.get(ReviewFinding, record.id)
    if row is None:
        row = ReviewFinding(
            id=record.id,
            owner=owner,
            subject=subject,
            identity=record.identity,
            status=record.status,
            first_task_id=task_id,
        )
        session.add(row)
    elif row.status != StoredStatus.IGNORED and row.task_id != task_id:
        row.status = record.status
    row.path, row.line, row.title = record.path, record.line, record.title
    row.severity, row.category = record.severity, record.category
    row.finding, row.task_id = record.finding, task_id
