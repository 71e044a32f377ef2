"""Repositories over HTTP: registered, synced as a task, and read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest
from pydantic import SecretStr
from starlette.requests import Request

from tests.servers.calls import client, get, post
from tests.servers.git_server import GitServer, git_server
from tests.servers.service import running_app, service, settings
from tests.servers.stream import events

pytestmark = [
    pytest.mark.one_process("the settings of several processes have no workspace yet"),
    pytest.mark.campaign,
]

WORKSPACE = {"WORKSPACE": "true"}
TOKEN = "glpat-5be1f0c2d37a"


async def register(url: str, repository: str, **fields: Any) -> dict[str, Any]:
    body = {"name": "project", "repository_url": repository, **fields}
    created = await post(url, "/git/repositories", body)
    assert created.status_code == 201, created.text
    return dict(created.json())


async def synced(url: str, row_id: str) -> dict[str, Any]:
    """The task of a sync, once it is over."""
    started = await post(url, f"/git/repositories/{row_id}/sync")
    assert started.status_code == 202, started.text
    task_id = started.json()["task_id"]
    await events(url, task_id)
    return dict(await get(url, f"/api/v1/task/{task_id}"))


def project(server: GitServer) -> str:
    """Returns the head."""
    repository = server.repository()
    repository.commit({"a.py": b"x = 1\n", "link:evil": b"../../../../etc/passwd"}, "first")
    repository.git("tag", "v1")
    repository.git("branch", "feature/x")
    files = {"src/项目.py": b"y = 2\n", "bin.dat": b"\0\1", "link:evil": b"../../../../etc/passwd"}
    return repository.commit(files, "second")


async def test_a_repository_is_registered_synced_and_read(tmp_path: Path) -> None:
    async with git_server(tmp_path / "served") as server, running_app(_settings(tmp_path)) as app:
        head = project(server)
        server.token = TOKEN
        credential = {"name": "c", "provider": "generic", "access_token": TOKEN, "api_url": server.url()}
        credential["api_url"] = server.url().rpartition("/team")[0]
        made = (await post(app.url, "/git/credentials", credential | {"is_default": True})).json()
        row = await register(app.url, server.url(), credential_id=made["id"])
        assert (row["sync_status"], row["head_commit"]) == ("pending", None)
        path = f"/api/v1/git/repositories/{row['id']}"
        task = await synced(app.url, row["id"])
        assert (task["state"], task["head_commit"], task["default_branch"]) == ("succeeded", head, "main")
        shown = await get(app.url, path)
        assert (shown["sync_status"], shown["head_commit"]) == ("success", head)
        assert shown["size_bytes"] > 0
        branches = (await get(app.url, f"{path}/branches"))["branches"]
        assert [one["name"] for one in branches] == ["main", "feature/x"]
        commits = await get(app.url, f"{path}/commits?limit=1")
        assert (commits["commits"][0]["message"], commits["has_more"]) == ("second\n", True)
        tree = await get(app.url, f"{path}/tree?ref={head[:8]}")
        kinds = {entry["path"]: entry["type"] for entry in tree["entries"]}
        assert kinds == {"bin.dat": "file", "evil": "symlink", "src": "directory"}
        within = await get(app.url, f"{path}/tree?path=src")
        assert [entry["path"] for entry in within["entries"]] == ["src/项目.py"]
        file = await get(app.url, f"{path}/file?path=src/项目.py")
        assert (file["text"], file["size"]) == ("y = 2\n", 6)
        assert (await get(app.url, f"{path}/file?path=bin.dat"))["left_out"] == "binary"
        link = await get(app.url, f"{path}/file?path=evil")
        assert (link["type"], link["text"]) == ("symlink", "../../../../etc/passwd")
        old = await get(app.url, f"{path}/file?path=a.py&ref=v1")
        assert old["text"] == "x = 1\n"
        for file_of in tmp_path.rglob("*"):
            if file_of.is_file() and "served" not in file_of.parts:
                assert TOKEN.encode() not in file_of.read_bytes(), file_of


async def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    async with (
        git_server(tmp_path / "served") as server,
        running_app(_settings(tmp_path)) as app,
        client(app.url) as http,
    ):
        project(server)
        row = await register(app.url, server.url())
        path = f"/api/v1/git/repositories/{row['id']}"

        async def code(what: str) -> tuple[int, str]:
            response = await http.get(f"{path}/{what}")
            return response.status_code, response.json()["code"]

        assert await code("tree") == (409, "CLONE_MISSING")
        assert (await get(app.url, f"{path}/branches")) == {"branches": []}
        await synced(app.url, row["id"])
        assert await code("tree?ref=none") == (404, "REF_UNKNOWN")
        for hostile in ("HEAD~1", "main..feature/x", "-main", "../../x", "refs/heads/main", "0000000"):
            assert await code(f"tree?ref={hostile}") == (404, "REF_UNKNOWN")
        for hostile in ("../a.py", "src/../bin.dat", "evil/passwd", "src//x", ".git/config", "none"):
            assert await code(f"file?path={hostile}") == (404, "PATH_UNKNOWN")
        assert await code("file?path=src") == (404, "PATH_UNKNOWN")
        assert await code("tree?path=bin.dat") == (404, "PATH_UNKNOWN")
        assert (await http.get(f"{path}/tree?ref=a%00b")).status_code == 422


async def test_a_sync_that_fails_says_why(tmp_path: Path) -> None:
    async with git_server(tmp_path / "served") as server, running_app(_settings(tmp_path)) as app:
        row = await register(app.url, server.url("team/none"))
        task = await synced(app.url, row["id"])
        assert (task["state"], task["error"]["code"]) == ("failed", "GIT_NOT_FOUND")
        shown = await get(app.url, f"/api/v1/git/repositories/{row['id']}")
        assert (shown["sync_status"], shown["sync_error_code"]) == ("failed", "GIT_NOT_FOUND")
        assert "does not know the repository" in shown["sync_error"]


@pytest.mark.parametrize(
    "limit",
    [
        {"max_clone_bytes": 10},
        {"max_clone_objects": 2},
        {"max_clone_object_bytes": 4},
        {"max_clone_refs": 1},
    ],
)
async def test_a_clone_that_exceeds_a_limit_of_the_settings_is_refused(
    tmp_path: Path, limit: dict[str, int]
) -> None:
    chosen = settings(tmp_path / "data", workspace=True, **limit)
    async with git_server(tmp_path / "served") as server, running_app(chosen) as app:
        project(server)
        row = await register(app.url, server.url())
        assert (await synced(app.url, row["id"]))["error"]["code"] == "REPOSITORY_TOO_LARGE"


async def test_a_repository_that_was_generated_is_synced_without_a_credential(tmp_path: Path) -> None:
    async with running_app(_settings(tmp_path)) as app:
        submitted = await post(app.url, "/generate", {"prompt": "a static page", "repo_name": "page"})
        await events(app.url, submitted.json()["task_id"])
        task = await get(app.url, f"/api/v1/task/{submitted.json()['task_id']}")
        row = await register(app.url, task["repo_url"])
        done = await synced(app.url, row["id"])
        assert (done["state"], done["head_commit"]) == ("succeeded", task["commit"])


async def test_a_kill_in_the_middle_of_a_fetch_loses_nothing(tmp_path: Path) -> None:
    async with git_server(tmp_path / "served") as server, service(tmp_path, WORKSPACE) as process:
        head = project(server)
        is_asked, may_answer = anyio.Event(), anyio.Event()

        async def hold(request: Request, body: bytes) -> None:
            if request.method == "POST" and b"command=fetch" in body:
                is_asked.set()
                await may_answer.wait()

        server.answer = hold
        row = await register(process.url, server.url())
        started = await post(process.url, f"/git/repositories/{row['id']}/sync")
        await is_asked.wait()
        again = await post(process.url, f"/git/repositories/{row['id']}/sync")
        assert again.json()["task_id"] == started.json()["task_id"]
        clones = process.data_dir / "repositories"
        assert [path.suffix for path in clones.iterdir()] == [".partial"]
        await process.kill()
        may_answer.set()
        await process.start()
        await events(process.url, started.json()["task_id"])
        shown = await get(process.url, f"/api/v1/git/repositories/{row['id']}")
        assert (shown["sync_status"], shown["head_commit"]) == ("success", head)
        assert [path.suffix for path in clones.iterdir()] == [".git"]


async def test_a_cancelled_sync_ends_in_the_middle_of_a_fetch(tmp_path: Path) -> None:
    async with git_server(tmp_path / "served") as server, running_app(_settings(tmp_path)) as app:
        project(server)
        is_asked = anyio.Event()

        async def hold(request: Request, body: bytes) -> None:
            if request.method == "POST":
                is_asked.set()
                await anyio.sleep_forever()

        server.answer = hold
        row = await register(app.url, server.url())
        started = (await post(app.url, f"/git/repositories/{row['id']}/sync")).json()
        await is_asked.wait()
        cancelled = await post(app.url, f"/task/{started['task_id']}/cancel")
        assert cancelled.json()["state"] == "cancelled"
        shown = await get(app.url, f"/api/v1/git/repositories/{row['id']}")
        assert (shown["sync_status"], shown["sync_error_code"]) == ("failed", "CANCELLED")
        server.answer = None
        assert (await synced(app.url, row["id"]))["state"] == "succeeded"


async def test_others_neither_see_a_repository_nor_reach_an_address_that_is_not_public(
    tmp_path: Path,
) -> None:
    keys = {"alice": "alice-key-0123456789abcdef", "bob": "bob-key-0123456789abcdef00"}
    given = ",".join(f"{name}={key}" for name, key in keys.items())
    async with git_server(tmp_path / "served") as server:
        head = project(server)
        for networks, code in (("127.0.0.0/8", None), ("", "GIT_REJECTED")):
            chosen = settings(
                tmp_path, workspace=True, api_keys=SecretStr(given), workspace_allow_networks=networks
            )
            async with running_app(chosen) as app:
                alice, bob = ({"Authorization": f"Bearer {keys[name]}"} for name in ("alice", "bob"))
                body = {"name": "project", "repository_url": server.url()}
                created = await post(app.url, "/git/repositories", body, **alice)
                assert created.status_code == (201 if networks else 422)
                assert networks or "WORKSPACE_ALLOW_NETWORKS" in created.json()["errors"][0]["message"]
                async with client(app.url) as http:
                    listed = (await http.get("/api/v1/git/repositories", headers=alice)).json()
                (row,) = listed["items"]
                sync = f"/git/repositories/{row['id']}/sync"
                assert (await post(app.url, sync, **bob)).status_code == 404
                refused = await post(app.url, "/git/repositories/sync", {"repository_id": row["id"]}, **bob)
                assert refused.status_code == 422
                before = len(server.requests)
                started = (await post(app.url, sync, **alice)).json()
                async with client(app.url) as http:
                    await http.get(f"/api/v1/status/{started['task_id']}", headers=alice)  # to its end
                    found = await http.get(f"/api/v1/git/repositories/{row['id']}", headers=alice)
                shown = found.json()
                assert shown["sync_error_code"] == code
                assert shown["head_commit"] == head
                assert (len(server.requests) > before) is (code is None)


def _settings(folder: Path) -> Any:
    return settings(folder / "data", workspace=True)
