"""Git credentials: their token, where it may be sent, and the default of each provider."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from gencode.domain.errors import Invalid
from gencode.workspace.audit.tables import AuditEntry
from gencode.workspace.git_credentials.hosts import host_address, password_user, repository_origin
from gencode.workspace.git_credentials.resource import GIT_CREDENTIALS, GitCredentialCreation
from gencode.workspace.git_credentials.table import GitCredential, GitProvider
from gencode.workspace.identity.actor import Actor
from gencode.workspace.workspace import Workspace
from tests.servers.workspace import workspace

ALICE, BOB = Actor(id="user:alice"), Actor(id="user:bob")
TOKEN = "glpat-3f9a1c7be2"
ENCRYPTION_KEYS = (b"e" * 32,)


def values(**fields: Any) -> dict[str, Any]:
    body = {"name": "mine", "provider": "gitlab", "access_token": TOKEN, **fields}
    return GitCredentialCreation.model_validate_json(json.dumps(body)).model_dump(mode="json")


async def credential(opened: Workspace, actor: Actor = ALICE, **fields: Any) -> GitCredential:
    return await opened.resource(GIT_CREDENTIALS).create(values(**fields), actor)


async def test_a_token_is_stored_sealed_and_is_nowhere_else(database_url: str) -> None:
    async with workspace(database_url, encryption_keys=ENCRYPTION_KEYS) as opened:
        credentials = opened.resource(GIT_CREDENTIALS)
        row = await credential(opened)
        await credentials.change(row.id, {"access_token": "glpat-other"}, ALICE, None)
        stored = await credentials.get(row.id, ALICE.id)
        assert credentials.secret(stored, "access_token") == "glpat-other"
        assert "glpat" not in (stored.access_token_encrypted or "")
        assert "token" not in GIT_CREDENTIALS.view(stored).model_dump_json()
        async with opened.database.transaction() as session:
            entries = (await session.scalars(select(AuditEntry))).all()
        told = json.dumps([[entry.before, entry.after] for entry in entries])
        assert "[secret]" in told
        assert "glpat" not in told


async def test_an_owner_has_one_default_of_each_provider(database_url: str) -> None:
    async with workspace(database_url, encryption_keys=ENCRYPTION_KEYS) as opened:
        credentials = opened.resource(GIT_CREDENTIALS)
        first = await credential(opened, is_default=True)
        of_others = [
            await credential(opened, BOB, is_default=True),
            await credential(opened, provider="github", is_default=True),
        ]
        second = await credential(opened, is_default=True)
        assert not (await credentials.get(first.id, ALICE.id)).is_default
        assert (await credentials.get(second.id, ALICE.id)).is_default
        for row in of_others:
            assert (await credentials.get(row.id, row.owner)).is_default
        await credentials.delete(second.id, ALICE, None)
        await credential(opened, is_default=True)


@pytest.mark.parametrize("change", [{"api_url": "https://evil.example"}, {"provider": "github"}])
async def test_a_stored_token_is_never_redirected_to_another_host(
    database_url: str, change: dict[str, Any]
) -> None:
    async with workspace(database_url, encryption_keys=ENCRYPTION_KEYS) as opened:
        credentials = opened.resource(GIT_CREDENTIALS)
        row = await credential(opened)
        with pytest.raises(Invalid, match="access_token"):
            await credentials.change(row.id, change, ALICE, None)
        await credentials.change(row.id, change | {"access_token": "new"}, ALICE, None)
        await credentials.change(row.id, {"name": "renamed"}, ALICE, None)


@pytest.mark.parametrize("provider", ["gitea", "forgejo", "generic"])
async def test_software_without_a_central_server_needs_an_address(database_url: str, provider: str) -> None:
    async with workspace(database_url, encryption_keys=ENCRYPTION_KEYS) as opened:
        with pytest.raises(Invalid, match="api_url"):
            await credential(opened, provider=provider)
        await credential(opened, provider=provider, api_url="https://git.example.org")


@pytest.mark.parametrize(
    "fields",
    [
        {"api_url": "https://user:secret@git.example.org"},
        {"api_url": "ssh://git.example.org"},
        {"api_url": "file:///etc"},
        {"api_url": "https://git.example.org/?q=1"},
        {"api_url": "https://git.example.org\\@evil.example"},
        {"git_username": "a:b"},
        {"access_token": "two words"},
        {"access_token": "line\nfeed"},
        {"access_token": ""},
        {"name": "bell\x07"},
        {"git_email": "no address"},
        {"provider": "sourceforge"},
    ],
)
def test_hostile_fields_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        values(**fields)


@pytest.mark.parametrize(
    ("provider", "api_url", "origin", "user"),
    [
        ("github", None, "https://github.com:443", "x-access-token"),
        ("github", "https://git.example.org/api/v3", "https://git.example.org:443", "x-access-token"),
        ("gitlab", None, "https://gitlab.com:443", "oauth2"),
        ("gitlab", "https://x.org:8443/gitlab/api/v4/", "https://x.org:8443", "oauth2"),
        ("gitee", None, "https://gitee.com:443", "oauth2"),
        ("bitbucket", None, "https://bitbucket.org:443", "ada"),
        ("gitea", "http://x.org:3000/api/v1", "http://x.org:3000", "x-access-token"),
        ("generic", "https://x.org/cgit", "https://x.org:443", "ada"),
    ],
)
def test_a_token_is_for_the_repositories_of_one_host(
    provider: str, api_url: str | None, origin: str, user: str
) -> None:
    row = GitCredential(provider=provider, api_url=api_url, git_username="ada")
    found = repository_origin(row)
    assert found is not None
    assert f"{found.scheme}://{found.host}:{found.port}" == origin
    assert password_user(row) == user


def test_the_address_of_an_api_is_that_of_its_host() -> None:
    assert host_address(GitProvider.GITLAB, "https://x.org/api/v4/") == "https://x.org"
    assert host_address(GitProvider.GITLAB, None) == ""
