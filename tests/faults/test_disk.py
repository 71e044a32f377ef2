"""Faults of the disk and of other programs on it: rows 68 and 70 to 72; and durability under kill -9."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import anyio
import pytest

from gencode.domain.errors import Conflict, DataDirLocked, OutcomeUnknown, StoreError, StoreUnusable
from gencode.domain.task import State, Task
from gencode.engine.ports.store import Store, TaskQuery
from gencode.http import write_probe
from gencode.storage.data_dir_lock import data_dir_lock
from gencode.storage.sqlite.store import open_sqlite
from tests.servers.calls import BODY, FILES, client, post, submit
from tests.servers.model import model_server, plan_and_files
from tests.servers.service import running_app, settings
from tests.servers.stream import events
from tests.unit.storage.samples import REQUEST, a_task, an_event

pytestmark = pytest.mark.one_process("its disk is full or damaged")

spawn = get_context("spawn")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte, in memory."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "none", str(disk)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a file system")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill(disk: Path) -> Path:
    """Take what is left of it."""
    filler = disk / "filler"
    filler.write_bytes(b"x" * shutil.disk_usage(disk).free)
    return filler


async def create_until_refused(store: Store) -> tuple[list[Task], Task, StoreError]:
    """The tasks that were stored, and the first one that was not."""
    promised: list[Task] = []
    for _ in range(1000):
        task = a_task()
        try:
            await store.create(task, {"prompt": "x" * 2000}, [an_event(task, 1)])
        except StoreError as error:
            return promised, task, error
        promised.append(task)
    pytest.fail("the fault did not come")


async def check_kept(store: Store, promised: list[Task], refused: Task) -> None:
    assert await store.find(TaskQuery(limit=2000)) == promised[::-1]
    assert await store.find(TaskQuery(id=refused.id)) == []
    assert await store.events(refused.id) == []


# --- row 70 -----------------------------------------------------------------------------------------


@pytest.mark.fault(70)
async def test_a_full_disk_refuses_what_it_cannot_store_and_recovers(small_disk: Path) -> None:
    """Row 70, ENOSPC: STORAGE, and nothing is acknowledged in vain; once space is free, calls succeed."""
    path = small_disk / "gencode.db"
    async with open_sqlite(path) as store:
        first = a_task()
        await store.create(first, REQUEST, [])
        filler = fill(small_disk)
        promised, refused, error = await create_until_refused(store)
        assert (error.code, error.http_status, error.retryable) == ("STORAGE", 503, True)
        assert "disk is full" in error.message
        assert str(small_disk) not in error.message
        await check_kept(store, [first, *promised], refused)
        filler.unlink()
        await store.create(refused, REQUEST, [an_event(refused, 1)])
    async with open_sqlite(path) as store:
        assert await store.find(TaskQuery(limit=2000)) == [first, *promised, refused][::-1]


@pytest.mark.fault(70)
async def test_on_a_full_disk_every_caller_gets_an_outcome_and_reads_go_on(small_disk: Path) -> None:
    """Row 70, ENOSPC under load: no caller waits for ever, and what was acknowledged is stored."""
    async with open_sqlite(small_disk / "gencode.db") as store:
        fill(small_disk)
        tasks = [a_task() for _ in range(300)]
        outcomes = await asyncio.gather(
            *(store.create(task, {"prompt": "x" * 2000}, []) for task in tasks), return_exceptions=True
        )
        assert {type(outcome) for outcome in outcomes} <= {Task, StoreError}
        assert StoreError in {type(outcome) for outcome in outcomes}
        promised = [task for task, outcome in zip(tasks, outcomes, strict=True) if outcome == task]
        assert await store.find(TaskQuery(limit=1000)) == promised[::-1]


@pytest.mark.fault(109)
async def test_on_a_full_disk_the_service_is_not_ready_until_there_is_space(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reads go on, and so does /livez: only what must be stored is refused."""
    monkeypatch.setattr(write_probe, "PROBE_SECONDS", 0.0)
    async with running_app(settings(small_disk)) as app, client(app.url) as http:
        assert (await http.get("/readyz")).status_code == 200
        filler = fill(small_disk)
        while (await http.get("/readyz")).status_code == 200:  # the WAL has a little space of its own
            continue
        refused = await http.get("/readyz")
        assert (refused.status_code, refused.json()["status"]) == (503, "unavailable")
        assert "disk is full" in refused.json()["reason"]
        assert (await http.get("/health")).status_code == 503
        assert (await http.get("/livez")).status_code == 200
        filler.unlink()
        assert (await http.get("/readyz")).status_code == 200


@contextmanager
def failing_writes(beyond: int) -> Iterator[None]:
    """The kernel refuses writes beyond this offset of any file (EFBIG: to SQLite, an I/O error)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (beyond, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.fault(70)
async def test_an_io_error_refuses_what_it_cannot_store_and_recovers(tmp_path: Path) -> None:
    """Row 70, a write that fails: STORAGE, and nothing is acknowledged in vain; the next call succeeds."""
    path = tmp_path / "gencode.db"
    async with open_sqlite(path) as store:
        with failing_writes(beyond=200_000):
            promised, refused, error = await create_until_refused(store)
        assert promised
        assert (error.code, error.http_status, error.retryable) == ("STORAGE", 503, True)
        assert "disk reported an error" in error.message
        await check_kept(store, promised, refused)
        await store.create(refused, REQUEST, [an_event(refused, 1)])
    async with open_sqlite(path) as store:
        assert await store.find(TaskQuery(limit=2000)) == [*promised, refused][::-1]


@pytest.mark.fault(70)
@pytest.mark.parametrize("stored", [False, True])
async def test_after_a_failed_fsync_the_outcome_is_unknown_until_it_is_read_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stored: bool
) -> None:
    """Row 70, a COMMIT that the disk does not confirm: OutcomeUnknown; reading it back settles it."""
    faults: list[bool] = []

    class Unconfirmed(sqlite3.Connection):
        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
            if sql != "COMMIT" or not faults:
                return super().execute(sql, *values)
            if faults.pop():
                super().execute(sql)
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
            raise error

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *args, **kw: connect(*args, factory=Unconfirmed, **kw))
    path = tmp_path / "gencode.db"
    async with open_sqlite(path) as store:
        task, second = a_task(), a_task()
        await store.create(task, REQUEST, [])
        faults.append(stored)
        later = replace(task, version=1, sequence=1)
        with pytest.raises(OutcomeUnknown) as caught:
            await store.commit(later, [an_event(task, 1)])
        assert (caught.value.code, caught.value.http_status) == ("STORAGE", 503)
        assert await store.find(TaskQuery()) == [later if stored else task]
        assert len(await store.events(task.id)) == stored
        faults.append(stored)
        with pytest.raises(OutcomeUnknown):
            await store.create(second, REQUEST, [])
        assert bool(await store.request(second.id)) == stored
        if stored:
            with pytest.raises(Conflict):
                await store.commit(later, [an_event(task, 1)])
        else:
            await store.commit(later, [an_event(task, 1)])
    async with open_sqlite(path) as store:
        assert (await store.find(TaskQuery(id=task.id))) == [later]


# --- row 71 -----------------------------------------------------------------------------------------


@pytest.mark.fault(71)
async def test_a_locked_database_is_waited_for_once_and_then_refused(tmp_path: Path) -> None:
    """Row 71: a bounded wait, 503 for all that wait; reads go on; afterwards all is well."""
    path = tmp_path / "gencode.db"
    async with open_sqlite(path, busy_timeout=0.05) as store:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        tasks = [a_task() for _ in range(50)]
        outcomes = await asyncio.gather(
            *(store.create(task, REQUEST, []) for task in tasks), return_exceptions=True
        )
        assert {type(outcome) for outcome in outcomes} == {StoreError}
        assert all("another program holds the database" in str(outcome) for outcome in outcomes)
        assert await store.find(TaskQuery()) == []
        other.execute("ROLLBACK")
        other.close()
        assert await store.create(tasks[0], REQUEST, []) == tasks[0]


@pytest.mark.fault(71)
async def test_a_lock_that_is_given_up_in_time_is_not_noticed(tmp_path: Path) -> None:
    """Row 71: within the bound, a caller only waits."""
    path = tmp_path / "gencode.db"
    async with open_sqlite(path, busy_timeout=30) as store:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        caller = asyncio.create_task(store.create(a_task(), REQUEST, []))
        done, _ = await asyncio.wait([caller], timeout=0.05)
        assert not done
        other.execute("ROLLBACK")
        other.close()
        await caller


# --- row 72 -----------------------------------------------------------------------------------------


async def refusal(path: Path) -> str:
    with pytest.raises(StoreUnusable) as caught:
        async with open_sqlite(path, busy_timeout=0.05):
            pytest.fail("it was opened")
    assert caught.value.code == "STORE_UNUSABLE"
    return caught.value.message


async def make_database(path: Path) -> None:
    async with open_sqlite(path) as store:
        await asyncio.gather(*(store.create(a_task(), REQUEST, []) for _ in range(300)))


@pytest.mark.fault(72)
async def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    """Row 72."""
    path = tmp_path / "gencode.db"
    path.write_bytes(b"my only copy of something else\n" * 1000)
    assert "not a database" in await refusal(path)
    assert path.read_bytes() == b"my only copy of something else\n" * 1000


@pytest.mark.fault(72)
async def test_a_damaged_page_is_found_at_the_start(tmp_path: Path) -> None:
    """Row 72."""
    path = tmp_path / "gencode.db"
    await make_database(path)
    with path.open("r+b") as file:
        file.seek(2 * 4096)
        file.write(os.urandom(10 * 4096))
    assert "damaged" in await refusal(path)


@pytest.mark.fault(72)
async def test_a_truncated_database_is_found_at_the_start(tmp_path: Path) -> None:
    """Row 72."""
    path = tmp_path / "gencode.db"
    await make_database(path)
    os.truncate(path, path.stat().st_size // 2)
    assert "damaged" in await refusal(path)


@pytest.mark.fault(72)
async def test_a_read_only_disk_is_refused(small_disk: Path) -> None:
    """Row 72."""
    path = small_disk / "gencode.db"
    await make_database(path)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    assert "Read-only file system" in await refusal(path)
    assert "Read-only file system" in await refusal(small_disk / "another.db")


@pytest.mark.fault(72)
@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not bind the superuser")
async def test_a_read_only_file_is_refused(tmp_path: Path) -> None:
    """Row 72."""
    path = tmp_path / "gencode.db"
    await make_database(path)
    path.chmod(0o400)
    assert "Permission denied" in await refusal(path)


@pytest.mark.fault(72)
async def test_a_folder_in_place_of_the_database_is_refused(tmp_path: Path) -> None:
    """Row 72."""
    (tmp_path / "gencode.db").mkdir()
    assert "Is a directory" in await refusal(tmp_path / "gencode.db")


@pytest.mark.fault(72)
async def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    """Row 72."""
    assert "check that DATA_DIR exists" in await refusal(tmp_path / "missing" / "gencode.db")


@pytest.mark.fault(72)
async def test_a_newer_gencodes_database_is_refused(tmp_path: Path) -> None:
    """Row 72."""
    path = tmp_path / "gencode.db"
    await make_database(path)
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    assert "upgrade gencode" in await refusal(path)


@pytest.mark.fault(72)
@pytest.mark.parametrize("statement", ["CREATE TABLE theirs (a)", "PRAGMA application_id = 4711"])
async def test_another_applications_database_is_refused(tmp_path: Path, statement: str) -> None:
    """Row 72."""
    path = tmp_path / "gencode.db"
    with sqlite3.connect(path) as database:
        database.execute(statement)
    database.close()
    assert "belongs to another application" in await refusal(path)


@pytest.mark.fault(72)
async def test_a_database_that_another_program_holds_is_refused_after_a_bounded_wait(tmp_path: Path) -> None:
    """Row 72."""
    path = tmp_path / "gencode.db"
    await make_database(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert "another program holds the database" in await refusal(path)
    other.close()


# --- row 68, and a process that is killed -----------------------------------------------------------


def keep_locked(path: Path, pipe: Connection) -> None:
    """A second process that has locked the folder until it is killed."""
    with data_dir_lock(path):
        pipe.send("held")
        signal.pause()


@pytest.mark.fault(68)
def test_a_second_process_on_a_folder_is_refused_and_a_kill_frees_it(tmp_path: Path) -> None:
    """Row 68."""
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=keep_locked, args=(tmp_path, theirs))
    process.start()
    theirs.close()
    try:
        assert ours.recv() == "held"
        with pytest.raises(DataDirLocked) as caught, data_dir_lock(tmp_path):
            pass
        assert str(tmp_path) in caught.value.message
        assert f"process {process.pid} " in caught.value.message
    finally:
        process.kill()
        process.join()
        ours.close()
    with data_dir_lock(tmp_path):
        pass


def write_for_ever(path: Path, pipe: Connection) -> None:
    """Sends the id and the sequence of each task once it is stored, from many writers."""

    async def write(store: Store) -> None:
        while True:
            task = a_task()
            await store.create(task, REQUEST, [an_event(task, 1)])
            pipe.send((task.id, 1))
            for id_ in (2, 3):
                event = an_event(task, id_)
                later = replace(task, state=State.RUNNING, sequence=id_, version=id_ - 1)
                await store.commit(later, [event], {str(id_): ""})
                pipe.send((task.id, id_))

    async def main() -> None:
        async with open_sqlite(path) as store:
            await asyncio.gather(*(write(store) for _ in range(20)))

    asyncio.run(main())


def acknowledged_before_kill(path: Path) -> dict[str, int]:
    """What a process said it stored, up to the moment when it was killed in the middle of its work."""
    ours, theirs = spawn.Pipe(duplex=False)
    process = spawn.Process(target=write_for_ever, args=(path, theirs))
    process.start()
    theirs.close()
    acknowledged: dict[str, int] = {}
    try:
        while len(acknowledged) < 500:
            acknowledged.update([ours.recv()])
    finally:
        process.kill()
    try:
        while True:
            acknowledged.update([ours.recv()])
    except EOFError:
        process.join()
        ours.close()
    return acknowledged


async def test_whatever_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    """Twice on one file, so that the second run starts from what the first one left."""
    path = tmp_path / "gencode.db"
    acknowledged: dict[str, int] = {}
    for _ in range(2):
        acknowledged |= await asyncio.to_thread(acknowledged_before_kill, path)
        async with open_sqlite(path) as store:
            stored = {task.id: task for task in await store.find(TaskQuery(limit=100_000))}
            for id_, sequence in acknowledged.items():
                assert stored[id_].sequence >= (sequence if sequence > 1 else 0)
            for task in stored.values():  # each commit wholly or not at all
                log = [event.id for event in await store.events(task.id)]
                assert log == list(range(1, max(task.sequence, 1) + 1))
                assert list(await store.checkpoints(task.id)) == [str(id_) for id_ in log[1:]]


# --- row 121 ----------------------------------------------------------------------------------------


async def set_read_only(store: Store, is_read_only: bool) -> None:
    """SQLite then refuses writes with SQLITE_READONLY, as on a file system that became read-only."""
    scheduler = store._write.__self__  # type: ignore[attr-defined]
    thread, write = scheduler._lane.run.args
    (connection,) = write.args
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(thread, connection.execute, f"PRAGMA query_only = {int(is_read_only)}")


@pytest.mark.campaign
@pytest.mark.fault(121)
async def test_a_data_dir_that_becomes_read_only_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Row 121: submissions get 503, /readyz says why, and the task that runs goes on once it can."""
    monkeypatch.setattr(write_probe, "PROBE_SECONDS", 0.0)
    gate = anyio.Event()
    async with (
        model_server(plan_and_files(FILES, gates={"": gate})) as model,
        running_app(settings(tmp_path, model)) as app,
    ):
        task_id = await submit(app.url)
        await model.arrival("plan")
        await set_read_only(app.services.store, True)
        gate.set()
        refused = await post(app.url, "/generate", BODY | {"repo_name": "refused"})
        assert (refused.status_code, refused.json()["code"]) == (503, "STORAGE")
        async with client(app.url) as http:
            ready = await http.get("/readyz")
        assert ready.status_code == 503
        assert "cannot be written to" in ready.text
        await set_read_only(app.services.store, False)
        assert (await events(app.url, task_id))[-1].data["status"] == "completed"
        assert len(await app.services.store.find(TaskQuery())) == 1


@pytest.mark.fault(121)
async def test_a_data_dir_that_is_read_only_at_the_start_is_named(small_disk: Path) -> None:
    path = small_disk / "gencode.db"
    async with open_sqlite(path):
        pass
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(StoreUnusable, match="writable"):
        async with open_sqlite(path):
            pass
