"""The process is killed, stopped, started twice, or its clock jumps: rows 63 and 65 to 69."""

from __future__ import annotations

import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from gencode.domain import task as task_module
from gencode.engine.task_ids import new_id
from gencode.storage.sqlite.store import open_sqlite
from tests.servers.calls import BODY, FILES, get, post, streams_open, submit
from tests.servers.github import github_server
from tests.servers.model import model_server, plan_and_files
from tests.servers.service import Service, a_large_log, environment, running_app, service, settings
from tests.servers.stream import ReceivedEvent, events, raw_stream, subscribed

# --- row 63 -----------------------------------------------------------------------------------------


@pytest.mark.fault(63)
@pytest.mark.parametrize(("failpoint", "stored"), [("create.before:1", False), ("create.after:1", True)])
@pytest.mark.one_process("it is killed at a moment within")
async def test_killed_before_the_answer_the_idempotency_key_finds_the_task(
    tmp_path: Path, failpoint: str, stored: bool
) -> None:
    """Row 63: a client that never got its 202 submits again with the same key; there is one task."""
    key = {"Idempotency-Key": "first try"}
    async with service(tmp_path, {}, failpoint) as process:
        with pytest.raises(httpx.TransportError):
            await post(process.url, "/generate", BODY, **key)
        assert await process.ended() == -signal.SIGKILL
        await process.start()
        again = await post(process.url, "/generate", BODY, **key)
        assert (again.status_code, again.headers["idempotency-replayed"]) == (202, str(stored).lower())
        (only,) = (await get(process.url, "/api/v1/tasks"))["tasks"]
        assert only["task_id"] == again.json()["task_id"]
        assert (await events(process.url, only["task_id"]))[-1].data["status"] == "completed"


# --- row 65 -----------------------------------------------------------------------------------------


@pytest.mark.fault(65)
@pytest.mark.one_process("it is killed at a moment within")
async def test_killed_between_storing_and_sending_a_subscriber_gets_no_gap_and_no_repeat(
    tmp_path: Path,
) -> None:
    """Row 65: what was stored and not sent is sent first after the restart, once."""
    gates = {path: anyio.Event() for path in ("", *FILES)}
    async with (
        model_server(plan_and_files(FILES, gates=gates)) as model,
        service(tmp_path, environment(model, FILES_AT_ONCE="1"), "publish.before:2") as process,
    ):
        task_id = (await post(process.url, "/generate", BODY)).json()["task_id"]
        heard: list[ReceivedEvent] = []
        for path, newest, unsent in (
            ("", {"status": "generating"}, "plan"),
            ("app.py", {"attempt": 2}, "usage"),
        ):
            async with subscribed(process.url, task_id, after=len(heard)) as subscriber:
                await model.arrival("file" if path else "plan", path)
                await subscriber.until("resumed" if path else "status", **newest)
                gates[path].set()
                with pytest.raises(httpx.TransportError):
                    await subscriber.rest()
            heard += subscriber.heard
            assert await process.ended() == -signal.SIGKILL
            assert await stored_kind(process, task_id, len(heard) + 1) == unsent
            await process.start("publish.before:2")
        await process.kill()
        gates["README.md"].set()
        await process.start()
        heard += await events(process.url, task_id, after=len(heard))
        assert [event.id for event in heard] == list(range(1, len(heard) + 1))
        assert heard == await events(process.url, task_id)
        assert heard[-1].data["status"] == "completed"


async def stored_kind(process: Service, task_id: str, event_id: int) -> str:
    async with open_sqlite(process.data_dir / "gencode.db") as store:
        return (await store.events(task_id, event_id - 1))[0].kind


# --- row 66 -----------------------------------------------------------------------------------------


@pytest.mark.campaign
@pytest.mark.fault(66)
@pytest.mark.one_process("it is killed at a moment within")
async def test_a_task_that_kills_each_process_fails_and_others_run(tmp_path: Path) -> None:
    """Row 66: after five starts without progress it fails with CRASH_LOOP; its neighbour completes."""
    gate = anyio.Event()
    async with (
        model_server(plan_and_files(FILES, gates={"": gate})) as model,
        service(tmp_path, environment(model)) as process,
    ):
        task_id = (await post(process.url, "/generate", BODY)).json()["task_id"]
        await model.arrival("plan")
        await process.kill()
        gate.set()
        for _ in range(4):
            await process.launch("answer.after:1")
            assert await process.ended() == -signal.SIGKILL
        await process.start("answer.after:1")
        *log, status, error = await events(process.url, task_id)
        usages = [event.data for event in log if event.kind == "usage"]
        assert [usage["about"] for usage in usages].count("plan") == 5  # others: files of a plan that arrives
        charges = [usage["total"]["completion"] for usage in usages]
        assert charges == [8192 * count for count in range(1, len(charges) + 1)], (
            "each call that was cut off, by its reserve"
        )
        assert (status.kind, status.data["status"]) == ("status", "failed")
        assert (error.kind, error.data["code"], error.data["retryable"]) == ("error", "CRASH_LOOP", False)
        assert "died 5 times" in error.data["message"]
        assert model.started["plan", ""] == 5
        other = await post(process.url, "/generate", BODY | {"model": "offline", "repo_name": "other"})
        await process.ended()  # the offline model's answer is one, too
        await process.start()
        assert (await events(process.url, other.json()["task_id"]))[-1].data["status"] == "completed"


# --- row 67 -----------------------------------------------------------------------------------------


@pytest.mark.fault(67)
async def test_sigterm_with_a_frozen_reader_ends_streams_exits_in_time_and_the_task_resumes(
    tmp_path: Path,
) -> None:
    """Row 67: a reader that never reads does not block the exit; the next process resumes the task."""
    gate = anyio.Event()
    large = await a_large_log(tmp_path / "data")
    async with (
        model_server(plan_and_files(FILES, gates={"": gate})) as model,
        service(tmp_path, environment(model, SHUTDOWN_GRACE="1")) as process,
    ):
        task_id = (await post(process.url, "/generate", BODY)).json()["task_id"]
        await model.arrival("plan")
        async with (
            await raw_stream(process.port, f"/api/v1/status/{large}"),
            await raw_stream(process.port, f"/api/v1/status/{task_id}") as healthy,
        ):
            await streams_open(process.url, 2)
            status = await process.terminate()
            assert status == 0
            said = b"".join([part async for part in healthy])
        assert said.endswith(b"reconnect to go on after the last id\n\n")
        assert "Traceback" not in process.log.read_text()
        gate.set()
        await process.start()
        assert (await events(process.url, task_id))[-1].data["status"] == "completed"


# --- row 68 -----------------------------------------------------------------------------------------


@pytest.mark.fault(68)
@pytest.mark.one_process("its DATA_DIR is locked")
async def test_a_second_process_in_one_folder_refuses_to_start_with_one_clear_line(tmp_path: Path) -> None:
    """Row 68: it names the folder, the process that holds it, and the remedy; that process is not
    affected."""
    async with service(tmp_path, {}) as first:
        (tmp_path / "second").mkdir()
        second = Service(tmp_path / "second", {"DATA_DIR": str(first.data_dir)})
        await second.launch()
        assert await second.ended() == 2
        (line,) = second.log.read_text().splitlines()
        assert line.startswith("gencode cannot start [DATA_DIR_LOCKED]: ")
        for part in (str(first.data_dir), f"process {first.pid}", "stop that one, or set another DATA_DIR"):
            assert part in line
        assert await get(first.url, "/readyz") == {"status": "ok"}


# --- row 69 -----------------------------------------------------------------------------------------


class Clock:
    """The wall clock, set forward or back by the test. Durations are measured with another clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead = timedelta()
        real, real_ns, clock = time.time, time.time_ns, self

        class Moment(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> Any:
                return datetime.now(tz) + clock.ahead

        monkeypatch.setattr(time, "time", lambda: real() + self.ahead.total_seconds())
        shifted_ns = lambda: real_ns() + self.ahead // timedelta(microseconds=1) * 1000  # noqa: E731
        monkeypatch.setattr(time, "time_ns", shifted_ns)
        monkeypatch.setattr(new_id, "_clock", shifted_ns)
        monkeypatch.setattr(task_module, "datetime", Moment)


YEARS = timedelta(days=5 * 365)


@pytest.mark.fault(69)
@pytest.mark.parametrize("jump", [YEARS, -YEARS, timedelta(seconds=3), -timedelta(seconds=3)], ids=str)
async def test_a_jump_of_the_clock_affects_no_deadline_retry_or_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump: timedelta
) -> None:
    """Row 69: a running task is neither timed out nor retried; ids keep the order of acceptance."""
    clock = Clock(monkeypatch)
    gate = anyio.Event()
    async with (
        model_server(plan_and_files(FILES, gates={"": gate})) as model,
        github_server(tmp_path / "github") as github,
        running_app(settings(tmp_path, model, github, task_timeout=30)) as app,
    ):
        before = await submit(app.url, "before")
        await model.arrival("plan")
        clock.ahead = jump
        after = await submit(app.url, "after")
        gate.set()
        for task_id in (before, after):
            heard = await events(app.url, task_id)
            assert heard[-1].data["status"] == "completed"
            assert not [event for event in heard if event.kind == "retry"]
        listed = [task["task_id"] for task in (await get(app.url, "/api/v1/tasks"))["tasks"]]
        assert listed == [after, before]
        assert set(model.started.values()) == {2}
        assert github.effects == {"create": 2, "push": 2}
        shown = datetime.fromisoformat((await get(app.url, f"/api/v1/task/{after}"))["created_at"])
        assert abs(shown - (datetime.now(UTC) + jump)) < timedelta(minutes=1)
