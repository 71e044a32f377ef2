from __future__ import annotations

from gencode.security.secret_registry import SecretRegistry


def test_a_source_is_asked_at_each_call() -> None:
    valid: set[str] = set()
    registry = SecretRegistry(["of-the-settings"])
    registry.add_source(lambda: valid)
    assert registry.current() == ("of-the-settings",)
    valid.add("of-a-user-just-now")
    assert registry.current() == ("of-a-user-just-now", "of-the-settings")
    valid.clear()
    assert registry.current() == ("of-the-settings",)


def test_the_longest_secret_comes_first_and_each_once() -> None:
    registry = SecretRegistry(["12345678", "1234567890", "12345678"])
    registry.add_source(lambda: ["123456789", "1234567890"])
    assert registry.current() == ("1234567890", "123456789", "12345678")


def test_secrets_of_less_than_eight_characters_are_left_out() -> None:
    assert SecretRegistry(["", "x", "hunter2", "hunter22"]).current() == ("hunter22",)


def test_the_order_is_not_computed_again_while_nothing_changes() -> None:
    registry = SecretRegistry(["12345678"])
    assert registry.current() is registry.current()
