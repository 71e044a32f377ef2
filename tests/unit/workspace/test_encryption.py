"""Secrets in the database: sealed to their place, and readable after a rotation of the key."""

from __future__ import annotations

import pytest

from gencode.domain.errors import StoreError
from gencode.workspace.encryption import Encryption
from gencode.workspace.errors import NoEncryptionKey

OLD, NEW = b"o" * 32, b"n" * 32


def test_a_sealed_secret_is_read_at_its_place_only() -> None:
    encryption = Encryption([OLD])
    sealed = encryption.encrypt("sk-密钥", "model_configs/alice/1/api_key")
    assert "sk-" not in sealed
    assert sealed != encryption.encrypt("sk-密钥", "model_configs/alice/1/api_key")
    assert encryption.decrypt(sealed, "model_configs/alice/1/api_key") == "sk-密钥"
    for other in ("model_configs/bob/1/api_key", "model_configs/alice/2/api_key"):
        with pytest.raises(StoreError, match="belongs to another row"):
            encryption.decrypt(sealed, other)


def test_what_an_older_key_sealed_is_read_while_that_key_is_listed() -> None:
    sealed = Encryption([OLD]).encrypt("secret", "a")
    assert Encryption([NEW, OLD]).decrypt(sealed, "a") == "secret"
    with pytest.raises(StoreError, match="add it to ENCRYPTION_KEY"):
        Encryption([NEW]).decrypt(sealed, "a")


def test_without_a_key_nothing_is_stored() -> None:
    with pytest.raises(NoEncryptionKey):
        Encryption([]).encrypt("secret", "a")
