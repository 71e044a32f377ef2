"""`gencode replay` makes the same commit from a bundle, and nothing from a modified one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from gencode.bootstrap.command_registry import main
from gencode.client import Client
from gencode.domain.errors import GencodeError, UnsafePath, UnsafeTree
from gencode.pipelines.generate.errors import BadBundle
from gencode.pipelines.generate.repository_from_bundle import replay
from tests.e2e.cloning import cloned, files, git
from tests.servers.service import running_app, settings
from tests.servers.stream import events

Bundle = dict[str, Any]


async def bundle_of(folder: Path) -> tuple[Bundle, str, set[str]]:
    """The bundle of a completed task, with the head and the files of a clone of its repository."""
    async with running_app(settings(folder)) as app, Client(app.url) as client:
        task_id = (await client.submit("a small Flask app with login, 中文", "flask-app"))["task_id"]
        heard = await events(app.url, task_id)
        clone = await cloned(heard[-1].data["repo_url"], folder / "clone")
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.get(f"{app.url}/api/v1/task/{task_id}/bundle")
        assert answer.status_code == 200, answer.text
        return answer.json(), await git(clone, "rev-parse", "HEAD"), await files(clone)


def saved(bundle: Bundle, folder: Path) -> Path:
    file = folder / "bundle.json"
    file.write_text(json.dumps(bundle), encoding="utf-8")
    return file


async def test_a_replayed_bundle_is_the_same_commit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle, head, pushed = await bundle_of(tmp_path)
    assert bundle["sha"] == head
    assert bundle["request"]["repo_name"] == "flask-app"
    assert bundle["report"]["commit"] == head
    file, into = saved(bundle, tmp_path), tmp_path / "bare.git"
    capsys.readouterr()
    assert main(["replay", str(file), "--into", str(into)]) == 0
    assert capsys.readouterr().out.splitlines()[0] == head
    again = await cloned(str(into), tmp_path / "again")
    assert await git(again, "rev-parse", "HEAD") == head
    assert await files(again) == pushed
    assert main(["replay", str(file), "--into", str(into)]) == 1
    assert "BAD_BUNDLE" in capsys.readouterr().err


def make_bundle(**commit: Any) -> Bundle:
    report: Bundle = {
        "version": 1,
        "task_id": "t",
        "status": "completed",
        "model": "m",
        "repo_name": "r",
        **dict.fromkeys(("repo_url", "commit", "plan")),
        **{name: [] for name in ("files", "findings", "repairs", "stages", "failures")},
        **dict.fromkeys(("calls", "calls_repeated", "retries", "resumed"), 0),
        "usage": {},
    }
    made = {"files": {"a.py": "x = 1\n"}, "message": "m\n", "author": "A <a@b>", "branch": "main"}
    return {
        "format": "gencode-bundle",
        "version": 1,
        "task_id": "t",
        "request": {},
        "report": report,
        "sha": "530ce7d77cc1e0b43878e3693ff9ccad3c7c4815",
        "commit": {**made, "at": "2026-11-22T07:00:00Z", **commit},
    }


def test_an_untouched_bundle_is_replayed(tmp_path: Path) -> None:
    bundle = make_bundle()
    assert replay(saved(bundle, tmp_path), tmp_path / "bare.git") == bundle["sha"]


@pytest.mark.parametrize(
    ("commit", "refusal"),
    [
        ({"files": {"../evil": "x"}}, UnsafePath),
        ({"files": {"/etc/passwd": "x"}}, UnsafePath),
        ({"files": {".git/hooks/post-checkout": "x"}}, UnsafePath),
        ({"files": {"a/.GIT/config": "x"}}, UnsafePath),
        ({"files": {".github/workflows/ci.yml": "x"}}, UnsafePath),
        ({"files": {"a": "x", "a/b": "x"}}, UnsafeTree),
        ({"files": {"a.py": "x = 2\n"}}, BadBundle),
        ({"branch": "../../evil"}, BadBundle),
        ({"author": "A <a@b>\nparent 0"}, BadBundle),
        ({"at": "yesterday"}, BadBundle),
    ],
)
def test_a_hostile_commit_is_refused_before_anything_is_written(
    commit: Bundle, refusal: type[GencodeError], tmp_path: Path
) -> None:
    into = tmp_path / "out" / "bare.git"
    with pytest.raises(refusal):
        replay(saved(make_bundle(**commit), tmp_path), into)
    assert not into.parent.exists()


@pytest.mark.parametrize("bundle", [{}, {"version": 2}, {"sha": "x"}, {"more": 1}, {"commit": None}])
def test_other_json_is_refused(bundle: Bundle, tmp_path: Path) -> None:
    whole = make_bundle() | bundle if bundle else {}
    with pytest.raises(BadBundle):
        replay(saved(whole, tmp_path), tmp_path / "bare.git")


def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadBundle, match="cannot be read"):
        replay(tmp_path / "nothing.json", tmp_path / "bare.git")


async def test_a_task_without_a_commit_has_no_bundle(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path)) as app, Client(app.url) as client:
        task_id = (await client.submit("a page", "page", max_tokens=1))["task_id"]
        await events(app.url, task_id)
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.get(f"{app.url}/api/v1/task/{task_id}/bundle")
        assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
