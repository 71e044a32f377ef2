"""Row 73 of the fault table: a temporary folder that cannot be used or cleaned."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from tests.servers.calls import FILES, submit
from tests.servers.github import github_server
from tests.servers.model import model_server, plan_and_files
from tests.servers.service import running_app, settings
from tests.servers.stream import events


@pytest.mark.fault(73)
async def test_a_temporary_folder_that_cannot_be_used_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Row 73: there is nothing to delete. Commits are built in memory, and no task writes a file anywhere but
    in DATA_DIR; TEMP_DIR need not even be a folder."""
    blocked = tmp_path / "temp"
    blocked.write_text("not a folder")
    system = tmp_path / "tmp"
    system.mkdir()
    async with (
        model_server(plan_and_files(FILES)) as model,
        github_server(tmp_path / "github") as github,
    ):
        monkeypatch.setenv("TMPDIR", str(system))
        monkeypatch.setattr(tempfile, "tempdir", str(system))
        monkeypatch.chdir(system)
        async with running_app(settings(tmp_path, model, github, temp_dir=blocked)) as app:
            present = set(tmp_path.iterdir())
            heard = await events(app.url, await submit(app.url))
        assert heard[-1].data["status"] == "completed"
        assert os.listdir(system) == []
        assert blocked.read_text() == "not a folder"
        assert set(tmp_path.iterdir()) == present | {tmp_path / "github"}
