from __future__ import annotations

from gencode.security.secret_registry import MAX_OWNED, OwnedSecrets, SecretRegistry


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


def test_a_secret_of_a_user_concerns_nobody_else() -> None:
    """A user who stored "application/json" as a key would otherwise make the tasks of all others fail."""
    registry, owned = SecretRegistry(["of-the-service"]), OwnedSecrets()
    registry.add_owned(owned)
    owned.add("mallory", "application/json")
    owned.add("alice", "sk-0123456789abcdef")
    assert registry.of("alice") == ("of-the-service", "sk-0123456789abcdef")
    assert registry.of("bob") == registry.current() == ("of-the-service",)
    assert registry.logged() == ("sk-0123456789abcdef", "of-the-service")


def test_the_last_secrets_of_users_are_remembered() -> None:
    owned = OwnedSecrets()
    for number in range(MAX_OWNED + 1):
        owned.add("alice", f"secret-{number}")
        owned.add("alice", "secret-0")
    owned.add("alice", "")
    assert len(owned.of("alice")) == MAX_OWNED
    assert "secret-0" in owned.of("alice")
    assert "secret-1" not in owned.of("alice")
