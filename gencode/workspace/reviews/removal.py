"""Removes what reviews keep, with those whom it belongs to."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, or_
from sqlalchemy.ext.asyncio import AsyncSession

from gencode.workspace.reviews.tables import ReviewedHunk, ReviewFinding, ReviewSubject

SUBJECT_MARKS = ("/", "#")
"""What follows the id of a repository in a subject that is named by it: before a branch, or a change."""


async def remove_reviews_of_owners(session: AsyncSession, owners: Sequence[str]) -> None:
    for table in (ReviewFinding, ReviewSubject, ReviewedHunk):
        await session.execute(delete(table).where(table.owner.in_(owners)))


async def remove_reviews_of_repositories(session: AsyncSession, repository_ids: Sequence[str]) -> None:
    for table in (ReviewFinding, ReviewSubject):
        named = [
            table.subject.startswith(f"{one}{mark}", autoescape=True)
            for one in repository_ids
            for mark in SUBJECT_MARKS
        ]
        await session.execute(delete(table).where(or_(*named)))
