"""The file of keys: what it holds, and that it is whole at any moment."""

from __future__ import annotations

import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gencode.auth.key_file import KeyFile, KeyOptions, key_file, parse_expiry
from gencode.domain.errors import StartError
from gencode.engine.quota import parse_quota

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


# --- options of keys --------------------------------------------------------------------------------

EXPIRY = datetime(2099, 12, 31, 18, tzinfo=UTC)


def test_options_are_kept(file: KeyFile) -> None:
    quotas = (parse_quota("100 tasks/day"), parse_quota("20.50 cost/month"))
    options = KeyOptions(
        label="build server", rate="10/minute", quotas=quotas, expires_at=EXPIRY, operator=True
    )
    _, made = file.make("alice", options)
    assert file.read() == [made]
    assert file.read()[0].options == options


def test_a_file_without_options_is_read_by_older_versions_and_written_as_by_them(file: KeyFile) -> None:
    old = {"name": "alice", "sha256": "0" * 64, "created_at": "2026-01-01T00:00:00Z"}
    file.path.parent.mkdir()
    file.path.write_text(json.dumps({"version": 1, "keys": [old]}))
    assert file.read()[0].options == KeyOptions()
    file.make("bob")
    assert json.loads(file.path.read_text())["keys"][0] == old


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
def test_options_that_cannot_be_read_open_nothing(file: KeyFile, options: dict[str, Any]) -> None:
    file.make("alice")
    document = json.loads(file.path.read_text())
    document["keys"][0] |= options
    file.path.write_text(json.dumps(document))
    with pytest.raises(StartError, match="damaged"):
        file.read()


@pytest.mark.parametrize("options", [{"rate": "often"}, {"label": "x" * 101}, {"label": "a\nb"}])
def test_options_that_cannot_be_meant_are_refused(options: dict[str, str]) -> None:
    with pytest.raises(StartError):
        KeyOptions(**options)  # type: ignore[arg-type]  # each is a text


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2099-12-31", datetime(2100, 1, 1, tzinfo=UTC)),
        ("2099-12-31T18:00:00Z", EXPIRY),
        ("2099-12-31T20:00:00+02:00", EXPIRY),
    ],
)
def test_a_date_lasts_until_its_end(text: str, moment: datetime) -> None:
    assert parse_expiry(text) == moment


@pytest.mark.parametrize(
    "text", ["", "soon", "2000-01-01", "2099-12-31T18:00:00", "9999-12-31", "2099-13-01"]
)
def test_a_date_that_cannot_be_meant_is_refused(text: str) -> None:
    with pytest.raises(StartError):
        parse_expiry(text)
