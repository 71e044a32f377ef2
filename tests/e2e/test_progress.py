"""The progress of a task, as clients read it: only numbers that were measured."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from gencode.llm import progress_tracker
from tests.servers.calls import BODY, get, post, submit
from tests.servers.model import Body, Reply, call_of, chunk, http_error, model_server, plan_and_files, sse
from tests.servers.service import App, running_app, settings
from tests.servers.stream import subscribed

LINES = 40
TEXT = "".join(f"line_{n:03} = {n}\n" for n in range(LINES))
FILES = {f"file{n}.py": TEXT for n in range(4)}
PLAN = {"summary": "four files", "files": [{"path": path, "lines": LINES} for path in FILES]}
NOTHING = {"percent": None, "seconds_left": None, "stalled": False, "rate_limited_until": None}


async def progress_of(app: App, task: str) -> dict[str, Any]:
    found: dict[str, Any] = (await get(app.url, f"/api/v1/task/{task}"))["progress"]
    return found


async def test_it_is_the_written_share_of_the_plan(tmp_path: Path) -> None:
    gates = {path: anyio.Event() for path in FILES}
    waits = anyio.Event()
    async with (
        model_server(plan_and_files(FILES, gates={**gates, "": waits}, plan=PLAN)) as model,
        running_app(settings(tmp_path, model, files_at_once=1)) as app,
    ):
        task = await submit(app.url)
        await model.arrival("plan")
        assert await progress_of(app, task) == NOTHING
        waits.set()
        shares = []
        async with subscribed(app.url, task, include="progress") as stream:
            for n, path in enumerate(FILES):
                await model.arrival("file", path)
                if n:
                    shares.append((await stream.until("progress", percent=95 * n // 4)).data["percent"])
                    assert (await progress_of(app, task))["percent"] == shares[-1]
                gates[path].set()
            heard = await stream.rest()
        assert shares == [23, 47, 71]
        told = [event for event in heard if event.kind == "progress"]
        assert all(event.id == stored_before(heard, event) for event in told), "it has no id of its own"
        percents = [event.data["percent"] or 0 for event in told]
        assert percents == sorted(percents)
        assert await progress_of(app, task) == NOTHING | {"percent": 100, "seconds_left": 0}
        async with subscribed(app.url, task) as again:
            assert not [event for event in await again.rest() if event.kind == "progress"]


def stored_before(heard: list[Any], event: Any) -> int:
    """EventSource gives a message without id the last id before it."""
    place = next(n for n, other in enumerate(heard) if other is event)
    return max((other.id for other in heard[:place] if other.kind != "progress"), default=0)


async def test_a_stalled_model_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_tracker, "STALLED_AFTER", 0.3)
    heard, silent = anyio.Event(), anyio.Event()

    def script(body: Body) -> Reply | None:
        if call_of(body) != ("file", "file0.py"):
            return None
        return Reply(parts=[heard, sse(chunk({"content": "x"})), silent, sse(chunk({}, "stop"))])

    async with (
        model_server(plan_and_files(FILES, plan=PLAN, replace=script)) as model,
        running_app(settings(tmp_path, model)) as app,
    ):
        task = await submit(app.url)
        async with subscribed(app.url, task, include="delta,progress") as stream:
            await stream.until("file", done=3)
            heard.set()
            await stream.until("delta", about="file0.py")
            assert (await stream.until("progress", stalled=True)).data["percent"] is not None
            silent.set()
            await stream.until("status", status="completed")


async def test_a_rate_limited_provider_is_reported(tmp_path: Path) -> None:
    refusals = iter([http_error(429, "slow down", {"retry-after": "2"})])

    def script(body: Body) -> Reply | None:
        return next(refusals, None)

    async with (
        model_server(plan_and_files(FILES, plan=PLAN, replace=script)) as model,
        running_app(settings(tmp_path, model)) as app,
    ):
        task = await submit(app.url)
        async with subscribed(app.url, task, include="progress") as stream:
            waited = await stream.until("retry")
            while not (view := await progress_of(app, task))["rate_limited_until"]:
                await anyio.sleep(0.01)  # processes report it to each other each second
            assert waited.data["wait_seconds"] >= 2
            assert view["rate_limited_until"].endswith("Z")
            assert (view["percent"], view["stalled"]) == (None, False)
            await stream.until("status", status="completed")


async def test_a_task_that_waits_for_the_limit_of_another_one_says_so(tmp_path: Path) -> None:
    refusals = iter([http_error(429, "slow down", {"retry-after": "100"})])
    script = plan_and_files(FILES, plan=PLAN, replace=lambda body: next(refusals, None))
    async with model_server(script) as model, running_app(settings(tmp_path, model)) as app:
        async with subscribed(app.url, await submit(app.url)) as stream:
            await stream.until("retry")
        second = await submit(app.url, "other")
        async with subscribed(app.url, second, include="progress") as stream:
            told: dict[str, Any] = NOTHING
            while not told["rate_limited_until"]:
                told = (await stream.until("progress")).data
            assert not told["stalled"]
        assert (await progress_of(app, second))["rate_limited_until"] == told["rate_limited_until"]
        assert len(model.requests) == 1


async def test_a_paused_or_finished_task_has_no_progress(tmp_path: Path) -> None:
    def refusing() -> Iterator[Reply]:
        while True:
            yield http_error(402)

    refusals = refusing()
    script = plan_and_files(
        FILES, plan=PLAN, replace=lambda body: next(refusals) if call_of(body)[0] == "file" else None
    )
    async with model_server(script) as model, running_app(settings(tmp_path, model)) as app:
        task = str((await post(app.url, "/generate", BODY | {"approve_plan": True})).json()["task_id"])
        async with subscribed(app.url, task) as stream:
            await stream.until("approval")
            assert await progress_of(app, task) == NOTHING
            await post(app.url, f"/task/{task}/approve")
            await stream.until("error")
        assert await progress_of(app, task) == NOTHING
