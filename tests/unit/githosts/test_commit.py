from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import anyio
import pytest

from gencode.domain.tree import Tree
from gencode.githosts.commit import commit_objects, commit_sha
from tests.servers.githttp import git_environment
from tests.unit.githosts.samples import FILES, SNAPSHOT


async def sha_by_git(folder: Path, files: dict[str, bytes]) -> str:
    """The SHA that the git command line gives to SNAPSHOT with these files."""
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    name, email = SNAPSHOT.author.rstrip(">").split(" <")
    date = f"{int(SNAPSHOT.at.timestamp())} +0000"
    env = git_environment(folder)
    for role in ("AUTHOR", "COMMITTER"):
        env |= {f"GIT_{role}_NAME": name, f"GIT_{role}_EMAIL": email, f"GIT_{role}_DATE": date}
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "--allow-empty", "-m", SNAPSHOT.message]):
        await anyio.run_process(["git", *command], cwd=folder, env=env)
    return (
        (await anyio.run_process(["git", "rev-parse", "HEAD"], cwd=folder, env=env)).stdout.decode().strip()
    )


@pytest.mark.parametrize(
    "files",
    [
        FILES,
        {},
        {"a": b"", "a.b": b"1", "a-b/c": b"2", "a0/x": b"3", "B/é/z.txt": b"4"},  # git sorts a/ as "a/"
    ],
)
async def test_git_creates_the_same_commit(tmp_path: Path, files: dict[str, bytes]) -> None:
    assert commit_sha(replace(SNAPSHOT, tree=Tree.of(files))) == await sha_by_git(tmp_path, files)


def test_the_sha_is_stable_and_depends_on_the_snapshot_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Mallory")
    assert commit_sha(SNAPSHOT) == "a8cdc4bbcd579adbf0b532e125b8234a086bff01"


def test_the_time_zone_of_the_date_does_not_change_the_sha() -> None:
    elsewhere = datetime(2026, 11, 22, 14, 0, tzinfo=timezone(timedelta(hours=8)))
    assert commit_sha(replace(SNAPSHOT, at=elsewhere)) == commit_sha(SNAPSHOT)
    assert commit_sha(replace(SNAPSHOT, at=datetime(2026, 11, 22, 6, 1, tzinfo=UTC))) != commit_sha(SNAPSHOT)


def test_there_is_one_object_for_each_file_and_folder_and_the_commit() -> None:
    assert [found.type_name for found in commit_objects(SNAPSHOT).all].count(b"blob") == 3
    assert [found.type_name for found in commit_objects(SNAPSHOT).all].count(b"tree") == 3
    assert commit_objects(SNAPSHOT).all[0].id == commit_objects(SNAPSHOT).sha
