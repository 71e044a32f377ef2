"""Rows 93-104: hostile generated files, and the process that checks them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.servers.calls import get, post, submit
from tests.servers.github import github_server
from tests.servers.model import model_server, plan_and_files
from tests.servers.service import running_app, settings
from tests.servers.stream import events


@pytest.mark.fault(93)
async def test_a_task_whose_files_cannot_be_checked_fails_and_can_be_retried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        model_server(plan_and_files({"app.py": "print('hello')\n"})) as model,
        github_server(tmp_path / "github") as github,
        running_app(settings(tmp_path, model, github)) as app,
    ):
        with monkeypatch.context() as broken:
            broken.setattr(sys, "executable", "/nonexistent/python")
            task = await submit(app.url)
            last = (await events(app.url, task))[-1]
        assert (last.data["code"], last.data["retryable"]) == ("CHECK_FAILED", True)
        assert "cannot be started" in last.data["message"]
        assert github.repos == {}
        calls = len(model.started)

        assert (await post(app.url, f"/task/{task}/retry")).status_code == 202
        await events(app.url, task)
        assert (await get(app.url, f"/api/v1/task/{task}"))["status"] == "completed"
        assert len(model.started) == calls
