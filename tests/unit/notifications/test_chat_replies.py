"""Which statuses are posted in a chat, and how a reply reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from gencode.domain.event import Event
from gencode.domain.task import Task
from gencode.notifications.chat_replies import ChatNotifier, escape_for_slack
from gencode.outbound.url_policy import UrlRefused
from tests.unit.storage.samples import a_task

HOOKS = "https://hooks.slack.com"
AT = "2026-11-22T07:13:44.227Z"


class Texts:
    """How the kind `assess` describes its tasks."""

    def label(self, task: Task) -> str:
        return task.kind

    def result_url(self, task: Task) -> str | None:
        return task.result.get("repo_url")

    def is_milestone(self, task: Task, status: str) -> bool:
        return status in ("one", "completed", "failed", "cancelled")

    def notification_fields(self, task: Task, event: Event) -> Mapping[str, Any]:
        return {}


def notifier() -> ChatNotifier:
    return ChatNotifier("slack", HOOKS, escape_for_slack, None, Texts())  # type: ignore[arg-type]  # sends nothing


def text(status: str, **result: object) -> str | None:
    task = a_task(kind="assess", result=result)
    data = {"status": status, "message": "m", "at": AT}
    found = notifier().message(task, Event(task_id=task.id, id=2, kind="status", data=data), None)
    return json.loads(found.body)["text"] if found else None


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
def test_the_end_is_posted_for_every_kind(status: str) -> None:
    assert text(status) == "assess: m"


def test_only_the_milestones_of_the_kind_are_posted() -> None:
    assert text("one") == "assess: m"
    assert text("two") is None
    assert text("pending") is None


def test_a_link_is_added_at_the_end_if_there_is_a_repository() -> None:
    assert text("completed", repo_url="https://h/r") == "assess: m https://h/r"


def test_only_addresses_of_the_chat_are_called() -> None:
    assert notifier().callback("t", f"{HOOKS}/commands/1").host == "hooks.slack.com:443"
    with pytest.raises(UrlRefused):
        notifier().callback("t", "https://elsewhere.example/1")
