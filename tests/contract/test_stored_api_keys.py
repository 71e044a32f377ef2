"""The contract of `gencode.auth.key_store.StoredKeys`, for each implementation."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gencode.auth.key_store import KeyOptions, StoredKeys, key_store
from gencode.bootstrap.database_api_keys import DatabaseKeys
from gencode.domain.errors import StartError
from gencode.engine.quota import parse_quota

Open = Callable[[], StoredKeys]


@pytest.fixture(params=["file", "postgresql"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """Opens the same keys each time, as other processes do."""
    if request.param == "file":
        return lambda: key_store(tmp_path / "data")
    dsn = request.getfixturevalue("postgres")
    return lambda: DatabaseKeys(dsn)


def test_there_is_none_at_first(opened: Open) -> None:
    keys = opened()
    assert (keys.version(), keys.read()) == (None, [])
    assert keys.revoke("alice") == []
    assert keys.version() is None


def test_what_one_process_makes_another_one_reads(opened: Open) -> None:
    options = KeyOptions(
        label="中",
        rate="1/minute",
        quotas=(parse_quota("100 tasks/day"),),
        expires_at=datetime(2099, 1, 1, tzinfo=UTC),
        operator=True,
    )
    keys = opened()
    made = [keys.create("alice", options)[1], keys.create("bob")[1], keys.create("alice")[1]]
    assert keys.read() == opened().read() == made


def test_each_change_has_another_version(opened: Open) -> None:
    keys = opened()
    versions = [keys.version()]
    keys.create("alice")
    versions.append(keys.version())
    _, made = keys.create("bob")
    versions.append(keys.version())
    keys.revoke(made.id)
    versions.append(keys.version())
    assert len(set(versions)) == 4


def test_after_the_last_key_there_still_was_one(opened: Open) -> None:
    keys = opened()
    keys.create("alice")
    assert [key.client for key in keys.revoke("alice")] == ["alice"]
    assert opened().read() == []
    assert opened().version() is not None


def test_concurrent_changes_lose_nothing(opened: Open) -> None:
    clients = [f"client-{number}" for number in range(8)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda client: opened().create(client), clients))
    assert sorted(key.client for key in opened().read()) == clients


@pytest.mark.parametrize("name", ["", "a b", "a,b", "-a", "x" * 65])
def test_an_invalid_name_is_refused(opened: Open, name: str) -> None:
    with pytest.raises(StartError):
        opened().create(name)
    assert opened().version() is None
