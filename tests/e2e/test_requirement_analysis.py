"""A requirement document becomes requirements: over HTTP, with the offline model and a scripted one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.servers.calls import get, post
from tests.servers.service import App, running_app, settings
from tests.servers.stream import events

pytestmark = [
    pytest.mark.one_process("the settings of several processes have no workspace yet"),
    pytest.mark.campaign,
]
FIRST = """# 登录
系统必须在 5 次登录失败后锁定账户。
界面应友好。

# Export
The system must export reports as PDF within 10 seconds.
The system must not export reports as PDF within 10 seconds.
Explanations are no requirements.
"""
SECOND = """# 登录
系统必须在 3 次登录失败后锁定账户。

# Export
Every report should have a title.
The system must export reports as PDF within 10 seconds.
The system must not export reports as PDF within 10 seconds.

# 界面
界面应友好。
"""


async def typed(app: App, text: str, **fields: Any) -> str:
    created = await post(app.url, "/requirements", {"name": "Login", "original_content": text, **fields})
    assert created.status_code == 201, created.text
    return str(created.json()["id"])


async def analysed(app: App, document_id: str, **fields: Any) -> dict[str, Any]:
    answer = await post(app.url, "/pipelines/requirement-analysis", {"document_id": document_id, **fields})
    assert answer.status_code == 202, answer.text
    task_id = answer.json()["task_id"]
    await events(app.url, task_id)
    task = await get(app.url, f"/api/v1/task/{task_id}")
    assert task["state"] == "succeeded", task
    found: dict[str, Any] = await get(app.url, f"/api/v1/task/{task_id}/requirements")
    return found


async def test_two_versions_are_analysed_and_compared(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path, workspace=True)) as app:
        first = await typed(app, FIRST)
        before = await analysed(app, first)
        assert before["by_rules"] is before["is_complete"] is True
        locks, friendly, exports, exports_not = before["requirements"]
        assert all(one["source"]["is_verified"] for one in before["requirements"])
        assert (locks["source"]["section"], exports["source"]["section"]) == ("登录", "Export")
        assert locks["acceptance_criteria"] == ["满足“5 次”"]
        assert "友好" in friendly["open_questions"][0]
        (pair,) = before["contradictions"]
        assert (pair["first"], pair["second"]) == (exports["id"], exports_not["id"])

        second = await typed(app, SECOND, previous_id=first)
        after = await analysed(app, second)
        ids = {one["statement"]: one["id"] for one in after["requirements"]}
        assert ids["系统必须在 3 次登录失败后锁定账户。"] == locks["id"]
        changes = await get(app.url, f"/api/v1/requirements/{second}/changes?from={first}")
        assert [one["statement"] for one in changes["added"]] == ["Every report should have a title."]
        assert changes["removed"] == []
        assert [one["before"]["id"] for one in changes["changed"]] == [locks["id"]]
        assert [one["after"]["id"] for one in changes["moved"]] == [friendly["id"]]
        assert changes["unchanged"] == 2

        document = await get(app.url, f"/api/v1/requirements/{second}")
        assert document["analysis_task_id"] == after["task_id"]
        assert (document["requirement_count"], locks["id"] in document["optimized_content"]) == (5, True)
        markdown = await get(app.url, f"/api/v1/task/{after['task_id']}/requirements.md")
        assert locks["id"] in markdown
