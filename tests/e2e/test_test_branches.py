"""Tests are delivered as a branch: seen by a real clone, of the local forge and of another host."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.e2e.test_test_generation import GOOD_TEST, SHAPES, beside_git_server, body, gencode
from tests.servers.calls import client, get, post, submit
from tests.servers.git_server import GitServer
from tests.servers.model import Body, Reply, model_server, plan_and_files, text
from tests.servers.service import environment, service
from tests.servers.stream import events

pytestmark = [
    pytest.mark.one_process("the local forge, and a clone, are of one process"),
    pytest.mark.campaign,
]

FUNCTIONS = ["shapes.py:area"]
REFS = {"base": "main", "head": "main"}


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


async def over(url: str, **fields: Any) -> dict[str, Any]:
    """The task, once it is over."""
    asked = body(files=[], functions=FUNCTIONS, **{**REFS, "deliver": "branch", **fields})
    response = await post(url, "/pipelines/test-generation", asked)
    assert response.status_code == 202, response.text
    await events(url, response.json()["task_id"])
    return dict(await get(url, f"/api/v1/task/{response.json()['task_id']}"))


def script(asked: Body) -> Reply | None:
    is_test = "Task: test_generation" in str(asked["messages"][0])
    return text(GOOD_TEST) if is_test else None


def answers(asked: Body) -> Reply:
    return script(asked) or plan_and_files({"shapes.py": SHAPES, "lib/x.py": "x = 1\n"})(asked)


async def registered(url: str, address: str) -> str:
    row = await post(url, "/git/repositories", {"name": "project", "repository_url": address})
    assert row.status_code == 201, row.text
    return str(row.json()["id"])


async def test_a_branch_of_the_local_forge_is_pushed_once_although_the_process_is_killed(
    tmp_path: Path,
) -> None:
    """The second push of the process is that of the tests: it is done, and nothing of it is stored."""
    async with (
        model_server(answers) as server,
        service(tmp_path, environment(server, WORKSPACE="true"), "push.after:2") as process,
    ):
        made = await submit(process.url, "shapes")
        await events(process.url, made)
        address = (await get(process.url, f"/api/v1/task/{made}"))["clone_url"]
        row = await registered(process.url, address)
        asked = body(files=[], functions=FUNCTIONS, repository_id=row, deliver="branch", **REFS)
        accepted = await post(process.url, "/pipelines/test-generation", asked)
        assert await process.ended() == -9
        clone = tmp_path / "clone"
        await process.start()
        await events(process.url, accepted.json()["task_id"])
        task = await get(process.url, f"/api/v1/task/{accepted.json()['task_id']}")
        assert task["state"] == "succeeded", task
        assert task["branch"] == f"gencode-tests-{task['task_id'][-8:]}"
        assert task["message"].endswith(f"; on the branch {task['branch']}")
        subprocess.run(["git", "clone", "-q", address, str(clone)], check=True)
        assert git(clone, "rev-parse", "--abbrev-ref", "HEAD") == "main"
        refs = git(clone, "for-each-ref", "--format=%(refname:lstrip=3)", "refs/remotes/origin").split()
        assert sorted(refs) == sorted(["HEAD", "main", task["branch"]])
        head = f"origin/{task['branch']}"
        assert git(clone, "rev-parse", head) == task["commit"]
        assert git(clone, "rev-parse", f"{head}^") == git(clone, "rev-parse", "origin/main")
        assert git(clone, "diff", "--name-status", "origin/main", head) == "A\ttests/test_shapes.py"
        git(clone, "fsck", "--strict")
        found = await get(process.url, f"/api/v1/task/{task['task_id']}/tests")
        assert git(clone, "show", f"{head}:tests/test_shapes.py") == found["files"][0]["text"].strip()
        assert "Verification: unverified: the sandbox is off" in git(clone, "log", "-1", "--format=%B", head)
        asked_tests = [one for one in server.requests if script(one.body)]
        assert len(asked_tests) == 1


def served_project(served: GitServer, token: str) -> Any:
    repository = served.repository()
    repository.git("config", "http.receivepack", "true")
    repository.commit({"shapes.py": SHAPES.encode(), "tests/test_old.py": b"def test_old(): pass\n"})
    served.token = token
    return repository


async def with_credential(url: str, served: GitServer) -> None:
    origin = served.url().rpartition("/team/")[0]
    credential = {"name": "c", "provider": "generic", "api_url": origin, "access_token": served.token}
    made = await post(url, "/git/credentials", {**credential, "is_default": True})
    assert made.status_code == 201, made.text


async def test_a_branch_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    async with beside_git_server(tmp_path) as (app, served, _server):
        repository = served_project(served, "canary-token-0123456789")
        foreign = repository.git("rev-parse", "HEAD").decode().strip()
        repository.git("branch", "add-tests")
        await with_credential(app.url, served)
        row = await registered(app.url, served.url())
        task = await over(app.url, repository_id=row, branch="add-tests")
        assert (task["state"], task["branch"]) == ("succeeded", "add-tests-2"), task
        assert repository.git("rev-parse", "add-tests").decode().strip() == foreign
        assert repository.git("rev-parse", "add-tests-2").decode().strip() == task["commit"]
        names = repository.git("ls-tree", "-r", "--name-only", "add-tests-2").decode().split()
        assert names == ["shapes.py", "tests/test_old.py", "tests/test_shapes.py"]
        log = await events(app.url, task["task_id"])
        pushed = [event.data for event in log if event.kind == "pushed"]
        assert [(one["branch"], one["commit"]) for one in pushed] == [("add-tests-2", task["commit"])]
        assert served.token not in str(log)
        repository.git("remote", "add", "origin", served.url())
        branch = ("--deliver", "branch", "--branch", "by-command", "--json", "--url", app.url)
        done = await anyio.to_thread.run_sync(gencode, repository.path, "shapes.py:area", *branch)
        assert done.returncode == 0, done.stderr
        names = repository.git("ls-tree", "-r", "--name-only", "by-command").decode().split()
        assert "tests/test_shapes.py" in names


async def test_what_cannot_be_pushed_is_refused_before_a_model_is_asked(tmp_path: Path) -> None:
    async with beside_git_server(tmp_path) as (app, served, server):
        served_project(served, "")
        row = await registered(app.url, served.url())
        place = {"files": [], "repository_id": row, "base": "main", "head": "main"}
        for fields, field in (
            ({**place, "deliver": "branch"}, "deliver"),  # no credential
            ({"deliver": "branch"}, "deliver"),  # no repository
            ({"branch": "x"}, "branch"),
            ({**place, "deliver": "branch", "branch": "a..b"}, "branch"),
        ):
            refused = await post(app.url, "/pipelines/test-generation", body(**fields))
            assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field), refused.text
        assert not server.requests


async def test_a_push_that_is_refused_loses_no_test(tmp_path: Path) -> None:
    async with beside_git_server(tmp_path) as (app, served, server), client(app.url) as http:
        repository = served_project(served, "canary-token-0123456789")
        hook = repository.path / ".git/hooks/pre-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\necho protected; exit 1\n")
        hook.chmod(0o755)
        await with_credential(app.url, served)
        row = await registered(app.url, served.url())
        task = await over(app.url, repository_id=row)
        assert (task["state"], task["error"]["code"]) == ("failed", "GIT_REJECTED")
        assert "protected" in task["error"]["message"]
        patch = await http.get(f"/api/v1/task/{task['task_id']}/tests.patch")
        assert "+++ b/tests/test_shapes.py" in patch.text
        hook.unlink()
        retried = await post(app.url, f"/task/{task['task_id']}/retry")
        assert retried.status_code == 202, retried.text
        await events(app.url, task["task_id"])
        task = await get(app.url, f"/api/v1/task/{task['task_id']}")
        assert task["state"] == "succeeded"
        assert repository.git("rev-parse", task["branch"]).decode().strip() == task["commit"]
        assert len(server.requests) == 1
