from __future__ import annotations

from datetime import timedelta

import anyio
import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, update

from gencode.domain.errors import NotFound, RateLimited
from gencode.http.fair_limiter import MAX_WAITING
from gencode.workspace.errors import AlreadyTaken, LastAdmin, LoginFailed, LoginLocked
from gencode.workspace.identity.login_attempts import NETWORKS, LoginLimit
from gencode.workspace.identity.tables import LoginAttempts, User, UserRole
from gencode.workspace.workspace import Workspace
from tests.servers.workspace import ACTOR, PASSWORD, new_user, workspace


async def test_a_user_logs_in_by_name_or_address_in_any_case(database_url: str) -> None:
    async with workspace(database_url) as opened:
        user = await opened.accounts.create(new_user("Alice"), ACTOR)
        for name in ("Alice", "alice", " ALICE ", "alice@EXAMPLE.com"):
            assert (await opened.accounts.log_in(name, PASSWORD, "")).id == user.id
        assert PASSWORD not in user.password_hash


@pytest.mark.parametrize("name", ["alice", "nobody", "", "'; DROP TABLE users; --"])
async def test_a_wrong_password_and_an_unknown_user_fail_alike(database_url: str, name: str) -> None:
    async with workspace(database_url) as opened:
        await opened.accounts.create(new_user(), ACTOR)
        with pytest.raises(LoginFailed, match=r"^unknown user or wrong password$"):
            await opened.accounts.log_in(name, "wrong", "")


async def test_names_and_addresses_are_unique_among_users_who_are_not_deleted(database_url: str) -> None:
    async with workspace(database_url) as opened:
        first = await opened.accounts.create(new_user("alice"), ACTOR)
        with pytest.raises(AlreadyTaken, match="username"):
            await opened.accounts.create(new_user("ALICE", email="other@example.com"), ACTOR)
        with pytest.raises(AlreadyTaken, match="email"):
            await opened.accounts.create(new_user("other", email="ALICE@example.com"), ACTOR)
        await opened.accounts.delete(first.id, ACTOR)
        again = await opened.accounts.create(new_user("alice"), ACTOR)
        assert again.id != first.id
        with pytest.raises(NotFound):
            await opened.accounts.get(first.id)


async def test_a_name_is_locked_after_failed_logins_whether_or_not_it_exists(database_url: str) -> None:
    async with workspace(database_url, login_limit=LoginLimit(attempts=3)) as opened:
        await opened.accounts.create(new_user(), ACTOR)
        for name in ("alice", "nobody"):
            for _ in range(3):
                with pytest.raises(LoginFailed):
                    await opened.accounts.log_in(name, "wrong", "")
            with pytest.raises(LoginLocked) as locked:
                await opened.accounts.log_in(name, PASSWORD, "")
            assert locked.value.retry_after
            assert 0 < locked.value.retry_after <= 15 * 60


async def test_guesses_at_the_same_time_do_not_exceed_the_limit(database_url: str) -> None:
    outcomes: list[type[Exception]] = []
    async with workspace(database_url, login_limit=LoginLimit(attempts=5)) as opened:
        await opened.accounts.create(new_user(), ACTOR)

        async def guess() -> None:
            try:
                await opened.accounts.log_in("alice", "wrong", "")
            except (LoginFailed, LoginLocked) as error:
                outcomes.append(type(error))

        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(guess)
    assert outcomes.count(LoginFailed) == 5
    assert outcomes.count(LoginLocked) == 15


async def let_locks_end(opened: Workspace) -> None:
    async with opened.database.transaction() as session:
        for found in (await session.scalars(select(LoginAttempts))).all():
            found.locked_until = found.last_at - timedelta(seconds=1)


async def test_a_lock_ends_by_time_and_by_a_reset(database_url: str) -> None:
    async with workspace(database_url, login_limit=LoginLimit(attempts=1)) as opened:
        user = await opened.accounts.create(new_user(), ACTOR)
        for end in (let_locks_end, None):
            with pytest.raises(LoginFailed):
                await opened.accounts.log_in("alice", "wrong", "")
            with pytest.raises(LoginLocked):
                await opened.accounts.log_in("alice", PASSWORD, "")
            if end:
                await end(opened)
            else:
                await opened.accounts.reset_password(user.id, PASSWORD, ACTOR)
            assert await opened.accounts.log_in("alice", PASSWORD, "")


async def test_a_login_clears_the_failures_before_it(database_url: str) -> None:
    async with workspace(database_url, login_limit=LoginLimit(attempts=3)) as opened:
        await opened.accounts.create(new_user(), ACTOR)
        for _ in range(3):
            for _ in range(2):
                with pytest.raises(LoginFailed):
                    await opened.accounts.log_in("alice", "wrong", "")
            assert await opened.accounts.log_in("alice", PASSWORD, "")


@pytest.mark.parametrize("change", [{"role": "user"}, {"is_active": False}, None])
async def test_the_last_active_admin_stays(database_url: str, change: dict[str, object] | None) -> None:
    async with workspace(database_url) as opened:
        admin = await opened.accounts.create(new_user("root", UserRole.ADMIN), ACTOR)

        async def try_it() -> None:
            if change:
                await opened.accounts.change(admin.id, change, ACTOR)
            else:
                await opened.accounts.delete(admin.id, ACTOR)

        with pytest.raises(LastAdmin):
            await try_it()
        unchanged = await opened.accounts.get(admin.id)
        assert (unchanged.role, unchanged.is_active) == ("admin", True)
        await opened.accounts.create(new_user("second", UserRole.ADMIN), ACTOR)
        await try_it()


async def test_of_the_last_two_admins_one_stays_whoever_else_goes_at_the_same_time(database_url: str) -> None:
    outcomes: list[str] = []
    async with workspace(database_url) as opened:
        for turn in range(5):
            pair = [
                await opened.accounts.create(new_user(f"a{turn}{n}", UserRole.ADMIN), ACTOR) for n in "xy"
            ]

            async def delete(user_id: str) -> None:
                try:
                    await opened.accounts.delete(user_id, ACTOR)
                    outcomes.append("deleted")
                except LastAdmin:
                    outcomes.append("last")

            async with anyio.create_task_group() as group:
                for user in pair:
                    group.start_soon(delete, user.id)
            assert sorted(outcomes) == ["deleted", "last"]
            outcomes.clear()
            (left,) = await opened.accounts.page(5)
            await opened.accounts.create(new_user(f"keeper{turn}", UserRole.ADMIN), ACTOR)
            await opened.accounts.delete(left.id, ACTOR)
            keeper = await opened.accounts.named(f"keeper{turn}")
            assert keeper
            async with opened.database.transaction() as session:
                await session.execute(update(User).where(User.id == keeper.id).values(is_deleted=True))


async def test_a_login_whose_password_is_changed_meanwhile_fails(database_url: str) -> None:
    async with workspace(database_url) as opened:
        user = await opened.accounts.create(new_user(), ACTOR)
        verify = opened.accounts._passwords.verify

        async def verify_and_reset(stored: str | None, password: str) -> bool:
            is_right = await verify(stored, password)
            await opened.accounts.reset_password(user.id, "another long password", ACTOR)
            return is_right

        opened.accounts._passwords.verify = verify_and_reset  # type: ignore[method-assign]
        with pytest.raises(LoginFailed):
            await opened.accounts.log_in("alice", PASSWORD, "")


@pytest.mark.parametrize("while_hashing", [False, True])
async def test_a_password_that_an_admin_resets_meanwhile_is_not_changed(
    database_url: str, while_hashing: bool
) -> None:
    """Who knows the old password, perhaps a thief, would otherwise undo the reset."""
    reset = "another long password"
    async with workspace(database_url) as opened:
        user = await opened.accounts.create(new_user(), ACTOR)
        passwords = opened.accounts._passwords
        verify, hash_password = passwords.verify, passwords.hash

        async def verify_and_reset(stored: str | None, password: str) -> bool:
            is_right = await verify(stored, password)
            if not while_hashing:
                await opened.accounts.reset_password(user.id, reset, ACTOR)
            return is_right

        async def reset_and_hash(password: str) -> str:
            if while_hashing and password != reset:
                await opened.accounts.reset_password(user.id, reset, ACTOR)
            return await hash_password(password)

        passwords.verify = verify_and_reset  # type: ignore[method-assign]
        passwords.hash = reset_and_hash  # type: ignore[method-assign]
        with pytest.raises(LoginFailed):
            await opened.accounts.change_password(user.id, PASSWORD, "a thief's password", ACTOR, "")
        passwords.verify, passwords.hash = verify, hash_password  # type: ignore[method-assign]
        await opened.accounts.log_in("alice", reset, "")


async def test_name_and_address_of_a_user_share_the_limit(database_url: str) -> None:
    async with workspace(database_url, login_limit=LoginLimit(attempts=2)) as opened:
        await opened.accounts.create(new_user(), ACTOR)
        for name in ("alice", "alice@example.com"):
            with pytest.raises(LoginFailed):
                await opened.accounts.log_in(name, "wrong", "")
        with pytest.raises(LoginLocked):
            await opened.accounts.log_in("ALICE@example.com", PASSWORD, "")


@pytest.mark.parametrize("attacker", ["198.51.100.7", "2001:db8:1:1::%x"])
async def test_who_fails_on_purpose_does_not_lock_out_the_user(database_url: str, attacker: str) -> None:
    """Addresses that one client can choose among count as one."""
    victim = "2001:db8:2::1"
    async with workspace(database_url, login_limit=LoginLimit(attempts=2)) as opened:
        await opened.accounts.create(new_user(), ACTOR)
        for number in range(60):
            with pytest.raises((LoginFailed, LoginLocked)):
                await opened.accounts.log_in("alice", "wrong", attacker.replace("%x", f"{number:x}"))
        with pytest.raises(LoginLocked):
            await opened.accounts.log_in("alice", PASSWORD, attacker.replace("%x", "ffff"))
        assert await opened.accounts.log_in("alice", PASSWORD, victim)


async def test_guesses_from_many_networks_are_limited_together_and_for_a_while(database_url: str) -> None:
    limit = LoginLimit(attempts=2)
    outcomes: list[type[Exception]] = []
    async with workspace(database_url, login_limit=limit) as opened:
        await opened.accounts.create(new_user(), ACTOR)
        for number in range(NETWORKS * limit.attempts + 5):
            with pytest.raises((LoginFailed, LoginLocked)) as refused:
                await opened.accounts.log_in("alice", "wrong", f"198.51.100.{number}")
            outcomes.append(refused.type)
        assert outcomes.count(LoginFailed) == NETWORKS * limit.attempts
        await let_locks_end(opened)
        assert await opened.accounts.log_in("alice", PASSWORD, "192.0.2.1")


async def test_many_right_logins_are_no_guesses(database_url: str) -> None:
    async with workspace(database_url, login_limit=LoginLimit(attempts=1)) as opened:
        await opened.accounts.create(new_user(), ACTOR)
        for number in range(NETWORKS + 5):
            await opened.accounts.log_in("alice", PASSWORD, f"198.51.100.{number}")


async def test_one_network_cannot_fill_the_queue_of_logins(database_url: str) -> None:
    """Each of them hashes a password."""
    outcomes: list[str] = []
    async with workspace(database_url, login_limit=LoginLimit(attempts=1000)) as opened:
        await opened.accounts.create(new_user(), ACTOR)

        async def log_in(name: str, address: str) -> None:
            try:
                await opened.accounts.log_in(name, PASSWORD, address)
            except (LoginFailed, RateLimited) as error:
                outcomes.append(f"{address} {error.code}")
            else:
                outcomes.append(f"{address} in")

        async with anyio.create_task_group() as group:
            for number in range(200):
                group.start_soon(log_in, f"nobody{number}", "198.51.100.7")
            group.start_soon(log_in, "alice", "192.0.2.1")
    assert outcomes.count("198.51.100.7 RATE_LIMITED") == 200 - MAX_WAITING
    assert outcomes.count("192.0.2.1 in") == 1
    assert outcomes.index("192.0.2.1 in") < 190, "it did not wait for all others"


async def test_right_logins_at_the_same_time_are_no_failures(database_url: str) -> None:
    async with workspace(database_url, login_limit=LoginLimit(attempts=2)) as opened:
        await opened.accounts.create(new_user(), ACTOR)
        async with anyio.create_task_group() as group:
            for _ in range(10):
                group.start_soon(opened.accounts.log_in, "alice", PASSWORD, "")


async def test_pages_of_users_follow_each_other(database_url: str) -> None:
    async with workspace(database_url) as opened:
        for name in ("bob", "Alice", "carol", "Dave", "eve"):
            await opened.accounts.create(new_user(name), ACTOR)
        names: list[str] = []
        while page := await opened.accounts.page(2, names[-1] if names else ""):
            names += [user.username for user in page]
        assert names == ["Alice", "bob", "carol", "Dave", "eve"]


async def test_a_hash_with_old_parameters_is_replaced_by_the_next_login(database_url: str) -> None:
    async with workspace(database_url) as opened:
        user = await opened.accounts.create(new_user(), ACTOR)
        before = (await opened.accounts.get(user.id)).password_hash
        opened.accounts._passwords._hasher = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
        await opened.accounts.log_in("alice", PASSWORD, "")
        after = (await opened.accounts.get(user.id)).password_hash
        assert after != before
        assert "t=2" in after
        assert await opened.accounts.log_in("alice", PASSWORD, "")
