"""Code diffs over HTTP: branches and commits compared as a task, and uploaded patches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest
from starlette.requests import Request

from tests.e2e.test_repositories import WORKSPACE, register
from tests.servers.calls import client, get, post
from tests.servers.git_repository import GitRepository
from tests.servers.git_server import GitServer, git_server
from tests.servers.service import running_app, service, settings
from tests.servers.stream import events

pytestmark = [
    pytest.mark.one_process("the settings of several processes have no workspace yet"),
    pytest.mark.campaign,
]


def project(server: GitServer) -> tuple[GitRepository, str, str, str]:
    """The repository, and the commits of the fork, of main and of the branch feature."""
    repository = server.repository()
    fork = repository.commit({"a.py": b"x = 1\n", "b.py": b"y = 1\n"}, "fork")
    repository.git("checkout", "-q", "-b", "feature")
    feature = repository.commit({"a.py": b"x = 2\n", "b.py": b"y = 1\n", "c d.py": b"z = 1\n"}, "feature")
    repository.git("checkout", "-q", "main")
    main = repository.commit({"a.py": b"x = 1\n", "b.py": b"y = 2\n"}, "main")
    return repository, fork, main, feature


async def compared(url: str, repository_id: str, **fields: Any) -> dict[str, Any]:
    """The code diff, once its task is over."""
    body = {"name": "change", "repository_id": repository_id, "source_ref": "feature", "target_ref": "main"}
    created = await post(url, "/code-diffs", body | fields)
    assert created.status_code == 201, created.text
    assert created.json()["task_id"]
    await events(url, created.json()["task_id"])
    return dict(await get(url, f"/api/v1/code-diffs/{created.json()['id']}"))


async def test_branches_and_commits_are_compared(tmp_path: Path) -> None:
    async with (
        git_server(tmp_path / "served") as server,
        running_app(settings(tmp_path / "data", workspace=True)) as app,
        client(app.url) as http,
    ):
        repository, fork, main, feature = project(server)
        row = await register(app.url, server.url())
        diff = await compared(app.url, row["id"])  # which syncs the repository first
        assert (diff["status"], diff["base_commit"], diff["source_commit"]) == ("completed", fork, feature)
        assert diff["stats"] == {"files": 2, "added": 2, "deleted": 1}
        path = f"/api/v1/code-diffs/{diff['id']}"
        content = await get(app.url, f"{path}/content?limit=1")
        (file,) = content["files"]
        assert (file["path"], file["status"], content["next_cursor"]) == ("a.py", "modified", "1")
        lines = [(line["kind"], line["old"], line["new"], line["text"]) for line in file["hunks"][0]["lines"]]
        assert lines == [("deleted", 1, None, "x = 1"), ("added", None, 1, "x = 2")]
        assert all("#" in line["anchor"] for line in file["hunks"][0]["lines"])
        rest = await get(app.url, f"{path}/content?cursor=1")
        assert ([one["path"] for one in rest["files"]], rest["next_cursor"]) == (["c d.py"], None)
        patch = await http.get(f"{path}/patch")
        assert patch.headers["content-type"] == "text/x-diff; charset=utf-8"
        repository.git("checkout", "-q", fork)
        repository.git("apply", "--index", data=patch.content)
        tree = repository.git("rev-parse", f"{feature}^{{tree}}")
        assert repository.git("write-tree") == tree
        direct = await compared(
            app.url, row["id"], compare_type="commit", source_ref=feature[:10], target_ref=main
        )
        assert (direct["base_commit"], direct["stats"]["files"]) == (main, 3)
        repository.git("checkout", "-q", "-f", "main")
        empty = await compared(app.url, row["id"], source_ref=fork, target_ref="main")
        task = await get(app.url, f"/api/v1/task/{empty['task_id']}")
        assert empty["stats"]["files"] == 0
        assert "Were the two exchanged?" in task["message"]


async def test_a_ref_that_is_newer_than_the_last_sync_is_fetched(tmp_path: Path) -> None:
    async with (
        git_server(tmp_path / "served") as server,
        running_app(settings(tmp_path / "data", workspace=True)) as app,
    ):
        repository, *_ = project(server)
        row = await register(app.url, server.url())
        first = await compared(app.url, row["id"])
        repository.git("checkout", "-q", "-b", "later", "feature")
        later = repository.commit({"a.py": b"x = 3\n"}, "later")
        assert (await compared(app.url, row["id"], source_ref="later"))["source_commit"] == later
        repository.git("branch", "-f", "feature", later)
        assert (await compared(app.url, row["id"], sync=True))["source_commit"] == later
        again = await post(app.url, "/code-diffs/compare", {"code_diff_id": first["id"]})
        await events(app.url, again.json()["task_id"])
        shown = await get(app.url, f"/api/v1/code-diffs/{first['id']}")
        assert (shown["source_commit"], shown["task_id"]) == (later, again.json()["task_id"])


async def test_what_cannot_be_compared_is_told(tmp_path: Path) -> None:
    async with (
        git_server(tmp_path / "served") as server,
        running_app(settings(tmp_path / "data", workspace=True)) as app,
        client(app.url) as http,
    ):
        project(server)
        row = await register(app.url, server.url())
        unknown = await compared(app.url, row["id"], source_ref="none")
        assert (unknown["status"], unknown["error_code"]) == ("failed", "REF_UNKNOWN")
        refused = await http.get(f"/api/v1/code-diffs/{unknown['id']}/content")
        assert (refused.status_code, refused.json()["code"]) == (409, "DIFF_NOT_READY")
        body = {"name": "x", "repository_id": row["id"], "source_ref": "a", "target_ref": "b"}
        for fields in (
            {"source_ref": "--output=/tmp/x"},
            {"source_ref": "a..b"},
            {"target_ref": "a\u0007"},
            {"repository_id": "00000000-0000-4000-8000-000000000000"},
            {"compare_type": "patch!"},
        ):
            wrong = await post(app.url, "/code-diffs", body | fields)
            assert wrong.status_code == 422, fields


async def test_a_repeated_creation_is_the_same_diff(tmp_path: Path) -> None:
    async with (
        git_server(tmp_path / "served") as server,
        running_app(settings(tmp_path / "data", workspace=True)) as app,
    ):
        project(server)
        row = await register(app.url, server.url())
        body = {"name": "x", "repository_id": row["id"], "source_ref": "feature", "target_ref": "main"}
        key = {"Idempotency-Key": "k"}
        first, again = [await post(app.url, "/code-diffs", body, **key) for _ in range(2)]
        assert first.json()["id"] == again.json()["id"]
        assert again.headers["idempotency-replayed"] == "true"
        other = await post(app.url, "/code-diffs", body | {"name": "y"}, **key)
        assert other.json()["code"] == "IDEMPOTENCY_KEY_REUSED"
        assert len((await get(app.url, "/api/v1/code-diffs"))["items"]) == 1


async def test_a_patch_is_read_at_once(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path / "data", workspace=True)) as app, client(app.url) as http:
        git = GitRepository(tmp_path / "made")
        git.commit({"a.py": b"x = 1\n"}, "one")
        git.commit({"a.py": b"x = 2\n"}, "two")
        last = git.commit({"a.py": b"x = 2\n", "b.py": b"y = 1\n"}, "three")
        patch = git.git("format-patch", "--stdout", "HEAD~2")
        headers = {"Content-Type": "text/x-diff"}

        async def upload(data: bytes) -> Any:
            return await http.post("/api/v1/code-diffs/patch?name=mine", content=data, headers=headers)

        created = (await upload(patch)).json()
        assert (created["status"], created["compare_type"], created["commits"]) == ("completed", "patch", 2)
        content = await get(app.url, f"/api/v1/code-diffs/{created['id']}/content")
        assert [file["path"] for file in content["files"]] == ["a.py", "b.py"]
        assert content["files"][1]["commit"] == last
        for data in (b"", b"no patch", b"\0" * 100, patch[: patch.index(b"+x = 2")]):
            refused = await upload(data)
            assert (refused.status_code, refused.json()["code"]) == (422, "VALIDATION"), data
        again = await post(app.url, "/code-diffs/compare", {"code_diff_id": created["id"]})
        assert again.status_code == 422
        assert (await http.delete(f"/api/v1/code-diffs/{created['id']}")).status_code == 204
        assert (await http.get(f"/api/v1/code-diffs/{created['id']}/content")).status_code == 404


async def test_a_kill_in_the_middle_loses_nothing(tmp_path: Path) -> None:
    async with git_server(tmp_path / "served") as server, service(tmp_path, WORKSPACE) as process:
        *_, feature = project(server)
        is_asked, may_answer = anyio.Event(), anyio.Event()

        async def hold(request: Request, body: bytes) -> None:
            if b"command=fetch" in body:
                is_asked.set()
                await may_answer.wait()

        server.answer = hold
        row = await register(process.url, server.url())
        body = {"name": "x", "repository_id": row["id"], "source_ref": "feature", "target_ref": "main"}
        created = (await post(process.url, "/code-diffs", body)).json()
        await is_asked.wait()
        assert (await get(process.url, f"/api/v1/code-diffs/{created['id']}"))["status"] == "running"
        await process.kill()
        may_answer.set()
        await process.start()
        await events(process.url, created["task_id"])
        shown = await get(process.url, f"/api/v1/code-diffs/{created['id']}")
        assert (shown["status"], shown["source_commit"]) == ("completed", feature)


async def test_a_diff_that_is_cancelled_in_the_queue_says_so(tmp_path: Path) -> None:
    async with (
        git_server(tmp_path / "served") as server,
        running_app(settings(tmp_path / "data", workspace=True, max_concurrent_tasks=1)) as app,
    ):
        project(server)
        has_begun, go_on = anyio.Event(), anyio.Event()

        async def wait(request: Request, body: bytes) -> None:
            has_begun.set()
            await go_on.wait()

        server.answer = wait
        row = await register(app.url, server.url())
        body = {"repository_id": row["id"], "source_ref": "feature", "target_ref": "main"}
        await post(app.url, "/code-diffs", {"name": "first", **body})
        await has_begun.wait()
        waiting = (await post(app.url, "/code-diffs", {"name": "second", **body})).json()
        cancelled = await post(app.url, f"/task/{waiting['task_id']}/cancel")
        assert cancelled.json()["status"] == "cancelled"
        (shown,) = (await get(app.url, "/api/v1/code-diffs?status=failed"))["items"]
        assert (shown["id"], shown["error_code"]) == (waiting["id"], "CANCELLED")
        assert shown["completed_at"]
        go_on.set()
