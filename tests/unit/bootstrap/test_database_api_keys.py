"""API keys in the database, which all processes read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from pydantic import SecretStr

from gencode.auth.key_store import key_store
from gencode.bootstrap.app import build_app
from gencode.bootstrap.command_registry import main
from gencode.bootstrap.database_api_keys import DatabaseKeys
from gencode.bootstrap.doctor.local_checks import check_api_keys
from gencode.domain.errors import StartError
from gencode.security.secret_registry import SecretRegistry
from gencode.settings import NamedHost, Settings
from tests.servers.calls import client
from tests.servers.service import running_app, settings
from tests.unit.storage.postgres.stores import end_connections, execute

TASKS = "/api/v1/tasks"


def configured(folder: Path, dsn: str, **fields: Any) -> Settings:
    (folder / "repositories").mkdir(parents=True, exist_ok=True)
    disk = {"disk": NamedHost(kind="directory", path=str(folder / "repositories"))}
    return settings(folder, database_url=SecretStr(dsn), hosts=disk, **fields)


async def answers(http: httpx.AsyncClient, key: str, status: int) -> None:
    """Until the process has read the keys."""
    while (await http.get(TASKS, headers={"X-API-Key": key})).status_code != status:
        await anyio.sleep(0.02)


async def test_all_processes_see_a_new_and_a_revoked_key(tmp_path: Path, postgres: str) -> None:
    async with (
        running_app(configured(tmp_path / "one", postgres)) as one,
        running_app(configured(tmp_path / "other", postgres)) as other,
        client(one.url) as at_one,
        client(other.url) as at_other,
    ):
        for http in (at_one, at_other):
            assert (await http.get(TASKS)).status_code == 200
        keys = DatabaseKeys(postgres)
        key, made = keys.create("alice")
        for http in (at_one, at_other):
            await answers(http, "", 401)
            await answers(http, key, 200)
        end_connections(postgres)
        keys.revoke(made.id)
        for http in (at_one, at_other):
            await answers(http, key, 401)


def test_the_command_line_works_on_the_database(
    tmp_path: Path, postgres: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("DATABASE_URL", postgres)
    assert main(["keys", "make", "alice", "--quota", "5 tasks/day"]) == 0
    assert "a service with this database wants a key" in capsys.readouterr().err.lower()
    assert main(["keys", "list", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["keys"]
    assert (found["name"], found["usage"]["day"]["tasks"]) == ("alice", 0)
    assert main(["keys", "revoke", "alice"]) == 0
    assert main(["keys", "revoke", "alice"]) == 2
    assert "the database 127.0.0.1" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_an_open_address_needs_a_key_in_the_database(tmp_path: Path, postgres: str) -> None:
    chosen = configured(tmp_path, postgres, server_host="0.0.0.0")
    with pytest.raises(StartError, match="would let anyone in"):
        build_app(chosen, SecretRegistry([]))
    DatabaseKeys(postgres).create("alice")
    assert build_app(chosen, SecretRegistry([]))


def test_keys_that_were_left_behind_in_a_file_open_nothing(tmp_path: Path, postgres: str) -> None:
    chosen = configured(tmp_path, postgres)
    key_store(chosen.data_dir).create("alice")
    with pytest.raises(StartError, match=r"keys\.json holds API keys, which are not used"):
        build_app(chosen, SecretRegistry([]))
    DatabaseKeys(postgres).create("alice")
    assert build_app(chosen, SecretRegistry([]))


def test_a_damaged_document_is_reported_and_not_replaced(tmp_path: Path, postgres: str) -> None:
    DatabaseKeys(postgres).create("alice")
    execute(postgres, "UPDATE gencode.api_keys SET document = '{'")
    for use in (DatabaseKeys.read, lambda keys: keys.create("bob")):
        with pytest.raises(StartError, match="damaged"):
            use(DatabaseKeys(postgres))
    assert execute(postgres, "SELECT document FROM gencode.api_keys") == [("{",)]
    assert check_api_keys(configured(tmp_path, postgres)).state == "fault"


def test_a_database_that_is_away_is_told() -> None:
    with pytest.raises(StartError, match=r"127\.0\.0\.1:1"):
        DatabaseKeys("postgresql://somebody:very-secret-word@127.0.0.1:1/nothing")
