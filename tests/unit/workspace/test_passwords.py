"""The hash that stands for unknown users."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import VerifyMismatchError

from gencode.workspace.identity.passwords import _hash_of_nobody


def test_a_password_of_nobody_is_compared_with_the_parameters_of_others() -> None:
    hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    assert extract_parameters(_hash_of_nobody(hasher)) == extract_parameters(hasher.hash("a password"))
    with pytest.raises(VerifyMismatchError):
        hasher.verify(_hash_of_nobody(hasher), "a password")
