"""A review is posted to a change request of each host: seen from outside, and from the host."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from gencode.embedded.server import address, listen
from tests.servers.calls import get, post
from tests.servers.change_hosts import CHANGE_SERVERS
from tests.servers.changes import HEAD, PATCH
from tests.servers.command import run_gencode
from tests.servers.git_repository import GitRepository
from tests.servers.githost import Fault, served
from tests.servers.service import running_app, service, settings
from tests.servers.stream import events, subscribed

pytestmark = [
    pytest.mark.one_process("the settings of several processes have no workspace yet"),
    pytest.mark.campaign,
]

TOKEN = "scripted-token-0123456789"
KINDS = sorted(CHANGE_SERVERS)


@asynccontextmanager
async def change_host(kind: str, folder: Path) -> AsyncIterator[Any]:
    sock = listen()
    server = CHANGE_SERVERS[kind](address(sock), folder / "host", TOKEN)
    async with served(server, sock):
        yield server


async def registered(url: str, kind: str, host: str) -> str:
    """The id of a repository with a credential of its host."""
    credential = {"name": "c", "provider": kind, "access_token": TOKEN, "api_url": host}
    made = await post(url, "/git/credentials", credential)
    assert made.status_code == 201, made.text
    row = {"name": "shop", "repository_url": f"{host}/octo/shop.git", "credential_id": made.json()["id"]}
    created = await post(url, "/git/repositories", row)
    assert created.status_code == 201, created.text
    return str(created.json()["id"])


async def submit(url: str, repository: str, **fields: Any) -> str:
    body = {"patch": PATCH, "post": {"change": 7, "repository_id": repository, "commit": HEAD}, **fields}
    response = await post(url, "/pipelines/code-review", body)
    assert response.status_code == 202, response.text
    return str(response.json()["task_id"])


@pytest.mark.parametrize("kind", KINDS)
async def test_a_kill_after_the_host_has_accepted_posts_nothing_twice(tmp_path: Path, kind: str) -> None:
    async with change_host(kind, tmp_path) as host, service(tmp_path, {"WORKSPACE": "true"}) as process:
        repository = await registered(process.url, kind, host.url)
        accepted, ended = anyio.Event(), anyio.Event()
        add = host.add_inline

        async def add_and_wait(*given: Any) -> Any:
            response = await add(*given)
            accepted.set()
            await ended.wait()
            return response

        host.add_inline = add_and_wait
        task_id = await submit(process.url, repository)
        async with subscribed(process.url, task_id):
            await accepted.wait()
            await process.kill()
        assert len(host.changes.own) == 1
        host.add_inline = add
        ended.set()
        await process.start()
        heard = await events(process.url, task_id)
        (told,) = [event.data for event in heard if event.kind == "posted"]
        assert (told["created"], told["listed"], told["is_moved"]) == (0, 0, False)
        task = await get(process.url, f"/api/v1/task/{task_id}")
        assert (task["state"], task["posted"]["change"]) == ("succeeded", 7)
        assert task["posted"]["url"].startswith(host.url)
        (comment,) = host.changes.own
        assert (comment.path, comment.line, len(host.changes.summaries)) == ("src/项目.py", 11, 1)
        again = await submit(process.url, repository)
        await events(process.url, again)
        assert (len(host.changes.own), len(host.changes.summaries)) == (1, 1)


async def test_a_review_that_could_not_be_posted_is_kept_and_a_retry_posts_it(tmp_path: Path) -> None:
    async with (
        change_host("github", tmp_path) as host,
        running_app(settings(tmp_path, workspace=True)) as app,
    ):
        repository = await registered(app.url, "github", host.url)
        refusal = Fault(status=403, body={"message": "Resource not accessible by personal access token"})
        host.fail("add_inline", refusal)
        task_id = await submit(app.url, repository)
        await events(app.url, task_id)
        task = await get(app.url, f"/api/v1/task/{task_id}")
        assert (task["state"], task["error"]["code"], task["error"]["stage"]) == (
            "failed",
            "HOST_FORBIDDEN",
            "posting",
        )
        assert "pull_requests=write" in task["error"]["message"]
        assert task["review"]["findings"] == 1
        assert len((await get(app.url, f"/api/v1/task/{task_id}/review"))["findings"]) == 1
        retried = await post(app.url, f"/task/{task_id}/retry", {})
        assert retried.status_code == 202, retried.text
        heard = await events(app.url, task_id, task["last_event_id"])
        assert [event.kind for event in heard].count("reviewed") == 0
        assert len(host.changes.own) == 1


async def test_a_repository_that_reviews_cannot_be_posted_to_is_refused_at_the_submission(
    tmp_path: Path,
) -> None:
    async with running_app(settings(tmp_path, workspace=True)) as app:
        row = {"name": "shop", "repository_url": "https://git.example.org/octo/shop.git"}
        bare = (await post(app.url, "/git/repositories", row)).json()["id"]
        for given, field in (
            ({"post": {"change": 7, "repository_id": bare}}, "post"),
            ({"post": {"change": 7}}, ""),
            ({"post": {"change": 0, "repository_id": bare}}, "post.change"),
            ({"post": {"change": 7, "repository_id": "0" * 36}}, "post.repository_id"),
        ):
            refused = await post(app.url, "/pipelines/code-review", {"patch": PATCH, **given})
            assert refused.status_code == 422, refused.text
            assert refused.json()["errors"][0]["field"] == field or not field, refused.text
        assert (
            "credential"
            in (
                await post(
                    app.url,
                    "/pipelines/code-review",
                    {"patch": PATCH, "post": {"change": 7, "repository_id": bare}},
                )
            ).text
        )


async def test_the_command_posts_to_the_change_of_its_remote(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    repository = GitRepository(copy)
    repository.commit({"app.py": b"x = 1\n"})
    repository.git("checkout", "-q", "-b", "change")
    head = repository.commit({"app.py": b"x = 1\ny = eval(x)\n"})
    patch = repository.git("diff", "main", "change").decode()
    async with (
        change_host("github", tmp_path) as host,
        running_app(settings(tmp_path, workspace=True)) as app,
    ):
        await registered(app.url, "github", host.url)
        host.changes.patch, host.changes.head = patch, head
        port = host.url.rpartition(":")[2]
        repository.git("remote", "add", "origin", f"ssh://git@127.0.0.1:{port}/octo/shop.git")
        variables = {"GENCODE_URL": app.url, "HOME": str(tmp_path)}

        async def run(*arguments: str, status: int) -> tuple[str, str]:
            done = await run_gencode(["review", "--base", "main", *arguments], variables, copy)
            assert done.returncode == status, done.stderr.decode()
            return done.stdout.decode(), done.stderr.decode()

        shown, told = await run("--post", "7", status=0)
        assert "app.py:2: major" in shown
        assert "posted to change request 7: comments: 1 new" in told
        assert [(one.path, one.line) for one in host.changes.own] == [("app.py", 2)]
        assert f"`{head[:12]}`" in host.changes.summaries[0]
        host.changes.state = "closed"
        shown, told = await run("--post", "7", status=1)
        assert "app.py:2: major" in shown
        assert "merged or closed" in told
        repository.git("remote", "set-url", "origin", "git@github.com:octo/other.git")
        _, told = await run("--post", "7", status=2)
        assert "github.com/octo/other is no registered repository" in told
        _, told = await run("--repository", "x", status=2)
        assert "--post" in told
