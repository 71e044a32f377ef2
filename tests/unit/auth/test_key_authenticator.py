"""Authentication by the keys of API_KEYS, and by the keys of a store that changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers
from starlette.types import Message, Receive

from gencode.auth.authentication import Authentication
from gencode.auth.key_authenticator import ApiKeyAuthenticator
from gencode.auth.key_store import KeyOptions, key_store
from gencode.domain.errors import StartError, Unauthorized
from gencode.domain.principal import LOCAL, Principal, PrincipalKind

HASH = sha256(b"secret").hexdigest()


def client(keys: ApiKeyAuthenticator, key: str) -> str:
    return keys.authenticate(Headers({"x-api-key": key})).principal.id


def ticket_of(name: str) -> Authentication:
    """What a ticket proves: the principal, and no key."""
    return Authentication(principal=Principal(id=name, kind=PrincipalKind.API_KEY))


@pytest.mark.parametrize(
    ("entries", "key", "expected"),
    [
        ("alice=secret", "secret", "alice"),
        (" alice=secret , bob=other ", "other", "bob"),
        (f"alice=sha256:{HASH}", "secret", "alice"),
        (f"alice=sha256:{HASH.upper()}", "secret", "alice"),
        ("alice=a=b==", "a=b==", "alice"),
        ("alice=one,alice=two", "two", "alice"),
        (",,alice=secret,", "secret", "alice"),
        ("alice=ключ", "ключ".encode().decode("latin-1"), "alice"),
        ("alice=secret,bob=secret", "secret", "alice"),
        ("secret", "secret", f"key-{HASH[:8]}"),
        (f"sha256:{HASH}", "secret", f"key-{HASH[:8]}"),
    ],
)
def test_an_entry_names_a_client_and_its_key(entries: str, key: str, expected: str) -> None:
    assert client(ApiKeyAuthenticator(entries), key) == expected


@pytest.mark.parametrize("entries", ["", " ", ",", " , ,"])
def test_without_entries_every_request_is_of_the_local_principal(entries: str) -> None:
    keys = ApiKeyAuthenticator(entries)
    assert not keys.is_required
    assert client(keys, "whatever") == LOCAL.id


@pytest.mark.parametrize(
    "entry", ["=secret", "alice=", "=", "alice=sha256:", "alice=sha256:abc", "sha256:xyz"]
)
def test_an_invalid_entry_is_refused_without_being_repeated(entry: str) -> None:
    with pytest.raises(StartError, match="entry 2 must be") as caught:
        ApiKeyAuthenticator(f"bob=fine,{entry}")
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("key", ["", "Secret", "secret2", HASH, f"sha256:{HASH}", "alice=secret", "\xff"])
def test_another_key_is_refused(key: str) -> None:
    for entries in ("alice=secret", f"alice=sha256:{HASH}"):
        with pytest.raises(Unauthorized):
            client(ApiKeyAuthenticator(entries), key)


def test_the_hash_of_an_empty_key_authenticates_nobody() -> None:
    with pytest.raises(Unauthorized):
        client(ApiKeyAuthenticator(f"alice=sha256:{sha256(b'').hexdigest()}"), "")


def test_a_ticket_is_valid_while_its_principal_has_a_key() -> None:
    keys = ApiKeyAuthenticator("alice=secret")
    assert keys.is_valid(ticket_of("alice"))
    assert not keys.is_valid(ticket_of("secret"))


@given(st.text(st.characters(codec="latin-1")), st.text(st.characters(codec="latin-1")))
def test_any_header_is_checked_without_an_error(authorization: str, key: str) -> None:
    with pytest.raises(Unauthorized):
        ApiKeyAuthenticator("alice=a-key-that-nobody-guesses").authenticate(
            Headers({"authorization": authorization, "x-api-key": key})
        )


# --- those of `gencode keys` ------------------------------------------------------------------------


def test_a_key_is_valid_from_its_creation_until_its_revocation(tmp_path: Path) -> None:
    store = key_store(tmp_path)
    keys = ApiKeyAuthenticator("bob=secret", store)
    key, made = store.create("alice")
    assert client(keys, key) == "alice"
    assert client(keys, "secret") == "bob"
    store.revoke(made.id)
    with pytest.raises(Unauthorized):
        client(keys, key)


def test_a_key_is_required_from_the_first_one_on_and_after_the_last_one_is_revoked(tmp_path: Path) -> None:
    store = key_store(tmp_path)
    keys = ApiKeyAuthenticator("", store)
    assert client(keys, "") == LOCAL.id
    key, _ = store.create("alice")
    assert keys.is_required
    assert not keys.is_valid(Authentication(principal=LOCAL))
    with pytest.raises(Unauthorized):
        client(keys, "")
    assert client(keys, key) == "alice"
    store.revoke("alice")
    assert keys.is_required
    store.path.unlink()
    with pytest.raises(Unauthorized):
        client(keys, "")
    assert not ApiKeyAuthenticator("", store).is_required


def test_a_damaged_file_authenticates_nobody_until_it_is_restored(tmp_path: Path) -> None:
    store = key_store(tmp_path)
    key, _ = store.create("alice")
    keys, good = ApiKeyAuthenticator("bob=secret", store), store.path.read_bytes()
    store.path.write_text("{")
    with pytest.raises(Unauthorized):
        client(keys, key)
    assert client(keys, "secret") == "bob"
    with pytest.raises(StartError, match="damaged"):
        ApiKeyAuthenticator("", store)
    store.path.write_bytes(good)
    assert client(keys, key) == "alice"


def test_two_keys_of_one_client_are_revoked_separately(tmp_path: Path) -> None:
    store = key_store(tmp_path)
    (old, first), (new, _) = store.create("alice"), store.create("alice")
    keys = ApiKeyAuthenticator("", store)
    authentications = [keys.authenticate(Headers({"x-api-key": key})) for key in (old, new)]
    store.revoke(first.id)
    assert keys.is_required  # reads the file again
    assert [keys.is_valid(authentication) for authentication in authentications] == [False, True]
    assert keys.is_valid(ticket_of("alice"))


async def receive_after_body(keys: ApiKeyAuthenticator, key: str) -> Receive:
    """A `receive` that waits for the client to disconnect."""
    body: list[Message] = [{"type": "http.request", "more_body": True}, {"type": "http.request"}]
    messages = iter(body)

    async def next_message() -> Message:
        return next(messages, None) or await anyio.sleep_forever()

    receive = keys.receive_while_valid(keys.authenticate(Headers({"x-api-key": key})), next_message)
    assert [await receive() for _ in body] == body
    return receive


async def test_a_revoked_key_disconnects_a_waiting_receive(tmp_path: Path) -> None:
    store = key_store(tmp_path)
    key, _ = store.create("alice")
    keys = ApiKeyAuthenticator("", store)
    receive = await receive_after_body(keys, key)
    messages: list[object] = []

    async def wait() -> None:
        messages.append(await receive())

    async with anyio.create_task_group() as tg:
        tg.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        store.revoke("alice")
        assert keys.is_required  # reads the file again
    assert messages == [{"type": "http.disconnect"}]
    assert await receive() == {"type": "http.disconnect"}


def test_revocation_calls_once_or_at_once_and_not_after_the_block(tmp_path: Path) -> None:
    store = key_store(tmp_path)
    key, _ = store.create("alice")
    keys = ApiKeyAuthenticator("", store)
    authentication, calls = keys.authenticate(Headers({"x-api-key": key})), []
    with keys.call_on_invalidation(authentication, lambda: calls.append("open")):
        store.revoke("alice")
        assert keys.is_required  # reads the file again
        assert calls == ["open"]
        with keys.call_on_invalidation(authentication, lambda: calls.append("late")):
            assert calls == ["open", "late"]
    store.create("bob")
    assert keys.is_required
    assert calls == ["open", "late"]


# --- keys that expire, have a rate, or are an operator's --------------------------------------------


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2099, 12, 31, 17, 59, 59, tzinfo=UTC)


EXPIRES = KeyOptions(expires_at=datetime(2099, 12, 31, 18, tzinfo=UTC))


async def test_an_expired_key_authenticates_nobody_and_says_why(tmp_path: Path) -> None:
    store, clock = key_store(tmp_path), Clock()
    key, _ = store.create("alice", EXPIRES)
    keys = ApiKeyAuthenticator("", store, lambda: clock.now)
    authentication = keys.authenticate(Headers({"x-api-key": key}))
    clock.now += timedelta(seconds=1)
    with pytest.raises(Unauthorized, match="expired at 2099-12-31 18:00 UTC"):
        client(keys, key)
    with pytest.raises(Unauthorized, match="no API key any more"):
        await keys.authenticate_ticket_holder("alice")
    assert not keys.is_valid(authentication)
    assert keys.is_required


async def test_a_key_that_expires_disconnects_a_waiting_receive(tmp_path: Path) -> None:
    store, clock = key_store(tmp_path), Clock()
    key, _ = store.create("alice", EXPIRES)
    keys = ApiKeyAuthenticator("", store, lambda: clock.now)
    receive = await receive_after_body(keys, key)
    async with anyio.create_task_group() as group:
        group.start_soon(keys.watch)
        clock.now += timedelta(seconds=1)
        assert await receive() == {"type": "http.disconnect"}
        group.cancel_scope.cancel()


def test_the_newest_valid_key_with_a_rate_decides(tmp_path: Path) -> None:
    store, clock = key_store(tmp_path), Clock()
    keys = ApiKeyAuthenticator("", store, lambda: clock.now)
    assert keys.rate("alice") == ""
    store.create("alice", KeyOptions(rate="1/minute"))
    store.create("alice", KeyOptions(rate="2/minute", expires_at=EXPIRES.expires_at))
    store.create("alice")
    store.create("bob", KeyOptions(rate="3/minute"))
    assert keys.is_required  # reads the file again
    assert keys.rate("alice") == "2/minute"
    clock.now += timedelta(seconds=1)
    assert keys.rate("alice") == "1/minute"
    store.revoke("alice")
    assert keys.is_required  # reads the file again
    assert keys.rate("alice") == ""


def test_only_an_operators_key_has_its_role(tmp_path: Path) -> None:
    store = key_store(tmp_path)
    (one, _), (other, _) = store.create("alice", KeyOptions(operator=True)), store.create("alice")
    keys = ApiKeyAuthenticator("", store)
    found = [keys.authenticate(Headers({"x-api-key": key})).principal for key in (one, other)]
    assert [principal.is_operator for principal in found] == [True, False]
