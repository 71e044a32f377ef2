"""The store of keys: what its file contains, and that the file is whole at any time."""

from __future__ import annotations

import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gencode.auth.key_store import KeyOptions, KeyStore, key_store
from gencode.domain.errors import StartError
from gencode.engine.quota import parse_quota

SERVICE = 12345
"""The user of a service."""


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    return key_store(tmp_path / "data")


def test_it_holds_the_hash_of_a_key_and_never_the_key(store: KeyStore) -> None:
    key, made = store.create("alice")
    assert key.startswith("gck_")
    assert hashlib.sha256(key.encode()).hexdigest() == made.sha256
    assert store.read() == [made]
    assert key.removeprefix("gck_") not in store.path.read_text()


def test_only_its_owner_may_read_it(store: KeyStore) -> None:
    store.create("alice")
    found = {path.name: path.stat().st_mode & 0o777 for path in store.path.parent.iterdir()}
    assert found == {"keys.json": 0o600, "keys.lock": 0o600}
    assert store.path.parent.stat().st_mode & 0o777 == 0o700


def test_each_change_has_another_version(store: KeyStore) -> None:
    versions = [store.version()]
    _, made = store.create("alice")
    versions.append(store.version())
    store.create("alice")
    versions.append(store.version())
    store.revoke(made.id)
    versions.append(store.version())
    assert len(set(versions)) == 4
    assert versions[0] is None


def test_a_name_revokes_all_keys_of_a_client_and_an_id_one(store: KeyStore) -> None:
    alice, other, bob = (store.create(name)[1] for name in ("alice", "alice", "bob"))
    assert store.revoke("carol") == []
    assert store.revoke(bob.id) == [bob]
    assert store.revoke("alice") == [alice, other]
    assert store.read() == []
    assert store.version() is not None


def test_concurrent_changes_lose_nothing(store: KeyStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(store.create, [f"client-{number}" for number in range(40)]))
    assert len({key.client for key in store.read()}) == 40


def test_files_that_a_crash_left_do_not_matter(store: KeyStore) -> None:
    store.create("alice")
    store.path.with_suffix(".new").write_text('{"half')
    store.create("bob")
    assert [key.client for key in store.read()] == ["alice", "bob"]


@pytest.mark.parametrize("name", ["", "a b", "a=b", "a,b", "-a", "a.", "x" * 65, "ключ", "a\n"])
def test_an_ambiguous_name_is_refused(store: KeyStore, name: str) -> None:
    with pytest.raises(StartError, match="name has"):
        store.create(name)
    assert store.version() is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"version": 2, "keys": []}',
        '{"version": 1, "keys": [{"name": "a"}]}',
        '{"version": 1, "keys": ["gck_0"]}',
        '{"version": 1, "keys": {"a": 1}}',
        '{"version": 1, "keys": [{"name": "a", "sha256": "xyz", "created_at": "now"}]}',
        "[" * 100_000,
    ],
)
def test_a_damaged_file_is_reported_and_not_replaced(store: KeyStore, text: str) -> None:
    store.create("alice")
    store.path.write_text(text)
    for call in (store.read, lambda: store.create("bob"), lambda: store.revoke("alice")):
        with pytest.raises(StartError, match="damaged"):
            call()
    assert store.path.read_text() == text


def test_a_lock_that_is_a_link_is_not_followed(store: KeyStore, tmp_path: Path) -> None:
    """The administrator may make keys in a folder of another user."""
    store.path.parent.mkdir(exist_ok=True)
    store.path.with_suffix(".lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StartError, match="cannot be written"):
        store.create("alice")
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(StartError, match="cannot be written"):
        key_store(tmp_path / "data").create("alice")


def test_the_format_is_stable(store: KeyStore) -> None:
    """Other programs may make the file: a configuration that knows the hashes."""
    _, made = store.create("alice")
    assert json.loads(store.path.read_text()) == {
        "version": 1,
        "keys": [{"name": "alice", "sha256": made.sha256, "created_at": made.created_at}],
    }


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_root_leaves_every_file_to_the_owner_of_the_folder(store: KeyStore) -> None:
    store.path.parent.mkdir(mode=0o700)
    os.chown(store.path.parent, SERVICE, SERVICE)
    store.create("alice")
    owners = {path.name: (path.stat().st_uid, path.stat().st_gid) for path in store.path.parent.iterdir()}
    assert owners == {"keys.json": (SERVICE, SERVICE), "keys.lock": (SERVICE, SERVICE)}


# --- options of keys --------------------------------------------------------------------------------

EXPIRY = datetime(2099, 12, 31, 18, tzinfo=UTC)


def test_options_are_kept(store: KeyStore) -> None:
    quotas = (parse_quota("100 tasks/day"), parse_quota("20.50 cost/month"))
    options = KeyOptions(
        label="build server", rate="10/minute", quotas=quotas, expires_at=EXPIRY, operator=True
    )
    _, made = store.create("alice", options)
    assert store.read() == [made]
    assert store.read()[0].options == options


def test_a_file_without_options_is_read_by_older_versions_and_written_as_by_them(store: KeyStore) -> None:
    old = {"name": "alice", "sha256": "0" * 64, "created_at": "2026-01-01T00:00:00Z"}
    store.path.parent.mkdir()
    store.path.write_text(json.dumps({"version": 1, "keys": [old]}))
    assert store.read()[0].options == KeyOptions()
    store.create("bob")
    assert json.loads(store.path.read_text())["keys"][0] == old


@pytest.mark.parametrize(
    "options",
    [
        {"expires_at": "soon"},
        {"expires_at": "2030-01-01T00:00:00"},
        {"operator": "yes"},
        {"rate": "often"},
        {"quotas": ["5 tasks"]},
        {"quotas": "5 tasks/day"},
        {"quotas": [5]},
        {"label": 5},
        {"of_a_newer_version": True},
    ],
)
def test_options_that_cannot_be_read_open_nothing(store: KeyStore, options: dict[str, Any]) -> None:
    store.create("alice")
    document = json.loads(store.path.read_text())
    document["keys"][0] |= options
    store.path.write_text(json.dumps(document))
    with pytest.raises(StartError, match="damaged"):
        store.read()


@pytest.mark.parametrize("options", [{"rate": "often"}, {"label": "x" * 101}, {"label": "a\nb"}])
def test_invalid_options_are_refused(options: dict[str, str]) -> None:
    with pytest.raises(StartError):
        KeyOptions(**options)  # type: ignore[arg-type]  # each is a text
