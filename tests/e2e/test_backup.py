"""`gencode backup` while tasks run, `gencode restore` to another folder, and a service resumed from there."""

from __future__ import annotations

import errno
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from gencode.domain.errors import BadBackup, StoreUnusable
from gencode.domain.task import Task
from gencode.engine.ports.store import TaskQuery
from gencode.storage.backup import backup, restore
from gencode.storage.data_dir_lock import data_dir_lock
from gencode.storage.sqlite.store import open_sqlite
from tests.e2e.cloning import cloned
from tests.servers.calls import FILES, get, submit
from tests.servers.command import gencode
from tests.servers.github import github_server
from tests.servers.model import model_server, plan_and_files
from tests.servers.service import ROOT, environment, running_app, service, settings
from tests.servers.stream import events, subscribed
from tests.unit.storage.samples import a_task, an_event


@pytest.mark.campaign
@pytest.mark.one_process("`gencode backup` is for DATA_DIR")
async def test_tasks_of_a_backup_resume_elsewhere_without_a_second_repository(tmp_path: Path) -> None:
    """The first service finishes the task after the backup: the second one finds its repository."""
    gates = {"README.md": anyio.Event()}
    new, file = tmp_path / "new", tmp_path / "backup.zip"
    new.mkdir()
    async with (
        model_server(plan_and_files(FILES, gates=gates)) as model,
        github_server(tmp_path / "github") as github,
    ):
        variables = environment(model, github, FILES_AT_ONCE="1")
        async with service(tmp_path, variables) as old:
            gates["README.md"].set()
            done = await submit(old.url, "done")
            history = await events(old.url, done)
            gates["README.md"] = anyio.Event()
            task_id = await submit(old.url)
            async with subscribed(old.url, task_id) as reader:
                await reader.until("file", path="app.py")
                await gencode("backup", file, data_dir=old.data_dir)
                gates["README.md"].set()
                await reader.until("status", status="completed")
        calls_before = model.started["file", "app.py"]
        await gencode("restore", file, data_dir=new / "data")
        async with service(new, variables) as restored:
            assert await events(restored.url, done) == history
            received = await events(restored.url, task_id)
        assert [event.id for event in received] == list(range(1, len(received) + 1))
        assert "resumed" in {event.kind for event in received}
        assert received[-1].data["status"] == "completed"
        assert model.started["file", "app.py"] == calls_before  # stored model answers were not paid again
        assert (github.effects["create"], github.effects["push"]) == (2, 2)


@pytest.mark.one_process("`gencode backup` is for DATA_DIR")
async def test_a_backup_includes_the_local_forge(tmp_path: Path) -> None:
    new, file = tmp_path / "new", tmp_path / "backup.zip"
    new.mkdir()
    async with running_app(settings(tmp_path)) as app:
        task_id = await submit(app.url)
        await events(app.url, task_id)
        await gencode("backup", file, data_dir=tmp_path / "data")
    await gencode("restore", file, data_dir=new / "data")
    for path in [new / "data", *(new / "data").rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    async with running_app(settings(new)) as app:
        task = await get(app.url, f"/api/v1/task/{task_id}")
        await cloned(task["clone_url"], tmp_path / "clone")


@pytest.mark.one_process("`gencode backup` is for DATA_DIR")
async def test_a_backup_is_a_consistent_snapshot_during_writes(tmp_path: Path) -> None:
    """Repeated while tasks are created: each copy is consistent, none smaller than the previous one."""
    counts = []
    data = tmp_path / "data"
    async with (
        _locked(data),
        open_sqlite(data / "gencode.db") as store,
        anyio.create_task_group() as tg,
    ):

        async def write() -> None:
            while True:
                task = a_task()
                await store.create(task, {"prompt": "x" * 5000}, [an_event(task, 1), an_event(task, 2)])

        tg.start_soon(write)
        for number in range(5):
            file = tmp_path / f"{number}.zip"
            await anyio.to_thread.run_sync(backup, data, file)
            counts.append(_rows(file, tmp_path / str(number)))
        tg.cancel_scope.cancel()
    assert counts == sorted(counts)
    assert counts[-1][0] > counts[0][0]
    assert all(events == 2 * tasks for tasks, events in counts)


@asynccontextmanager
async def _locked(data_dir: Path) -> AsyncIterator[None]:
    """The lock of a running service."""
    with data_dir_lock(data_dir):
        yield


def _rows(file: Path, folder: Path) -> tuple[int, int]:
    restore(file, folder)
    connection = sqlite3.connect(folder / "gencode.db")
    try:
        (tasks,) = connection.execute("SELECT count(*) FROM tasks").fetchone()
        (found,) = connection.execute("SELECT count(*) FROM events").fetchone()
        return tasks, found
    finally:
        connection.close()


async def test_refs_are_copied_before_objects_wherever_the_folder_is(tmp_path: Path) -> None:
    data = tmp_path / "objects" / "data"
    repository = data / "forge" / "local" / "x.git"
    for name in ("objects/ab/cd", "refs/heads/main"):
        (repository / name).parent.mkdir(parents=True)
        (repository / name).write_text("x", encoding="utf-8")
    async with open_sqlite(data / "gencode.db"):
        pass
    backup(data, tmp_path / "backup.zip")
    names = zipfile.ZipFile(tmp_path / "backup.zip").namelist()
    inside = f"{repository.relative_to(data)}/"
    assert names.index(f"{inside}refs/heads/main") < names.index(f"{inside}objects/ab/cd")


async def test_a_backup_needs_neither_links_nor_file_modes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as exFAT and many network drives."""

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    data, file = tmp_path / "data", tmp_path / "backup.zip"
    data.mkdir()
    async with open_sqlite(data / "gencode.db"):
        pass
    with monkeypatch.context() as drive:
        drive.setattr(os, "link", refuse)
        drive.setattr(os, "fchmod", refuse)
        backup(data, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    restore(file, tmp_path / "restored")


async def test_an_empty_folder_is_filled_in_place(tmp_path: Path) -> None:
    """Such as a volume, which cannot be renamed, and beside which nothing can be created."""
    data, file, volume = tmp_path / "data", tmp_path / "backup.zip", tmp_path / "root" / "volume"
    (data / "forge").mkdir(parents=True)
    (data / "forge" / "kept").write_text("x", encoding="utf-8")
    async with open_sqlite(data / "gencode.db"):
        pass
    backup(data, file)
    volume.mkdir(parents=True, mode=0o755)
    before = volume.stat().st_ino
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(BadBackup):
        restore(file, volume)
    assert [*volume.iterdir()] == []
    file.unlink()
    backup(data, file)
    restore(file, volume)
    assert volume.stat().st_ino == before
    assert stat.S_IMODE(volume.stat().st_mode) == 0o700
    assert {path.name for path in volume.iterdir()} == {"gencode.db", "forge"}
    assert (volume / "forge" / "kept").read_text(encoding="utf-8") == "x"
    assert [*volume.parent.iterdir()] == [volume]


async def test_failures_leave_no_file(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "backup.zip"
    with pytest.raises(BadBackup, match="set DATA_DIR as the service has it"):
        backup(data, file)
    data.mkdir()
    async with open_sqlite(data / "gencode.db"):
        pass
    backup(data, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(BadBackup, match="exists: name a new file"):
        backup(data, file)
    for inside in (data / "backup.zip", tmp_path / "data" / ".." / "data" / "more" / "backup.zip"):
        with pytest.raises(BadBackup, match="name a file elsewhere"):
            backup(data, inside)
    with pytest.raises(BadBackup, match="not empty"):
        restore(file, data)
    with pytest.raises(BadBackup, match="cannot be written"):
        backup(data, tmp_path / "nowhere" / "backup.zip")
    for damaged_file in _damaged_backups(file, tmp_path):
        with pytest.raises(BadBackup):
            restore(damaged_file, tmp_path / "restored")
        damaged_file.unlink()
    assert {path.name for path in tmp_path.iterdir()} == {"data", "backup.zip"}


def _damaged_backups(file: Path, folder: Path) -> list[Path]:
    """Truncated, modified, not a zip file, with a path outside the folder, without a database, with another
    one, with corrupt data, too large for any disk."""
    valid = file.read_bytes()
    middle = len(valid) // 2
    changed = valid[:middle] + bytes([valid[middle] ^ 1]) + valid[middle + 1 :]
    texts = {"cut": valid[:middle], "changed": changed, "other": b"no zip at all", "empty": b""}
    for name, text in texts.items():
        (folder / name).write_bytes(text)
    entries = {
        "way-out": ("../evil", b"x"),
        "without": ("ticket.key", b"x"),
        "foreign": ("gencode.db", b"x" * 5000),
    }
    for name, (inside, text) in entries.items():
        with zipfile.ZipFile(folder / name, "w") as archive:
            archive.writestr(inside, text)
    wrong = {"deflate": zipfile.ZIP_DEFLATED, "lzma": zipfile.ZIP_LZMA, "bzip2": zipfile.ZIP_BZIP2}
    for name, method in wrong.items():
        with zipfile.ZipFile(folder / name, "w", method) as archive:
            archive.writestr("gencode.db", bytes(range(256)) * 400)
        packed = (folder / name).read_bytes()
        (folder / name).write_bytes(packed[:50] + b"\xff" * 20 + packed[70:])
    with zipfile.ZipFile(folder / "name", "w") as archive:
        archive.writestr("gencode.db\N{LATIN SMALL LETTER E WITH ACUTE}", b"x")
    (folder / "name").write_bytes((folder / "name").read_bytes().replace(b"\xc3\xa9", b"\xff\xfe"))
    with zipfile.ZipFile(folder / "large", "w") as archive:
        archive.writestr("gencode.db", b"x" * 5000)
        archive.infolist()[0].file_size = 2**60
    return [folder / name for name in (*texts, *entries, *wrong, "name", "large")]


async def test_a_file_dated_1970_is_included(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    async with open_sqlite(data / "gencode.db"):
        pass
    (data / "ticket.key").write_bytes(b"k" * 32)
    os.utime(data / "ticket.key", (0, 0))
    backup(data, tmp_path / "backup.zip")
    restore(tmp_path / "backup.zip", tmp_path / "restored")
    assert (tmp_path / "restored" / "ticket.key").read_bytes() == b"k" * 32


async def test_a_damaged_database_is_not_backed_up(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    async with open_sqlite(data / "gencode.db") as store:
        for _ in range(50):
            await store.create(a_task(), {"prompt": "x" * 5000}, [])
    path = data / "gencode.db"
    damaged = bytearray(path.read_bytes())
    for at in range(4096, len(damaged) - 4096, 4096):
        damaged[at : at + 64] = b"\xff" * 64
    path.write_bytes(damaged)
    with pytest.raises(BadBackup, match=r"damaged|cannot be used"):
        backup(data, tmp_path / "backup.zip")
    assert {path.name for path in tmp_path.iterdir()} == {"data"}


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
async def test_root_restores_for_the_owner_of_the_folder(tmp_path: Path) -> None:
    data, file, volume = tmp_path / "data", tmp_path / "backup.zip", tmp_path / "volume"
    (data / "forge" / "inside").mkdir(parents=True)
    async with open_sqlite(data / "gencode.db"):
        pass
    backup(data, file)
    volume.mkdir()
    os.chown(volume, 12345, 12345)
    restore(file, volume)
    assert {path.stat().st_uid for path in [volume, *volume.rglob("*")]} == {12345}


# --- kill -9 ----------------------------------------------------------------------------------------

KILLED = """
import os, signal, sys
from pathlib import Path
from gencode.storage import backup

calls = int(sys.argv[1])

def counted(function):
    def call(*arguments, **options):
        global calls
        calls -= 1
        if calls < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **options)
    return call

for owner, names in ((Path, ("rename", "replace", "touch", "chmod", "mkdir")), (os, ("fsync", "sync"))):
    for name in names:
        setattr(owner, name, counted(getattr(owner, name)))
getattr(backup, sys.argv[2])(Path(sys.argv[3]), Path(sys.argv[4]))
"""


def killed_after(calls: int, what: str, source: Path, target: Path) -> bool:
    """Whether it was killed: before its n-th change of the file system, from 0."""
    command = [sys.executable, "-c", KILLED, str(calls), what, str(source), str(target)]
    status = subprocess.run(command, check=False, capture_output=True, cwd=ROOT).returncode
    assert status in (0, -signal.SIGKILL)
    return status != 0


async def a_data_dir(folder: Path) -> Task:
    """With a task in it, and files beside the database."""
    (folder / "forge").mkdir(parents=True)
    (folder / "forge" / "kept").write_text("x", encoding="utf-8")
    task = a_task()
    async with open_sqlite(folder / "gencode.db") as store:
        await store.create(task, {"prompt": "x"}, [an_event(task, 1)])
    return task


async def is_whole(folder: Path, task: Task) -> bool:
    """Whether a service can start there and has everything; False if it is refused."""
    try:
        with data_dir_lock(folder):
            async with open_sqlite(folder / "gencode.db") as store:
                assert await store.find(TaskQuery()) == [task]
    except StoreUnusable:
        return False
    assert (folder / "forge" / "kept").read_text(encoding="utf-8") == "x"
    return True


@pytest.mark.fault(120)
@pytest.mark.parametrize("is_there", [True, False], ids=["in place", "new"])
async def test_a_folder_whose_restore_was_killed_is_whole_missing_or_refused(
    tmp_path: Path, is_there: bool
) -> None:
    """Never one in which a service begins anew, beside the half of what was restored."""
    data, file = tmp_path / "data", tmp_path / "backup.zip"
    task = await a_data_dir(data)
    backup(data, file)
    outcomes, calls, was_killed = [], 0, True
    while was_killed:
        folder = tmp_path / f"restored-{calls}" / "data"
        (folder if is_there else folder.parent).mkdir(parents=True)
        was_killed = killed_after(calls, "restore", file, folder)
        if folder.exists() and any(folder.iterdir()):
            outcomes.append(await is_whole(folder, task))
        calls += 1
    assert outcomes[-1], "the one that was not killed"
    if is_there:
        assert False in outcomes, "some were killed half-way"


@pytest.mark.fault(120)
async def test_a_backup_that_was_killed_is_whole_missing_or_refused(tmp_path: Path) -> None:
    data = tmp_path / "data"
    task = await a_data_dir(data)
    calls, was_killed = 0, True
    while was_killed:
        file, restored = tmp_path / f"backup-{calls}.zip", tmp_path / f"restored-{calls}"
        was_killed = killed_after(calls, "backup", data, file)
        if file.exists():
            try:
                restore(file, restored)
            except BadBackup:
                assert not restored.exists()
            else:
                assert await is_whole(restored, task)
        calls += 1
    assert restored.exists()
    assert await is_whole(data, task)
