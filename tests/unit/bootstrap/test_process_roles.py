"""Which processes may start with which settings."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from gencode.bootstrap.app import build_app
from gencode.bootstrap.process_roles import Role
from gencode.domain.errors import StartError
from gencode.security.secret_registry import SecretRegistry
from gencode.settings import NamedHost, Settings, load
from tests.servers.service import settings

NOWHERE = SecretStr("postgresql://nobody@127.0.0.1:1/nothing")


def disk(tmp_path: Path) -> dict[str, Any]:
    """A Git host that all processes of a machine can reach."""
    (tmp_path / "repositories").mkdir(exist_ok=True)
    return {"disk": NamedHost(kind="directory", path=str(tmp_path / "repositories"))}


async def start(configured: Settings, role: Role) -> None:
    app = build_app(configured, SecretRegistry([]), role=role)
    async with app.router.lifespan_context(app):
        pass


@pytest.mark.parametrize("role", [Role.WEB, Role.WORKER])
async def test_a_role_of_its_own_needs_a_shared_database(tmp_path: Path, role: Role) -> None:
    with pytest.raises(StartError, match="DATABASE_URL"):
        await start(settings(tmp_path), role)


@pytest.mark.parametrize("role", [Role.WEB, Role.WORKER])
async def test_the_local_forge_is_for_one_process(tmp_path: Path, role: Role) -> None:
    with pytest.raises(StartError, match="local forge"):
        await start(settings(tmp_path, database_url=NOWHERE), role)


async def test_a_database_that_is_away_is_told_without_its_password(tmp_path: Path) -> None:
    url = SecretStr("postgresql://somebody:very-secret-word@127.0.0.1:1/nothing")
    with pytest.raises(StartError) as caught:
        await start(settings(tmp_path, database_url=url, hosts=disk(tmp_path)), Role.WORKER)
    assert "127.0.0.1:1" in caught.value.message
    assert "very-secret-word" not in caught.value.message


@pytest.mark.parametrize("url", ["mysql://x/y", "postgresql+psycopg://x/y", "/tmp/x.db"])
def test_another_database_is_refused(url: str) -> None:
    with pytest.raises(StartError, match="postgresql://USER"):
        load({"database_url": url})


def test_the_password_of_the_database_is_a_secret() -> None:
    found = load({"database_url": "postgresql://u:very%20secret-word@h/d"}).secrets()
    assert {"very secret-word", "postgresql://u:very%20secret-word@h/d"} <= {*found}


async def test_a_missing_extra_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "gencode.bootstrap.cluster", raising=False)
    monkeypatch.setitem(sys.modules, "procrastinate", None)
    with pytest.raises(StartError, match="cluster"):
        await start(settings(tmp_path, database_url=NOWHERE, hosts=disk(tmp_path)), Role.ALL)


async def test_everything_in_one_process_works_on_postgresql_too(tmp_path: Path, postgres: str) -> None:
    await start(settings(tmp_path, database_url=SecretStr(postgres)), Role.ALL)
    await start(settings(tmp_path, database_url=SecretStr(postgres)), Role.ALL)


@pytest.mark.campaign
async def test_a_process_with_the_local_forge_must_be_alone(tmp_path: Path, postgres: str) -> None:
    app = build_app(settings(tmp_path, database_url=SecretStr(postgres)), SecretRegistry([]))
    async with app.router.lifespan_context(app):
        for forge in ({}, {"hosts": disk(tmp_path)}):
            other = settings(tmp_path / json.dumps(bool(forge)), database_url=SecretStr(postgres), **forge)
            with pytest.raises(StartError, match="local forge"):
                await start(other, Role.ALL)


async def test_all_processes_sign_with_the_same_keys(tmp_path: Path, postgres: str) -> None:
    tickets = []
    for name in ("one", "other"):
        configured = settings(tmp_path / name, database_url=SecretStr(postgres), hosts=disk(tmp_path))
        app = build_app(configured, SecretRegistry([]), role=Role.WEB)
        async with app.router.lifespan_context(app):
            tickets.append(app.state.services.tickets)
    ticket, _ = tickets[0].issue("alice", "task")
    assert tickets[1].verify(ticket, "task") == "alice"
