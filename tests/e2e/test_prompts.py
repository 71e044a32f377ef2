"""Prompts as real users write them, over HTTP on the embedded defaults, until the result is cloned."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.cloning import cloned, files, git
from tests.servers.service import running_app, settings
from tests.servers.stream import events

FILE = Path(os.environ.get("PROMPTS_FILE", Path(__file__).with_name("prompts.jsonl")))
PROMPTS = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
STATUSES = ["pending", "generating", "merging_files", "creating_repo", "pushing", "completed"]


@pytest.mark.parametrize("asked", [pytest.param(line, id=line["repo_name"]) for line in PROMPTS])
async def test_a_prompt_becomes_a_valid_repository(asked: dict[str, str], tmp_path: Path) -> None:
    async with running_app(settings(tmp_path)) as app:
        task = await _submitted(app.url, asked)
        heard = await events(app.url, task["task_id"])

        assert [event.data["status"] for event in heard if event.kind == "status"] == STATUSES
        assert [event.id for event in heard] == list(range(1, len(heard) + 1))
        done = heard[-1].data
        plan = next(event.data for event in heard if event.kind == "plan")
        clone = await cloned(done["repo_url"], tmp_path / "clone")
        assert await files(clone) == {file["path"] for file in plan["files"]}
        assert done["commit"] == await git(clone, "rev-parse", "HEAD")
        assert re.search("offline|离线", (clone / "README.md").read_text(encoding="utf-8"))


async def _submitted(url: str, asked: dict[str, str]) -> dict[str, Any]:
    body = {"prompt": asked["prompt"], "repo_name": asked["repo_name"]}
    async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
        answer = await http.post("/api/v1/generate", json=body)
        assert answer.status_code == 202, answer.text
        task: dict[str, Any] = answer.json()
        return task
