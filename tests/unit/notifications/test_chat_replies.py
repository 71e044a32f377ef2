"""Which statuses are posted in a chat, and how a reply reads."""

from __future__ import annotations

import json

import pytest

from gencode.domain.event import Event
from gencode.domain.task import Task
from gencode.notifications.chat_replies import ChatNotifier, escape_for_slack
from gencode.notifications.notifier import TaskStages, no_stages
from gencode.notifications.url_policy import UrlRefused
from tests.unit.storage.samples import a_task

HOOKS = "https://hooks.slack.com"
AT = "2026-11-22T07:13:44.227Z"


def notifier(stages: TaskStages = no_stages) -> ChatNotifier:
    return ChatNotifier("slack", HOOKS, escape_for_slack, None, stages=stages)  # type: ignore[arg-type]  # sends nothing


def text(chat: ChatNotifier, status: str, **data: object) -> str | None:
    task: Task = a_task(kind="assess")
    event = Event(
        task_id=task.id, id=2, kind="status", data={"status": status, "message": "m", "at": AT, **data}
    )
    found = chat.message(task, event, None)
    return json.loads(found.body)["text"] if found else None


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
def test_the_end_is_posted_for_every_kind(status: str) -> None:
    assert text(notifier(), status) == "assess: m"


def test_at_most_three_stages_are_posted() -> None:
    stages = ["one", "two", "three", "four", "five"]
    chat = notifier(lambda _task: stages)
    assert [stage for stage in stages if text(chat, stage)] == ["one", "two", "three"]
    assert text(chat, "pending") is None


def test_a_link_is_added_at_the_end_if_there_is_a_repository() -> None:
    assert text(notifier(), "completed", repo_url="https://h/r") == "assess: m https://h/r"


def test_only_addresses_of_the_chat_are_called() -> None:
    assert notifier().callback("t", f"{HOOKS}/commands/1").host == "hooks.slack.com:443"
    with pytest.raises(UrlRefused):
        notifier().callback("t", "https://elsewhere.example/1")
