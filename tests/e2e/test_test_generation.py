"""Tests are written from outside: named and changed functions, repairs, a kill, and the sandbox."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.servers.calls import client, get, post
from tests.servers.git_server import GitServer, git_server
from tests.servers.model import Body, ModelServer, Reply, model_server, text
from tests.servers.quixbugs import GOOD, USELESS, programs
from tests.servers.sandboxes import require_bubblewrap
from tests.servers.service import App, environment, running_app, service, settings
from tests.servers.stream import events, subscribed

pytestmark = [
    pytest.mark.one_process("the settings of several processes have no workspace yet"),
    pytest.mark.campaign,
]

SHAPES = '''\
def area(w, h):
    """
    >>> area(2, 3)
    6
    """
    return w * h


def half(x):
    return x / 2
'''
GOOD_TEST = "from shapes import area\n\n\ndef test_req_1_area():\n    assert area(2, 3) == 6\n"


def body(**fields: Any) -> dict[str, Any]:
    return {"files": [{"path": "shapes.py", "text": SHAPES}], "functions": ["area"], **fields}


@asynccontextmanager
async def beside_git_server(folder: Path) -> AsyncIterator[tuple[App, GitServer, ModelServer]]:
    """A service whose model writes a good test, and a Git server that it may call."""
    async with (
        git_server(folder / "served") as served,
        model_server(text(GOOD_TEST)) as model,
        running_app(settings(folder, model, workspace=True, workspace_allow_networks="127.0.0.0/8")) as app,
    ):
        yield app, served, model


async def submit(url: str, **fields: Any) -> str:
    response = await post(url, "/pipelines/test-generation", body(**fields))
    assert response.status_code == 202, response.text
    return str(response.json()["task_id"])


async def result_of(url: str, task_id: str) -> dict[str, Any]:
    await events(url, task_id)
    found: dict[str, Any] = await get(url, f"/api/v1/task/{task_id}/tests")
    return found


async def test_without_a_sandbox_tests_are_delivered_unverified(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path, workspace=True)) as app, client(app.url) as http:
        response = await post(app.url, "/pipelines/test-generation", body())
        assert "without being run" in response.json()["message"]
        task_id = response.json()["task_id"]
        assert (await http.get(f"/api/v1/task/{task_id}/tests")).status_code in (200, 404)
        found = await result_of(app.url, task_id)
        assert (found["verification"], found["reason"]) == ("unverified", "the sandbox is off")
        (file,) = found["files"]
        assert (file["path"], file["tests"][0]["name"]) == ("tests/test_shapes.py", "test_area")
        assert "assert (area(2, 3)) == 6" in file["text"]
        assert "rules of the offline model" in file["text"]
        task = await get(app.url, f"/api/v1/task/{task_id}")
        assert (task["tests"], task["verification"], task["model"]) == (1, "unverified", "offline")
        assert task["message"].endswith("unverified: the sandbox is off")
        archive = await http.get(f"/api/v1/task/{task_id}/tests.zip")
        assert zipfile.ZipFile(BytesIO(archive.content)).namelist() == ["tests/test_shapes.py"]
        patch = await http.get(f"/api/v1/task/{task_id}/tests.patch")
        (tmp_path / "work").mkdir()
        subprocess.run(["git", "init", "-q"], cwd=tmp_path / "work", check=True)
        subprocess.run(["git", "apply", "-"], cwd=tmp_path / "work", input=patch.content, check=True)
        assert (tmp_path / "work/tests/test_shapes.py").read_text() == file["text"]


async def test_messages_are_chinese_too(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path, workspace=True)) as app:
        response = await post(app.url, "/pipelines/test-generation", body(), **{"Accept-Language": "zh"})
        assert "沙箱已关闭" in response.json()["message"]
        await events(app.url, response.json()["task_id"])
        task = await get(app.url, f"/api/v1/task/{response.json()['task_id']}")
        assert task["message"] == "共 1 个测试，1 个文件；舍弃 0 个；未经验证：沙箱已关闭"


async def test_findings_go_back_to_the_model_and_requirements_are_counted(tmp_path: Path) -> None:
    replies = [text("def test_broken(:\n"), text("def test_nothing():\n    assert True\n"), text(GOOD_TEST)]
    async with (
        model_server(replies) as server,
        running_app(settings(tmp_path, server, workspace=True)) as app,
    ):
        requirements = [{"id": "REQ-1", "text": "w times h"}, {"id": "REQ-2", "text": "more"}]
        task_id = await submit(app.url, requirements=requirements, functions=["area", "half"])
        found = await result_of(app.url, task_id)
        (file,) = found["files"]
        assert file["tests"][0]["requirements"] == ["REQ-1"]
        assert found["gaps"] == {"functions": ["shapes.py:half"], "requirements": ["REQ-2"]}
        asked = [str(seen.body["messages"][-1]["content"]) for seen in server.requests]
        assert "does not parse" in asked[1]
        assert "tests none of the functions" in asked[2]
        assert "w times h" in str(server.requests[0].body["messages"])


async def test_what_is_never_repaired_is_discarded_and_the_rest_delivered(tmp_path: Path) -> None:
    def script(asked: Body) -> Reply:
        is_other = "tests/test_other.py" in str(asked["messages"])
        return text("def test_broken(:\n" if is_other else GOOD_TEST)

    files = [{"path": "shapes.py", "text": SHAPES}, {"path": "other.py", "text": "def other():\n    pass\n"}]
    async with model_server(script) as server, running_app(settings(tmp_path, server, workspace=True)) as app:
        found = await result_of(app.url, await submit(app.url, files=files, functions=["area", "other"]))
        assert [file["path"] for file in found["files"]] == ["tests/test_shapes.py"]
        assert [one["path"] for one in found["discarded"]] == ["tests/test_other.py"]
        assert found["gaps"]["functions"] == ["other.py:other"]


async def test_a_kill_between_two_files_costs_nothing(tmp_path: Path) -> None:
    gate = anyio.Event()

    def script(is_open: bool) -> Any:
        def reply(asked: Body) -> Reply:
            waits = "Write this file now: tests/test_other.py" in str(asked["messages"])
            code = "from other import other\n\n\ndef test_other():\n    assert other() is None\n"
            return text(code if waits else GOOD_TEST, gate=gate if waits and not is_open else None, size=2000)

        return reply

    files = [{"path": "shapes.py", "text": SHAPES}, {"path": "other.py", "text": "def other():\n    pass\n"}]
    async with (
        model_server(script(False)) as server,
        service(tmp_path, environment(server, WORKSPACE="true")) as process,
    ):
        task_id = await submit(process.url, files=files, functions=["area", "other"])
        async with subscribed(process.url, task_id) as stream:
            await stream.until("test_file")
        await process.kill()
        server.script = script(True)
        await process.start()
        found = await result_of(process.url, task_id)
        assert [file["path"] for file in found["files"]] == ["tests/test_shapes.py", "tests/test_other.py"]
        assert calls_about(server, "tests/test_shapes.py") == 1


def calls_about(server: ModelServer, path: str) -> int:
    return sum(f"Write this file now: {path}" in str(seen.body["messages"]) for seen in server.requests)


async def test_nothing_to_test_is_an_error_of_the_request(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path, workspace=True)) as app:
        task_id = await submit(app.url, functions=["absent"])
        await events(app.url, task_id)
        task = await get(app.url, f"/api/v1/task/{task_id}")
        assert (task["error"]["code"], task["error"]["retry_helps"]) == ("NOTHING_TO_TEST", "never")
        assert "no function has this name" in task["error"]["message"]
        for fields in ({"functions": []}, {"patch": "no patch"}, {"framework": "nose"}):
            refused = await post(app.url, "/pipelines/test-generation", body(**fields))
            assert refused.status_code == 422, refused.text


async def test_with_a_sandbox_only_useful_tests_are_delivered(tmp_path: Path) -> None:
    require_bubblewrap()
    program = programs()["gcd"]
    async with (
        model_server(text(program.answer)) as server,
        running_app(settings(tmp_path, server, workspace=True, sandbox="bubblewrap")) as app,
    ):
        files = [{"path": program.path, "text": program.correct}]
        task_id = await submit(app.url, files=files, functions=[], patch=program.patch)
        found = await result_of(app.url, task_id)
        assert (found["verification"], found["reason"]) == ("verified", "")
        (file,) = found["files"]
        assert {test["name"] for test in file["tests"]} == GOOD
        assert all(test["fails_before_change"] and test["mutants_killed"] for test in file["tests"])
        assert {one["name"] for one in found["discarded"]} == set(USELESS)
        assert not any(f"def {name}(" in file["text"] for name in USELESS)
        assert found["gaps"]["functions"] == []


async def test_what_differs_in_a_repository_is_tested(tmp_path: Path) -> None:
    async with beside_git_server(tmp_path) as (app, served, _server):
        repository = served.repository()
        old = {"shapes.py": SHAPES.replace("w * h", "w + h").encode(), "pytest.ini": b"", "logo.png": b"\xff"}
        repository.commit(old)
        repository.git("checkout", "-q", "-b", "change")
        repository.commit({**old, "shapes.py": SHAPES.encode()})
        row = (await post(app.url, "/git/repositories", {"name": "p", "repository_url": served.url()})).json()
        place = {"repository_id": row["id"], "base": "main", "head": "change"}
        task_id = await submit(app.url, files=[], functions=[], **place)
        found = await result_of(app.url, task_id)
        assert [(file["path"], file["functions"]) for file in found["files"]] == [
            ("tests/test_shapes.py", ["area"])
        ]
        async with client(app.url) as http:
            patch = await http.get(f"/api/v1/task/{task_id}/tests.patch")
        assert "+++ b/tests/test_shapes.py" in patch.text
        lost = await submit(app.url, files=[], functions=[], **{**place, "head": "nowhere"})
        await events(app.url, lost)
        assert (await get(app.url, f"/api/v1/task/{lost}"))["error"]["code"] == "REF_UNKNOWN"
        unknown = {**place, "repository_id": "00000000-0000-4000-8000-000000000000"}
        refused = await post(app.url, "/pipelines/test-generation", body(files=[], functions=[], **unknown))
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "repository_id")


async def test_what_a_code_diff_changes_is_tested(tmp_path: Path) -> None:
    async with beside_git_server(tmp_path) as (app, served, server), client(app.url) as http:
        repository = served.repository()
        old = {"shapes.py": SHAPES.replace("w * h", "w + h").encode(), "pytest.ini": b""}
        base = repository.commit(old)
        head = repository.commit({**old, "shapes.py": SHAPES.encode()})
        row = (await post(app.url, "/git/repositories", {"name": "p", "repository_url": served.url()})).json()
        refs = {"compare_type": "commit", "source_ref": head, "target_ref": base}
        created = await post(app.url, "/code-diffs", {"name": "d", "repository_id": row["id"], **refs})
        diff = {"code_diff_id": created.json()["id"]}
        await events(app.url, created.json()["task_id"])
        found = await result_of(app.url, await submit(app.url, files=[], functions=[], **diff))
        assert [file["functions"] for file in found["files"]] == [["area"]]
        asked = str(server.requests[-1].body["messages"])
        assert "return w * h" in asked
        uploaded = await http.post(
            "/api/v1/code-diffs/patch?name=p",
            content=repository.diff(base, head),
            headers={"Content-Type": "text/x-diff"},
        )
        assert uploaded.status_code == 201, uploaded.text
        patch = {"code_diff_id": uploaded.json()["id"]}
        found = await result_of(app.url, await submit(app.url, functions=[], **patch))
        assert [file["functions"] for file in found["files"]] == [["area"]]
        for fields, field in (
            ({**diff}, "files"),
            ({**patch, "files": []}, "files"),
            ({**diff, "files": [], "patch": "x"}, "code_diff_id"),
            ({"files": [], "code_diff_id": "00000000-0000-4000-8000-000000000000"}, "code_diff_id"),
        ):
            refused = await post(app.url, "/pipelines/test-generation", body(functions=[], **fields))
            assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field), refused.text


def gencode(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "gencode", "tests", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False)


async def test_the_command_finds_the_files_and_writes_the_tests(tmp_path: Path) -> None:
    work = tmp_path / "work"
    (work / "tests").mkdir(parents=True)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com"]
    (work / "shapes.py").write_text(SHAPES.replace("w * h", "w + h"))
    (work / "tests/test_other.py").write_text("import unittest\n")
    (work / "link.py").symlink_to("/etc/passwd")
    for command in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "begin"]):
        subprocess.run([*git, *command], cwd=work, check=True)
    (work / "shapes.py").write_text(SHAPES)
    async with running_app(settings(tmp_path / "data", workspace=True)) as app:
        run = anyio.to_thread.run_sync
        done = await run(gencode, work, "--base", "HEAD", "--write", "--json", "--url", app.url)
        assert done.returncode == 0, done.stderr
        document = json.loads(done.stdout)
        assert document["files"][0]["functions"] == ["area"]
        assert (work / "tests/test_shapes.py").read_text() == document["files"][0]["text"]
        request = await get(app.url, f"/api/v1/task/{document['task_id']}/request")
        assert sorted(file["path"] for file in request["files"]) == ["shapes.py", "tests/test_other.py"]
        (work / "tests/test_shapes.py").write_text("# mine\n")
        patch = await run(gencode, work, "shapes.py:half", "--deliver", "patch", "--url", app.url)
        subprocess.run([*git, "apply", "--check"], cwd=work, check=True, input=patch.stdout)
        again = await run(gencode, work, "shapes.py:half", "--write", "--url", app.url)
        assert b"tests/test_shapes_generated.py: written" in again.stdout
        assert (work / "tests/test_shapes.py").read_text() == "# mine\n"
        refused = await run(gencode, work, "--url", app.url)
        assert (refused.returncode, b"--base main" in refused.stderr) == (2, True)
