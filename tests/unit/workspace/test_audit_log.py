from __future__ import annotations

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from gencode.workspace.audit.log import AuditLog, Change
from gencode.workspace.audit.tables import AuditEntry
from gencode.workspace.workspace import Workspace
from tests.servers.workspace import ACTOR, PASSWORD, new_user, workspace

ENTRIES = 5


async def filled(opened: Workspace) -> None:
    for number in range(ENTRIES):
        async with opened.database.transaction() as session:
            change = Change(
                actor="user:a", action="thing.changed", subject=f"thing:{number}", before={"名": "b", "a": 1}
            )
            await opened.audit.append(session, change)


async def broken_at(opened: Workspace) -> int | None:
    return (await opened.audit.verify(opened.database)).broken


async def test_a_log_that_nobody_changed_is_in_order(database_url: str) -> None:
    async with workspace(database_url) as opened:
        assert await broken_at(opened) is None
        await filled(opened)
        found = await opened.audit.verify(opened.database)
        assert (found.entries, found.broken) == (ENTRIES, None)
        assert found.last


async def change_action(session: AsyncSession) -> None:
    await session.execute(update(AuditEntry).where(AuditEntry.position == 3).values(action="other"))


async def change_values(session: AsyncSession) -> None:
    await session.execute(update(AuditEntry).where(AuditEntry.position == 3).values(before={"a": 2}))


async def remove(session: AsyncSession) -> None:
    await session.execute(delete(AuditEntry).where(AuditEntry.position == 3))


async def swap(session: AsyncSession) -> None:
    for old, new in ((3, 99), (4, 3), (99, 4)):
        await session.execute(update(AuditEntry).where(AuditEntry.position == old).values(position=new))


async def remove_and_close_the_gap(session: AsyncSession) -> None:
    await remove(session)
    for position in (4, 5):
        where = AuditEntry.position == position
        await session.execute(update(AuditEntry).where(where).values(position=position - 1))


async def insert_before_the_first(session: AsyncSession) -> None:
    for position in (0, -5):
        session.add(AuditEntry(position=position, actor="x", action="y", subject="z", mac="0" * 64))


async def test_entries_before_the_first_are_found(database_url: str) -> None:
    async with workspace(database_url) as opened:
        await filled(opened)
        async with opened.database.transaction() as session:
            await insert_before_the_first(session)
        assert await broken_at(opened) == 1


@pytest.mark.parametrize("tamper", [change_action, change_values, remove, swap, remove_and_close_the_gap])
async def test_every_change_of_the_log_is_found(database_url: str, tamper: object) -> None:
    async with workspace(database_url) as opened:
        await filled(opened)
        async with opened.database.transaction() as session:
            await tamper(session)  # type: ignore[operator]
        assert await broken_at(opened) == 3


async def test_entries_cannot_be_forged_without_the_key(database_url: str) -> None:
    async with workspace(database_url) as opened:
        await filled(opened)
        async with opened.database.transaction() as session:
            await AuditLog(b"another key").append(session, Change(actor="x", action="y", subject="z"))
        assert await broken_at(opened) == ENTRIES + 1


async def test_an_entry_shares_the_fate_of_its_change(database_url: str) -> None:
    async with workspace(database_url) as opened:

        async def append_and_fail() -> None:
            async with opened.database.transaction() as session:
                await opened.audit.append(session, Change(actor="a", action="b", subject="c"))
                raise RuntimeError

        with pytest.raises(RuntimeError):
            await append_and_fail()
        await filled(opened)
        assert await broken_at(opened) is None


async def test_neither_passwords_nor_hashes_nor_tokens_are_in_the_log(database_url: str) -> None:
    async with workspace(database_url) as opened:
        user = await opened.accounts.create(new_user(), ACTOR)
        new = "a new long password"
        await opened.accounts.reset_password(user.id, new, ACTOR)
        await opened.accounts.change(user.id, {"nickname": "Al", "is_active": False}, ACTOR)
        stored = (await opened.accounts.get(user.id)).password_hash
        async with opened.database.transaction() as session:
            entries = (await session.scalars(select(AuditEntry))).all()
            everything = repr([(e.actor, e.action, e.subject, e.before, e.after) for e in entries])
        assert [entry.action for entry in entries] == ["user.created", "password.reset", "user.changed"]
        assert entries[-1].before == {"nickname": None, "is_active": True}
        assert entries[-1].after == {"nickname": "Al", "is_active": False}
        for secret in (PASSWORD, new, stored, "argon2"):
            assert secret not in everything
