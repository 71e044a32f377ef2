"""API_KEYS as people write them, and the file of keys as it changes."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from gencode.auth.api_keys import LOCAL, ApiKeys, Caller
from gencode.auth.key_file import key_file
from gencode.domain.errors import StartError, Unauthorized

HASH = sha256(b"secret").hexdigest()


def client(keys: ApiKeys, key: str) -> str:
    return keys.caller(Headers({"x-api-key": key})).client


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
    assert client(ApiKeys(entries), key) == expected


@pytest.mark.parametrize("entries", ["", " ", ",", " , ,"])
def test_without_entries_everybody_is_the_one_local_client(entries: str) -> None:
    keys = ApiKeys(entries)
    assert not keys.needed
    assert client(keys, "whatever") == LOCAL


@pytest.mark.parametrize(
    "entry", ["=secret", "alice=", "=", "alice=sha256:", "alice=sha256:abc", "sha256:xyz"]
)
def test_an_entry_that_cannot_be_meant_is_refused_without_being_told(entry: str) -> None:
    with pytest.raises(StartError, match="entry 2 must be") as caught:
        ApiKeys(f"bob=fine,{entry}")
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("key", ["", "Secret", "secret2", HASH, f"sha256:{HASH}", "alice=secret", "\xff"])
def test_what_is_not_the_key_is_refused(key: str) -> None:
    for entries in ("alice=secret", f"alice=sha256:{HASH}"):
        with pytest.raises(Unauthorized):
            client(ApiKeys(entries), key)


def test_the_hash_of_nothing_lets_nobody_in() -> None:
    with pytest.raises(Unauthorized):
        client(ApiKeys(f"alice=sha256:{sha256(b'').hexdigest()}"), "")


def test_clients_are_known_by_name() -> None:
    keys = ApiKeys("alice=secret")
    assert keys.holds(Caller(client="alice"))
    assert not keys.holds(Caller(client="secret"))


@given(st.text(st.characters(codec="latin-1")), st.text(st.characters(codec="latin-1")))
def test_no_header_breaks_the_check(authorization: str, key: str) -> None:
    with pytest.raises(Unauthorized):
        ApiKeys("alice=a-key-that-nobody-guesses").caller(
            Headers({"authorization": authorization, "x-api-key": key})
        )


# --- those of `gencode keys` ------------------------------------------------------------------------


def test_a_key_is_honoured_as_soon_as_it_is_made_and_refused_as_soon_as_it_is_revoked(tmp_path: Path) -> None:
    file = key_file(tmp_path)
    keys = ApiKeys("bob=secret", file)
    key, made = file.make("alice")
    assert client(keys, key) == "alice"
    assert client(keys, "secret") == "bob"
    file.revoke(made.id)
    with pytest.raises(Unauthorized):
        client(keys, key)


def test_the_first_key_shuts_the_door_and_the_last_one_does_not_open_it(tmp_path: Path) -> None:
    file = key_file(tmp_path)
    keys = ApiKeys("", file)
    assert client(keys, "") == LOCAL
    key, _ = file.make("alice")
    assert keys.needed
    assert not keys.holds(Caller(client=LOCAL))
    with pytest.raises(Unauthorized):
        client(keys, "")
    assert client(keys, key) == "alice"
    file.revoke("alice")
    assert keys.needed
    file.path.unlink()
    with pytest.raises(Unauthorized):
        client(keys, "")
    assert not ApiKeys("", file).needed


def test_a_damaged_file_lets_nobody_in_until_it_is_mended(tmp_path: Path) -> None:
    file = key_file(tmp_path)
    key, _ = file.make("alice")
    keys, good = ApiKeys("bob=secret", file), file.path.read_bytes()
    file.path.write_text("{")
    with pytest.raises(Unauthorized):
        client(keys, key)
    assert client(keys, "secret") == "bob"
    with pytest.raises(StartError, match="damaged"):
        ApiKeys("", file)
    file.path.write_bytes(good)
    assert client(keys, key) == "alice"


def test_of_two_keys_of_one_client_each_is_revoked_by_itself(tmp_path: Path) -> None:
    file = key_file(tmp_path)
    (old, first), (new, _) = file.make("alice"), file.make("alice")
    keys = ApiKeys("", file)
    callers = [keys.caller(Headers({"x-api-key": key})) for key in (old, new)]
    file.revoke(first.id)
    assert [keys.holds(caller) for caller in callers] == [False, True]
    assert keys.holds(Caller(client="alice"))


async def test_who_waits_hears_of_the_end_of_the_key(tmp_path: Path) -> None:
    file = key_file(tmp_path)
    key, _ = file.make("alice")
    keys = ApiKeys("", file)
    receive = keys.hearing(keys.caller(Headers({"x-api-key": key})), anyio.sleep_forever)
    heard: list[object] = []

    async def wait() -> None:
        heard.append(await receive())

    async with anyio.create_task_group() as tg:
        tg.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        file.revoke("alice")
        assert keys.needed  # a look at the file
    assert heard == [{"type": "http.disconnect"}]
    assert await receive() == {"type": "http.disconnect"}


def test_who_parts_is_told_when_the_key_goes_or_at_once_and_no_more_after_that(tmp_path: Path) -> None:
    file = key_file(tmp_path)
    key, _ = file.make("alice")
    keys = ApiKeys("", file)
    caller, told = keys.caller(Headers({"x-api-key": key})), []
    with keys.parting(caller, lambda: told.append("open")):
        file.revoke("alice")
        assert keys.needed  # a look at the file
        assert told == ["open"]
        with keys.parting(caller, lambda: told.append("late")):
            assert told == ["open", "late"]
    file.make("bob")
    assert keys.needed
    assert told == ["open", "late"]
