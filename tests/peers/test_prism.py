"""Prism checks each request that the service sends to a Git host against the host's own OpenAPI description,
and answers as it describes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from gencode.bootstrap.doctor.git_host_checks import check_git_host
from gencode.githosts.api_dialect import ApiDialect, CreateRepository
from gencode.githosts.gitea import Forgejo, Gitea
from gencode.githosts.http_client import HttpReply
from gencode.githosts.responses import ApiResponse, refusal_body
from gencode.settings import NamedHost
from tests.peers.installation import requires_node
from tests.peers.prism import DESCRIBED, GITEA, GITHUB, Description
from tests.servers.calls import BODY, FILES, post
from tests.servers.githost import ReceivedRequest
from tests.servers.history import history
from tests.servers.hosts import TOKEN, host_server
from tests.servers.model import model_server, plan_and_files
from tests.servers.service import running_app, settings

pytestmark = [
    requires_node("@stoplight/prism-cli"),
    pytest.mark.skipif(not GITEA.source.exists(), reason="make peers installs Gitea's description"),
]
KINDS = {"github": GITHUB, "gitea": GITEA, "forgejo": GITEA}
CREATING = CreateRepository(name="hello", description="Say hello", private=True, branch="main")


async def sent_requests(kind: str, folder: Path, **body: str) -> list[ReceivedRequest]:
    """What one task, and `gencode doctor`, send to a host's API."""
    async with model_server(plan_and_files(FILES)) as model, host_server(kind, folder / kind) as host:
        entry = NamedHost(kind=kind, url=host.url, token=SecretStr(TOKEN))
        async with running_app(settings(folder, model, hosts={"work": entry})) as app:
            task_id = (await post(app.url, "/generate", BODY | body)).json()["task_id"]
            async with httpx.AsyncClient(base_url=f"{app.url}/api/v1", trust_env=False, timeout=60) as http:
                log = await history(http, task_id)
                await check_git_host("work", entry, http, workflows=False)
        assert '"completed"' in log[-1][2], log[-1]
        return [seen for seen in host.requests if seen.path.startswith(KINDS[kind].base)]


async def described(description: Description, folder: Path, sent: list[ReceivedRequest]) -> None:
    async with description.served(folder) as prism:
        for seen in sent:
            answer = await description.answer(prism, seen)
            assert answer.status_code == DESCRIBED, f"{seen.method} {seen.path}: {answer.text}"


@pytest.mark.parametrize("kind", KINDS)
async def test_no_request_breaks_the_description(kind: str, tmp_path: Path) -> None:
    sent = await sent_requests(kind, tmp_path / "own")
    sent += await sent_requests(kind, tmp_path / "org", github_org="acme")
    assert {"GET", "POST"} <= {seen.method for seen in sent}
    await described(KINDS[kind], tmp_path, sent)


@pytest.mark.parametrize(
    ("description", "path", "body"),
    [
        (GITHUB, "/user/repos", {"name": 7}),
        (GITEA, "/user/repos", {"description": "without a name"}),
        (GITEA, "/orgs/acme/repos", {"name": "hello", "private": "yes"}),
    ],
)
async def test_prism_would_find_a_wrong_request(
    description: Description, path: str, body: dict[str, Any], tmp_path: Path
) -> None:
    async with description.served(tmp_path) as prism:
        answer = await prism.post(path, json=body)
    assert answer.status_code == 422


@pytest.mark.parametrize("dialect", [Gitea(), Forgejo()], ids=["gitea", "forgejo"])
async def test_the_described_answers_are_understood(dialect: ApiDialect, tmp_path: Path) -> None:
    wanted = dialect.create_request(CREATING)
    async with GITEA.served(tmp_path, answers=True) as prism:
        created = await prism.post(wanted.path, json=wanted.body)
        found = await prism.get(dialect.repo_path("octo", "hello"))
    assert created.status_code == 201
    assert found.status_code == 200
    for answer in (created, found):
        dialect.parse_repository(answer.json())


async def test_giteas_answer_for_a_taken_name_is_understood(tmp_path: Path) -> None:
    wanted = Gitea().create_request(CREATING)
    async with GITEA.served(tmp_path, answers=True) as prism:
        answer = await prism.post(wanted.path, json=wanted.body, headers={"prefer": "code=409"})
    assert answer.status_code == 409
    reply = HttpReply(status=409, headers=answer.headers, content=answer.content)
    assert Gitea().is_name_taken(ApiResponse(status=409, body=refusal_body(reply), reply=reply))
