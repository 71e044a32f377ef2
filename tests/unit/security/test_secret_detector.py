from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gencode.security.secret_detector import SecretDetector, contains_secret

SECRETS = (
    "purple-walrus-of-alice",
    "purple-whale-and-more",
    "aaaaaaaaaaab",
    "秘密的钥匙就在这里面不要说出去",
)


def fed(detector: SecretDetector, chunks: Iterable[str]) -> str | None:
    """What was passed on in all; None if a secret was found."""
    passed = ""
    for chunk in chunks:
        part = detector.feed(chunk)
        if part is None:
            return None
        passed += part
    return passed + detector.finish()


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_found_wherever_the_text_is_cut_and_nothing_of_it_is_passed_on(secret: str) -> None:
    text = f"key = '{secret}'\n"
    for size in range(1, len(text) + 1):
        detector, passed = SecretDetector(SECRETS), ""
        for at in range(0, len(text), size):
            part = detector.feed(text[at : at + size])
            if part is None:
                break
            passed += part
        else:
            pytest.fail("not found")
        assert "key = '".startswith(passed)


@given(st.lists(st.sampled_from(["purple-", "w", "hale", "a" * 5, "b", "walrus-of-", "\n", "秘密", "的"])))
def test_what_is_no_secret_is_passed_on_unchanged(chunks: list[str]) -> None:
    text = "".join(chunks)
    has_secret = any(secret in text for secret in SECRETS)
    assert fed(SecretDetector(SECRETS), chunks) == (None if has_secret else text)


@given(st.integers(0, 30), st.integers(1, 8))
def test_no_more_than_a_secret_is_held_back(length: int, size: int) -> None:
    detector, received, passed = SecretDetector(SECRETS), 0, 0
    for _ in range(length):
        received += size
        passed += len(detector.feed("a" * size) or "")
        assert received - passed < len("aaaaaaaaaaab")


def test_a_secret_that_began_in_the_text_before_is_found() -> None:
    assert fed(SecretDetector(SECRETS, "key = purple-walrus"), ["-of-alice"]) is None
    assert fed(SecretDetector(SECRETS, "key = purple-walrus"), ["-of-", "bob"]) == "-of-bob"
    assert fed(SecretDetector(SECRETS, "key = purple-walrus"), []) == ""


def test_short_secrets_are_part_of_innocent_words() -> None:
    assert fed(SecretDetector(["changeme"]), ["change", "me"]) == "changeme"
    assert not contains_secret("changeme", ["changeme"])


def test_without_secrets_nothing_is_held_back() -> None:
    assert SecretDetector([]).feed("purple") == "purple"


@pytest.mark.parametrize("secret", ['pass"word\\with-marks', "purple-walrus-of-alice"])
def test_a_secret_is_found_in_json(secret: str) -> None:
    assert contains_secret(f"x {secret}", [secret])
    assert contains_secret('{"a": "pass\\"word\\\\with-marks purple-walrus-of-alice"}', [secret])
    assert not contains_secret('{"a": "password"}', [secret])
