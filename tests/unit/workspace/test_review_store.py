from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from gencode.domain.errors import NotFound
from gencode.workspace.audit.log import AuditLog
from gencode.workspace.database import open_database
from gencode.workspace.identity.actor import Actor
from gencode.workspace.reviews.store import HUNK_DAYS, FindingQuery, FindingRecord, LastReview, ReviewStore
from gencode.workspace.reviews.tables import ReviewedHunk, StoredStatus
from gencode.workspace.tables import now

KEY = b"k" * 32


def record(name: str, **fields: Any) -> FindingRecord:
    given: dict[str, Any] = {
        "id": f"00000000-0000-5000-8000-{name:0>12}",
        "identity": name,
        "status": StoredStatus.OPEN,
        "path": "a.py",
        "line": 1,
        "severity": "major",
        "category": "bug",
        "title": name,
        "finding": "{}",
    }
    return FindingRecord(**given | fields)


async def test_a_review_is_stored_once_and_by_the_latest_task(database_url: str) -> None:
    async with open_database(database_url) as database:
        store = ReviewStore(database, AuditLog(KEY))
        for _ in range(2):
            await store.record("o", "s", "task 1", b"one", [record("1")])
        await store.record("o", "s", "task 2", b"two", [record("1", line=5), record("2")])
        await store.record("o", "s", "task 1", b"one", [record("1"), record("3")])
        last = await store.last_review("o", "s")
        assert (last.task_id, last.lines) == ("task 2", b"two")
        assert {one.identity: (one.line, one.first_task_id) for one in last.findings} == {
            "1": (5, "task 1"),
            "2": (1, "task 2"),
        }
        for other in (("p", "s"), ("o", "t")):
            assert await store.last_review(*other) == LastReview(findings=[])


async def test_a_decision_survives_the_repetition_of_a_review_and_later_ones(database_url: str) -> None:
    async with open_database(database_url) as database:
        store, actor = ReviewStore(database, AuditLog(KEY)), Actor(id="o", address="")
        await store.record("o", "s", "task 1", b"", [record("1")])
        name = record("1").id
        await store.change(actor, name, StoredStatus.IGNORED, "why")
        for task in ("task 1", "task 2"):
            await store.record("o", "s", task, b"", [record("1")])
            row = await store.finding("o", name)
            assert (row.status, row.reason) == ("ignored", "why")
        await store.change(actor, name, StoredStatus.OPEN, "")
        await store.record("o", "s", "task 3", b"", [record("1", status=StoredStatus.GONE)])
        assert (await store.finding("o", name)).status == "gone"
        for call in (
            store.finding("p", name),
            store.change(Actor(id="p", address=""), name, StoredStatus.OPEN, ""),
        ):
            with pytest.raises(NotFound):
                await call


async def test_pages_have_own_findings_each_once(database_url: str) -> None:
    async with open_database(database_url) as database:
        store = ReviewStore(database, AuditLog(KEY))
        await store.record("o", "s", "task", b"", [record(str(n)) for n in range(5)])
        await store.record("p", "s", "task", b"", [record("9")])
        seen, after = [], ""
        while True:
            rows = await store.page("o", FindingQuery(limit=2, subject="s", status="open", after=after))
            seen += [row.identity for row in rows[:2]]
            if len(rows) <= 2:
                break
            after = rows[1].id
        assert seen == ["0", "1", "2", "3", "4"]
        assert not await store.page("o", FindingQuery(limit=2, subject="t"))


async def test_reviewed_hunks_are_those_of_their_owner_and_expire(database_url: str) -> None:
    async with open_database(database_url) as database:
        store = ReviewStore(database, AuditLog(KEY))
        many = {f"{n:064}": f"[{n}]" for n in range(900)}
        await store.remember_hunks("o", many)
        await store.remember_hunks("o", {f"{1:064}": "[other]"})
        assert await store.reviewed_hunks("o", list(many)) == many
        assert await store.reviewed_hunks("p", list(many)) == {}
        long_ago = now() - timedelta(days=HUNK_DAYS + 1)
        async with database.transaction() as session:
            await session.execute(update(ReviewedHunk).values(created_at=long_ago))
        assert await store.reviewed_hunks("o", list(many)) == {}
        await store.remember_hunks("o", {f"{1:064}": "[anew]"})
        assert await store.reviewed_hunks("o", list(many)) == {f"{1:064}": "[anew]"}
