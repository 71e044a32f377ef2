"""Results for the responses of a Git host to its token."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.responses import JSONResponse, RedirectResponse, Response

from gencode.bootstrap.doctor.check_result import CheckResult
from gencode.bootstrap.doctor.git_host_checks import check_git_host, configured_hosts
from gencode.githosts.http_client import http_client
from gencode.settings import NamedHost
from tests.servers.fixed_reply import fixed_reply_server
from tests.servers.ports import closed_port
from tests.servers.service import settings

TOKEN = "token-a1B2c3D4"
ME = {"login": "octo"}


async def check(kind: Any, answer: Response, *, workflows: bool = False) -> list[CheckResult]:
    async with fixed_reply_server(answer) as (url, seen), http_client() as client:
        entry = NamedHost(kind=kind, url=url, token=SecretStr(TOKEN), owner="o")
        found = await check_git_host("it", entry, client, workflows=workflows)
        (request,) = seen
        assert request.method == "GET"
        assert TOKEN in json.dumps(dict(request.headers))
    assert TOKEN not in str(found)
    return found


def states(found: list[CheckResult]) -> list[str]:
    return [finding.state for finding in found]


@pytest.mark.parametrize(
    ("scopes", "workflows", "state"),
    [
        ("repo, gist", False, "ok"),
        ("repo", True, "fault"),
        ("repo, workflow", True, "ok"),
        ("public_repo", False, "note"),
        ("gist", False, "fault"),
        ("", False, "fault"),
    ],
)
async def test_the_scopes_of_a_classic_token(scopes: str, workflows: bool, state: str) -> None:
    found = await check("github", JSONResponse(ME, headers={"x-oauth-scopes": scopes}), workflows=workflows)
    assert states(found) == ["ok", state]
    assert "octo" in found[0].message


async def test_a_fine_grained_token_gets_a_note_on_permissions() -> None:
    found = await check("github", JSONResponse(ME))
    assert states(found) == ["ok", "note"]
    assert "Administration and Contents" in found[1].advice


async def test_a_token_that_expires_soon_is_a_note() -> None:
    for days, expected in ((3, ["ok", "ok", "note"]), (30, ["ok", "ok"])):
        day = (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%d 10:00:00 UTC")
        headers = {"x-oauth-scopes": "repo", "github-authentication-token-expiration": day}
        assert states(await check("github", JSONResponse(ME, headers=headers))) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"scopes": ["api"], "name": "n"}, ["ok", "ok"]),
        ({"scopes": ["read_api"], "expires_at": "2020-01-01"}, ["ok", "fault", "note"]),
    ],
)
async def test_scopes_of_a_gitlab_token(body: dict[str, Any], expected: list[str]) -> None:
    assert states(await check("gitlab", JSONResponse(body))) == expected


@pytest.mark.parametrize("kind", ["gitea", "forgejo", "gitee", "bitbucket"])
async def test_other_hosts_report_the_owner_of_the_token(kind: str) -> None:
    assert states(await check(kind, JSONResponse(ME))) == ["ok", "note"]


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (JSONResponse({"message": f"Bad credentials {TOKEN}"}, 401), "fault"),
        (Response("<html>", 404), "fault"),
        (RedirectResponse("http://elsewhere.example/"), "fault"),
        (JSONResponse({"message": "rate limit"}, 403), "note"),
        (Response("oops", 500), "note"),
        (Response("<html>not JSON"), "note"),
    ],
)
async def test_a_response_without_an_account_is_reported(answer: Response, state: str) -> None:
    assert states(await check("github", answer)) == [state]


async def test_an_unreachable_host_is_a_fault() -> None:
    entry = NamedHost(kind="gitea", url=f"http://127.0.0.1:{closed_port()}", token=SecretStr(TOKEN))
    async with http_client() as client:
        (found,) = await check_git_host("it", entry, client, workflows=False)
    assert (found.state, found.about) == ("fault", "host it")


async def test_the_encoded_form_of_a_token_is_redacted() -> None:
    sent = b64encode(f"me@example.org:{TOKEN}".encode()).decode()
    refusal = JSONResponse({"error": {"message": f"no such credentials: {sent}"}}, 401)
    async with fixed_reply_server(refusal) as (url, _), http_client() as client:
        token = SecretStr(TOKEN)
        entry = NamedHost(kind="bitbucket", url=url, token=token, owner="o", user="me@example.org")
        (found,) = await check_git_host("it", entry, client, workflows=False)
    assert "no such credentials" in found.message
    assert sent not in found.message


async def test_a_directory_must_exist(tmp_path: Path) -> None:
    async with http_client() as client:
        for path, state in ((tmp_path, "ok"), (tmp_path / "none", "fault")):
            found = await check_git_host(
                "it", NamedHost(kind="directory", path=path), client, workflows=False
            )
            assert states(found) == [state]


def test_github_token_adds_the_host_github(tmp_path: Path) -> None:
    assert configured_hosts(settings(tmp_path)) == {}
    assert configured_hosts(settings(tmp_path, github_token=SecretStr("t")))["github"].kind == "github"


@pytest.mark.parametrize("kind", ["github", "gitlab", "bitbucket"])
@pytest.mark.parametrize("token", [f"{TOKEN}\nrest", f"{TOKEN}\N{LATIN SMALL LETTER E WITH ACUTE}"])
async def test_a_token_that_no_header_can_carry_is_reported_and_redacted(kind: Any, token: str) -> None:
    entry = NamedHost(kind=kind, url="http://127.0.0.1:1", token=SecretStr(token), owner="o")
    async with http_client() as client:
        (found,) = await check_git_host("it", entry, client, workflows=False)
    assert (found.state, "no header can carry" in found.message) == ("fault", True)
    assert TOKEN not in str(found)


async def test_no_token_is_sent_to_a_url_that_the_service_would_reject() -> None:
    async with fixed_reply_server(JSONResponse(ME)) as (url, seen), http_client() as client:
        address = url.replace("://", "://user:password@")
        entry = NamedHost(kind="gitea", url=address, token=SecretStr(TOKEN))
        (found,) = await check_git_host("it", entry, client, workflows=False)
    assert (found.state, seen) == ("fault", [])
    assert "password" not in str(found)
