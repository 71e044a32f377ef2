"""Checks of DATA_DIR, the database, the port and the API keys."""

from __future__ import annotations

import os
from collections import namedtuple
from pathlib import Path

import pytest
from pydantic import SecretStr

from gencode.auth.key_store import key_store
from gencode.bootstrap.doctor import local_checks
from gencode.embedded.server import listen
from gencode.githosts.http_client import http_client
from gencode.storage.sqlite.store import open_sqlite
from tests.servers.ports import closed_port
from tests.servers.service import running_app, settings


def test_a_missing_folder_is_not_created(tmp_path: Path) -> None:
    (found,) = local_checks.check_data_dir(tmp_path / "a" / "b")
    assert found.state == "ok"
    assert not (tmp_path / "a").exists()


def test_a_folder_that_cannot_be_written_to_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (found,) = local_checks.check_data_dir(tmp_path / "file")
    assert found.state == "fault"


def test_a_folder_that_other_users_can_read_is_a_note(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    assert [f.state for f in local_checks.check_data_dir(tmp_path) if f.about == "DATA_DIR"] == ["ok", "note"]
    tmp_path.chmod(0o700)
    assert [f.state for f in local_checks.check_data_dir(tmp_path) if f.about == "DATA_DIR"] == ["ok"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("free", "state"), [(2**31, "ok"), (2**29, "note"), (2**20, "fault")])
def test_low_disk_space_is_reported(
    free: int, state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")  # as shutil's
    monkeypatch.setattr(local_checks.shutil, "disk_usage", lambda _: usage(2**40, 0, free))
    assert [f.state for f in local_checks.check_data_dir(tmp_path) if f.about == "disk"] == [state]


async def test_the_database_is_checked_while_a_service_uses_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert local_checks.check_database(data).message.startswith("none yet")
    async with running_app(settings(tmp_path)):
        assert "in use by another gencode" in local_checks.lock_holder(data)
        assert local_checks.check_database(data).state == "ok"
    assert local_checks.lock_holder(data) == ""
    assert local_checks.check_database(data).state == "ok"
    assert not list(data.glob(".doctor-*"))


async def test_a_damaged_database_is_a_fault(tmp_path: Path) -> None:
    async with open_sqlite(tmp_path / "gencode.db"):
        pass
    with (tmp_path / "gencode.db").open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(4096))
    found = local_checks.check_database(tmp_path)
    assert found.state == "fault"
    assert "restore" in found.advice


async def test_the_port_is_free_or_taken_or_the_services_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with http_client() as client:
        free = settings(tmp_path, server_port=closed_port())
        assert (await local_checks.check_port(free, "", client)).state == "ok"
        assert (await local_checks.check_port(free, "in use", client)).state == "note"
        sock = listen()
        taken = settings(tmp_path, server_port=sock.getsockname()[1])
        with monkeypatch.context() as patched:
            patched.setattr(local_checks, "HEALTH_TIMEOUT", 0.1)  # nothing there answers
            found = await local_checks.check_port(taken, "", client)
        assert (found.state, "cannot listen" in found.message) == ("fault", True)
        sock.close()
        async with running_app(settings(tmp_path)) as app:
            own = settings(tmp_path, server_port=int(app.url.rpartition(":")[2]))
            assert "gencode answers" in (await local_checks.check_port(own, "in use", client)).message
            found = await local_checks.check_port(own, "", client)
        assert (found.state, "a gencode with another DATA_DIR answers" in found.message) == ("fault", True)


def test_keys_are_counted(tmp_path: Path) -> None:
    assert local_checks.check_api_keys(settings(tmp_path)).state == "ok"
    assert local_checks.check_api_keys(settings(tmp_path, auth="none")).state == "note"
    key_store(tmp_path / "data").create("alice")
    found = local_checks.check_api_keys(settings(tmp_path, api_keys=SecretStr("a,b")))
    assert found.message == "2 in API_KEYS, 1 made by gencode keys, 0 expired"
    key_store(tmp_path / "data").revoke("alice")
    assert local_checks.check_api_keys(settings(tmp_path)).state == "note", "no request is accepted"
    key_store(tmp_path / "data").path.write_text("{")
    assert local_checks.check_api_keys(settings(tmp_path)).state == "fault"


def test_the_proxy_is_shown_without_its_password(tmp_path: Path) -> None:
    proxy = SecretStr("http://user:very-secret@proxy.example:3128")
    found = list(
        local_checks.check_proxy(settings(tmp_path, outbound_proxy=proxy, ca_bundle=tmp_path / "ca.pem"))
    )
    assert [(one.about, one.state) for one in found] == [
        ("certificates", "ok"),
        ("proxy", "ok"),
        ("proxy", "ok"),
    ]
    assert "proxy.example:3128" in found[1].message
    assert "very-secret" not in str(found)


def test_a_proxy_of_the_environment_that_is_not_used_is_a_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    assert list(local_checks.check_proxy(settings(tmp_path))) == []
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    (found,) = local_checks.check_proxy(settings(tmp_path))
    assert found.state == "note"
    assert "OUTBOUND_PROXY=environment" in found.advice
