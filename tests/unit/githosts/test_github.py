"""The requests to GitHub. Faults are in tests/faults/test_github.py."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from gencode.githosts.errors import GitProtocol
from gencode.githosts.port import Repository
from tests.servers.github import TOKEN, Fault, ScriptedGitHub, github_server
from tests.unit.githosts.samples import SNAPSHOT, SPEC, github_client


@pytest.fixture
async def github(tmp_path: Path) -> AsyncIterator[ScriptedGitHub]:
    async with github_server(tmp_path) as server:
        yield server


async def test_a_creation_is_one_post_and_one_get(github: ScriptedGitHub) -> None:
    async with github_client(github.api_url, agent="gencode/1.2") as client:
        await client.host.create(replace(SPEC, private=True), SNAPSHOT)
    post, look = github.requests
    assert post.json() == {
        "name": "hello",
        "description": "Say hello [gencode:1]",
        "private": True,
        "auto_init": False,
    }
    assert (post.path, look.path) == ("/api/v3/user/repos", "/api/v3/repos/octo/hello")
    expected = {
        "authorization": f"Bearer {TOKEN}",
        "accept": "application/vnd.github+json",
        "user-agent": "gencode/1.2",
        "x-github-api-version": "2022-11-28",
    }
    assert expected.items() <= post.headers.items()


@pytest.mark.parametrize("text", ["", "x" * 1000, "two\nlines\x00\x1b", "你好" * 300])
async def test_any_description_is_accepted_and_ends_with_the_marker(
    github: ScriptedGitHub, text: str
) -> None:
    async with github_client(github.api_url) as client:
        await client.host.create(replace(SPEC, description=text), SNAPSHOT)
        await client.host.create(replace(SPEC, description=text), SNAPSHOT)
    assert github.effects["create"] == 1
    description = github.repos["octo", "hello"].description or ""
    assert description.endswith("[gencode:1]")
    assert len(description) <= 350


async def test_a_marker_within_the_description_does_not_replace_ours(github: ScriptedGitHub) -> None:
    async with github_client(github.api_url) as client:
        await client.host.create(replace(SPEC, description="[gencode:2]", marker="gencode:1"), SNAPSHOT)
    assert github.repos["octo", "hello"].description == "[gencode:2] [gencode:1]"


@pytest.mark.parametrize(
    ("owner", "org", "expected"),
    [
        (None, None, "octo"),
        ("OCTO", None, "octo"),
        ("acme", None, "acme"),
        ("acme", "Octo", "octo"),
        (None, "acme", "acme"),
        ("elsewhere", "acme", "acme"),
    ],
)
async def test_the_account_is_the_request_s_or_the_configured_or_the_token_s(
    github: ScriptedGitHub, owner: str | None, org: str | None, expected: str
) -> None:
    async with github_client(github.api_url, owner=owner) as client:
        assert (await client.host.create(replace(SPEC, org=org), SNAPSHOT)).owner == expected


async def test_a_token_without_a_user_creates_in_an_organisation(github: ScriptedGitHub) -> None:
    github.fail("user", Fault(status=403, body={"message": "Resource not accessible by integration"}))
    async with github_client(github.api_url, owner="acme") as client:
        assert (await client.host.create(SPEC, SNAPSHOT)).owner == "acme"


async def test_the_token_s_user_is_requested_once(github: ScriptedGitHub) -> None:
    async with github_client(github.api_url, owner="acme") as client:
        for name in ("one", "two"):
            await client.host.create(replace(SPEC, name=name), SNAPSHOT)
    assert len(github.seen("user")) == 1


async def test_a_push_to_another_host_is_refused(github: ScriptedGitHub) -> None:
    evil = Repository(
        owner="octo", name="x", web_url="https://evil.example/x", clone_url="https://evil.example/x.git"
    )
    async with github_client(github.api_url) as client:
        with pytest.raises(GitProtocol, match="another host"):
            await client.host.push(evil, SNAPSHOT)


async def test_calls_are_timed_by_operation(github: ScriptedGitHub) -> None:
    async with github_client(github.api_url) as client:
        repo = await client.host.create(SPEC, SNAPSHOT)
        await client.host.push(repo, SNAPSHOT)
    text = client.metrics.render().decode()
    for operation in ("create", "read", "push"):
        assert f'gencode_host_seconds_count{{host="github",operation="{operation}"}} 1.0' in text
