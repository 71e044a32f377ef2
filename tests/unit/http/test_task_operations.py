"""Lists of tasks, over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from gencode.domain.errors import StillWorking
from gencode.domain.task import State, Task
from gencode.engine.quota import parse_quota
from gencode.http.quota_enforcement import QuotaEnforcement
from gencode.storage.memory import MemoryStore
from tests.faults.test_input import check_problem
from tests.servers.calls import client
from tests.servers.service import App, running_app, settings
from tests.unit.storage.samples import REQUEST, a_task

STATES = {"completed": State.SUCCEEDED, "failed": State.FAILED, "cancelled": State.CANCELLED}
STATUSES = list(STATES)


async def stored(app: App, count: int) -> list[Task]:
    """Tasks that are over, oldest first, of the one client of a service without keys."""
    tasks = [a_task(principal="local", state=STATES[STATUSES[n % 3]]) for n in range(count)]
    for task in tasks:
        await app.services.store.create(task, REQUEST, [])
        await app.services.store.create(a_task(principal="somebody else"), REQUEST, [])
    return tasks


def pages(http: httpx.Client, **query: Any) -> list[list[str]]:
    """The ids on each page, to the last."""
    found: list[list[str]] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = http.get("/api/v1/tasks", params=query | ({"cursor": cursor} if cursor else {})).json()
        found.append([task["task_id"] for task in answer["tasks"]])
        cursor = answer["next_cursor"]
    return found


async def test_pages_of_any_size_have_each_task_once_newest_first(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path)) as app:
        tasks = await stored(app, 30)

        @examples(max_examples=40, deadline=None, derandomize=True, database=None)
        @given(limit=st.integers(1, 100), wanted=st.sets(st.sampled_from(STATUSES)), joined=st.booleans())
        def check(limit: int, wanted: set[str], joined: bool) -> None:
            expected = [task.id for task in reversed(tasks) if not wanted or task.status in wanted]
            status = ",".join(wanted) if joined else sorted(wanted)
            found = pages(http, limit=limit, status=status)
            assert [task_id for page in found for task_id in page] == expected
            assert all(len(page) == limit for page in found[:-1])
            assert found[-1] or not expected, "a last page without a task would be one request too many"

        with httpx.Client(base_url=app.url, trust_env=False, verify=False) as http:
            await anyio.to_thread.run_sync(check)


async def test_new_tasks_do_not_shift_later_pages(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path)) as app, client(app.url) as http:
        tasks = await stored(app, 4)
        first = (await http.get("/api/v1/tasks?limit=2")).json()
        await stored(app, 3)
        second = (await http.get("/api/v1/tasks", params={"cursor": first["next_cursor"]})).json()
        ids = [task["task_id"] for answer in (first, second) for task in answer["tasks"]]
        assert ids == [task.id for task in reversed(tasks)]


WRONG = [
    ("limit=0", "limit"),
    ("limit=101", "limit"),
    ("limit=-1", "limit"),
    ("limit=", "limit"),
    ("limit=٣", "limit"),
    ("limit=" + "9" * 5000, "limit"),
    ("limit=1.0", "limit"),
    ("status=done", "status"),
    ("status=pending,PENDING", "status"),
    ("cursor=x", "cursor"),
    ("cursor=0191d0c0-0000-7000-8000-00000000000G", "cursor"),
    ("cursor=0191d0c0-0000-7000-8000-000000000000%0A", "cursor"),
    ("cursor='%20OR%201=1", "cursor"),
]


async def test_an_invalid_query_names_its_field(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path)) as app, client(app.url) as http:
        for query, field in WRONG:
            answer = await http.get(f"/api/v1/tasks?{query}")
            errors = check_problem(answer, 422, "VALIDATION")["errors"]
            assert [broken["field"] for broken in errors] == [field], query


LANGUAGES = [
    ("", "Task created"),
    ("zh", "任务"),
    ("zh-CN,zh;q=0.9", "任务"),
    ("fr, ZH-tw;q=0.5, en;q=0.4", "任务"),
    ("fr-FR", "Task created"),
    (";;,=,q=1, ,", "Task created"),
    ("en-GB;q=0.8, zh", "任务"),
    ("en;q=0.1,zh;q=0.9", "任务"),
    ("zh;q=0", "Task created"),
    ("zh;Q=0.000, *;q=0.1", "Task created"),
    ("en;q=0", "任务"),
    ("en;q=0, zh;q=0", "Task created"),
    ("zh;q=0.2, *;q=0.8", "Task created"),
    ("zh;q=0.8, *;q=0.2", "任务"),
    ("zh;q=0.3, zh-TW;q=0.9, en;q=0.5", "任务"),
    ("en;q=0.5, zh;q=0.5", "Task created"),
    ("zh;q=inf, en;q=0.9", "任务"),
]


async def test_messages_are_in_the_preferred_language(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path)) as app, client(app.url) as http:
        body = {"prompt": "x", "repo_name": "x"}
        for accepted, message in LANGUAGES:
            answer = await http.post("/api/v1/generate", json=body, headers={"Accept-Language": accepted})
            assert answer.json()["message"].startswith(message), accepted


async def test_a_task_that_is_over_can_be_deleted_by_its_client(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path)) as app, client(app.url) as http:
        task = (await stored(app, 1))[0]
        others = a_task(principal="somebody else", state=State.FAILED)
        running = a_task(principal="local", state=State.RUNNING)
        for one in (others, running):
            await app.services.store.create(one, REQUEST, [])
        check_problem(await http.delete(f"/api/v1/task/{others.id}"), 404, "NOT_FOUND")
        refused = check_problem(await http.delete(f"/api/v1/task/{running.id}"), 409, "STILL_WORKING")
        assert "cancel it first" in refused["detail"]
        answer = await http.delete(f"/api/v1/task/{task.id}")
        assert (answer.status_code, answer.content) == (204, b"")
        for path in ("", "/request", "/status"):
            check_problem(await http.get(f"/api/v1/task/{task.id}{path}"), 404, "NOT_FOUND")
        check_problem(await http.delete(f"/api/v1/task/{task.id}"), 404, "NOT_FOUND")


def test_a_quota_of_the_day_keeps_the_tasks_of_the_day() -> None:
    clock = datetime(2026, 11, 30, 12, tzinfo=UTC)
    quotas = {"daily": [parse_quota("100 tasks/day")], "monthly": [parse_quota("100 tasks/month")]}
    enforcement = QuotaEnforcement(
        store=MemoryStore(),
        quotas_of=lambda principal: quotas.get(principal, []),
        has_price=lambda _: True,
        clock=lambda: clock,
    )
    yesterday, today = clock - timedelta(days=1), clock - timedelta(hours=1)
    with pytest.raises(StillWorking, match="2026-12-01"):
        enforcement.check_deletable(a_task("daily", created_at=today))
    for task in (a_task("daily", created_at=yesterday), a_task("monthly", created_at=today), a_task("none")):
        enforcement.check_deletable(task)
