"""The file of keys: what it holds, and that it is whole at any moment."""

from __future__ import annotations

import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gencode.auth.key_file import KeyFile, key_file
from gencode.domain.errors import StartError

SERVICE = 12345
"""The user of a service."""


@pytest.fixture
def file(tmp_path: Path) -> KeyFile:
    return key_file(tmp_path / "data")


def test_it_holds_the_hash_of_a_key_and_never_the_key(file: KeyFile) -> None:
    key, made = file.make("alice")
    assert key.startswith("gck_")
    assert hashlib.sha256(key.encode()).hexdigest() == made.sha256
    assert file.read() == [made]
    assert key.removeprefix("gck_") not in file.path.read_text()


def test_only_its_owner_may_read_it(file: KeyFile) -> None:
    file.make("alice")
    found = {path.name: path.stat().st_mode & 0o777 for path in file.path.parent.iterdir()}
    assert found == {"keys.json": 0o600, "keys.lock": 0o600}
    assert file.path.parent.stat().st_mode & 0o777 == 0o700


def test_each_change_has_another_version(file: KeyFile) -> None:
    versions = [file.version()]
    _, made = file.make("alice")
    versions.append(file.version())
    file.make("alice")
    versions.append(file.version())
    file.revoke(made.id)
    versions.append(file.version())
    assert len(set(versions)) == 4
    assert versions[0] is None


def test_a_name_revokes_all_keys_of_a_client_and_an_id_one(file: KeyFile) -> None:
    alice, other, bob = (file.make(name)[1] for name in ("alice", "alice", "bob"))
    assert file.revoke("carol") == []
    assert file.revoke(bob.id) == [bob]
    assert file.revoke("alice") == [alice, other]
    assert file.read() == []
    assert file.version() is not None


def test_concurrent_changes_lose_nothing(file: KeyFile) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(file.make, [f"client-{number}" for number in range(40)]))
    assert len({key.name for key in file.read()}) == 40


def test_files_that_a_crash_left_do_not_matter(file: KeyFile) -> None:
    file.make("alice")
    file.path.with_suffix(".new").write_text('{"half')
    file.make("bob")
    assert [key.name for key in file.read()] == ["alice", "bob"]


@pytest.mark.parametrize("name", ["", "a b", "a=b", "a,b", "-a", "a.", "x" * 65, "ключ", "a\n"])
def test_an_ambiguous_name_is_refused(file: KeyFile, name: str) -> None:
    with pytest.raises(StartError, match="name has"):
        file.make(name)
    assert file.version() is None


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
def test_a_damaged_file_is_reported_and_not_replaced(file: KeyFile, text: str) -> None:
    file.make("alice")
    file.path.write_text(text)
    for call in (file.read, lambda: file.make("bob"), lambda: file.revoke("alice")):
        with pytest.raises(StartError, match="damaged"):
            call()
    assert file.path.read_text() == text


def test_a_lock_that_is_a_link_is_not_followed(file: KeyFile, tmp_path: Path) -> None:
    """The administrator may make keys in a folder of another user."""
    file.path.parent.mkdir(exist_ok=True)
    file.path.with_suffix(".lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StartError, match="cannot be written"):
        file.make("alice")
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(StartError, match="cannot be written"):
        key_file(tmp_path / "data").make("alice")


def test_the_format_is_stable(file: KeyFile) -> None:
    """Other programs may make the file: a configuration that knows the hashes."""
    _, made = file.make("alice")
    assert json.loads(file.path.read_text()) == {
        "version": 1,
        "keys": [{"name": "alice", "sha256": made.sha256, "created_at": made.created_at}],
    }


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_root_leaves_every_file_to_the_owner_of_the_folder(file: KeyFile) -> None:
    file.path.parent.mkdir(mode=0o700)
    os.chown(file.path.parent, SERVICE, SERVICE)
    file.make("alice")
    owners = {path.name: (path.stat().st_uid, path.stat().st_gid) for path in file.path.parent.iterdir()}
    assert owners == {"keys.json": (SERVICE, SERVICE), "keys.lock": (SERVICE, SERVICE)}
