from __future__ import annotations

from datetime import timedelta

import anyio
import pytest
from sqlalchemy import select, update

from gencode.auth.authentication import Authentication
from gencode.domain.errors import NotFound, Unauthorized
from gencode.workspace.audit.tables import AuditEntry
from gencode.workspace.errors import SessionEnded
from gencode.workspace.identity.sessions import REFRESH_GRACE, Client, TokenPair
from gencode.workspace.identity.tables import User, UserRole, UserSession
from gencode.workspace.workspace import Workspace
from tests.servers.workspace import ACTOR, PASSWORD, new_user, workspace

CLIENT = Client(user_agent="a browser", address="192.0.2.7")


async def logged_in(opened: Workspace, name: str = "alice") -> tuple[User, TokenPair]:
    user = await opened.accounts.create(new_user(name), ACTOR)
    return user, await opened.sessions.open(user, CLIENT)


async def set_back(opened: Workspace, seconds: timedelta) -> None:
    """Lets time pass for the sessions."""
    async with opened.database.transaction() as session:
        for one in (await session.scalars(select(UserSession))).all():
            one.rotated_at -= seconds


async def actions(opened: Workspace) -> list[str]:
    async with opened.database.transaction() as session:
        return list(await session.scalars(select(AuditEntry.action).order_by(AuditEntry.position)))


async def test_refresh_tokens_rotate_and_access_tokens_authenticate(database_url: str) -> None:
    async with workspace(database_url) as opened:
        user, first = await logged_in(opened)
        second = await opened.sessions.refresh(first.refresh_token, CLIENT)
        assert second.refresh_token != first.refresh_token
        for pair in (first, second):
            found = await opened.authenticator.authenticate(pair.access_token)
            assert found.principal.id == f"user:{user.id}"
            assert found.principal.roles == {"user"}


async def test_parallel_refreshes_get_one_successor(database_url: str) -> None:
    async with workspace(database_url) as opened:
        _, pair = await logged_in(opened)
        tokens: set[str] = set()

        async def refresh() -> None:
            tokens.add((await opened.sessions.refresh(pair.refresh_token, CLIENT)).refresh_token)

        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(refresh)
        assert len(tokens) == 1
        assert await opened.sessions.refresh(tokens.pop(), CLIENT)


async def test_a_token_that_is_used_again_after_the_grace_ends_the_session(database_url: str) -> None:
    async with workspace(database_url) as opened:
        _, first = await logged_in(opened)
        second = await opened.sessions.refresh(first.refresh_token, CLIENT)
        await set_back(opened, REFRESH_GRACE + timedelta(seconds=1))
        with pytest.raises(SessionEnded, match="used before"):
            await opened.sessions.refresh(first.refresh_token, CLIENT)
        with pytest.raises(SessionEnded):
            await opened.sessions.refresh(second.refresh_token, CLIENT)
        with pytest.raises(Unauthorized):
            await opened.authenticator.authenticate(second.access_token)
        assert (await actions(opened))[-1] == "session.token_reused"


async def test_a_user_has_a_limited_number_of_sessions(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gencode.workspace.identity.sessions.MAX_OPEN", 3)
    async with workspace(database_url) as opened:
        user, first = await logged_in(opened)
        for _ in range(2):
            await opened.sessions.open(user, CLIENT)
        kept = await opened.sessions.refresh(first.refresh_token, CLIENT)
        await opened.sessions.open(user, CLIENT)
        assert len(await opened.sessions.of_user(user.id)) == 3
        assert await opened.sessions.refresh(kept.refresh_token, CLIENT), "it was used last"
        assert "session.replaced" in await actions(opened)


async def test_an_older_token_than_the_predecessor_ends_the_session_at_once(database_url: str) -> None:
    async with workspace(database_url) as opened:
        _, first = await logged_in(opened)
        second = await opened.sessions.refresh(first.refresh_token, CLIENT)
        await opened.sessions.refresh(second.refresh_token, CLIENT)
        with pytest.raises(SessionEnded, match="used before"):
            await opened.sessions.refresh(first.refresh_token, CLIENT)


async def test_logout_ends_one_session_at_once_and_no_other(database_url: str) -> None:
    async with workspace(database_url) as opened:
        user, pair = await logged_in(opened)
        other = await opened.sessions.open(user, CLIENT)
        found = await opened.authenticator.authenticate(pair.access_token)
        assert opened.authenticator.is_valid(found)
        await opened.sessions.end(user.id, found.session_id, ACTOR)
        assert not opened.authenticator.is_valid(found)
        with pytest.raises(Unauthorized):
            await opened.authenticator.authenticate(pair.access_token)
        with pytest.raises(SessionEnded):
            await opened.sessions.refresh(pair.refresh_token, CLIENT)
        assert await opened.authenticator.authenticate(other.access_token)
        assert len(await opened.sessions.of_user(user.id)) == 1


async def test_nobody_ends_the_session_of_another_user(database_url: str) -> None:
    async with workspace(database_url) as opened:
        _, pair = await logged_in(opened)
        bob, _ = await logged_in(opened, "bob")
        found = await opened.authenticator.authenticate(pair.access_token)
        for session_id in (found.session_id, "no-such-session"):
            with pytest.raises(NotFound):
                await opened.sessions.end(bob.id, session_id, ACTOR)
        assert opened.authenticator.is_valid(found)


@pytest.mark.parametrize("change", ["deactivated", "deleted", "reset"])
async def test_a_change_of_the_account_ends_its_sessions(database_url: str, change: str) -> None:
    async with workspace(database_url) as opened:
        user, pair = await logged_in(opened)
        found = await opened.authenticator.authenticate(pair.access_token)
        if change == "deactivated":
            await opened.accounts.change(user.id, {"is_active": False}, ACTOR)
        elif change == "deleted":
            await opened.accounts.delete(user.id, ACTOR)
        else:
            await opened.accounts.reset_password(user.id, "another long password", ACTOR)
        assert not opened.authenticator.is_valid(found)
        with pytest.raises(SessionEnded):
            await opened.sessions.refresh(pair.refresh_token, CLIENT)


async def test_a_changed_password_leaves_the_session_that_changed_it(database_url: str) -> None:
    async with workspace(database_url) as opened:
        user, pair = await logged_in(opened)
        other = await opened.sessions.open(user, CLIENT)
        own = await opened.authenticator.authenticate(pair.access_token)
        new = "another long password"
        await opened.accounts.change_password(user.id, PASSWORD, new, ACTOR, own.session_id)
        assert await opened.sessions.refresh(pair.refresh_token, CLIENT)
        with pytest.raises(SessionEnded):
            await opened.sessions.refresh(other.refresh_token, CLIENT)
        assert (await opened.accounts.log_in("alice", new, "")).id == user.id


async def test_a_session_that_another_process_ends_is_found_by_a_check(database_url: str) -> None:
    async with workspace(database_url) as opened:
        _, pair = await logged_in(opened)
        found = await opened.authenticator.authenticate(pair.access_token)
        async with opened.database.transaction() as session:
            await session.execute(update(UserSession).values(ended_at=UserSession.created_at))
        assert opened.authenticator.is_valid(found)
        await opened.authenticator.check([found])
        assert not opened.authenticator.is_valid(found)


async def test_a_ticket_ends_with_its_session(database_url: str) -> None:
    async with workspace(database_url) as opened:
        user, pair = await logged_in(opened)
        session_id = (await opened.authenticator.authenticate(pair.access_token)).session_id
        held: Authentication = await opened.authenticator.authenticate_session(session_id)
        assert held.principal.id == f"user:{user.id}"
        await opened.sessions.end(user.id, session_id, ACTOR)
        assert not opened.authenticator.is_valid(held)
        for ended in (session_id, "", "nothing"):
            with pytest.raises(Unauthorized):
                await opened.authenticator.authenticate_session(ended)


async def test_an_admin_is_an_operator_and_loses_it_with_the_role(database_url: str) -> None:
    async with workspace(database_url) as opened:
        await opened.accounts.create(new_user("root", UserRole.ADMIN), ACTOR)
        second = await opened.accounts.create(new_user("second", UserRole.ADMIN), ACTOR)
        pair = await opened.sessions.open(second, CLIENT)
        found = await opened.authenticator.authenticate(pair.access_token)
        assert found.principal.is_operator
        await opened.accounts.change(second.id, {"role": "tester"}, ACTOR)
        await opened.authenticator.check([found])
        again = await opened.authenticator.authenticate(pair.access_token)
        assert again.principal.roles == {"tester"}


async def test_sessions_survive_a_restart(database_url: str) -> None:
    async with workspace(database_url) as opened:
        _, pair = await logged_in(opened)
    async with workspace(database_url) as opened:
        assert opened.authenticator.is_required
        assert await opened.authenticator.authenticate(pair.access_token)
        assert await opened.sessions.refresh(pair.refresh_token, CLIENT)
