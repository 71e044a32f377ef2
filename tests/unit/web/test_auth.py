"""API_KEYS as people write them."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from gencode.errors import StartError, Unauthorized
from gencode.web.auth import LOCAL, Keys

HASH = sha256(b"secret").hexdigest()


def client(keys: Keys, key: str) -> str:
    return keys.client(Headers({"x-api-key": key}))


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
    assert client(Keys(entries), key) == expected


@pytest.mark.parametrize("entries", ["", " ", ",", " , ,"])
def test_without_entries_everybody_is_the_one_local_client(entries: str) -> None:
    keys = Keys(entries)
    assert not keys
    assert client(keys, "whatever") == LOCAL


@pytest.mark.parametrize(
    "entry", ["=secret", "alice=", "=", "alice=sha256:", "alice=sha256:abc", "sha256:xyz"]
)
def test_an_entry_that_cannot_be_meant_is_refused_without_being_told(entry: str) -> None:
    with pytest.raises(StartError, match="entry 2 must be") as caught:
        Keys(f"bob=fine,{entry}")
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("key", ["", "Secret", "secret2", HASH, f"sha256:{HASH}", "alice=secret", "\xff"])
def test_what_is_not_the_key_is_refused(key: str) -> None:
    for entries in ("alice=secret", f"alice=sha256:{HASH}"):
        with pytest.raises(Unauthorized):
            client(Keys(entries), key)


def test_the_hash_of_nothing_lets_nobody_in() -> None:
    with pytest.raises(Unauthorized):
        client(Keys(f"alice=sha256:{sha256(b'').hexdigest()}"), "")


def test_clients_are_known_by_name() -> None:
    keys = Keys("alice=secret")
    assert "alice" in keys
    assert "secret" not in keys


@given(st.text(st.characters(codec="latin-1")), st.text(st.characters(codec="latin-1")))
def test_no_header_breaks_the_check(authorization: str, key: str) -> None:
    with pytest.raises(Unauthorized):
        Keys("alice=a-key-that-nobody-guesses").client(
            Headers({"authorization": authorization, "x-api-key": key})
        )
