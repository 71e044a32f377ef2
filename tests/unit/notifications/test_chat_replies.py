"""Which statuses are posted in a chat, and how a reply reads."""

from __future__ import annotations

import json

import pytest

from gencode.domain.event import Event
from gencode.domain.task import Task
from gencode.notifications.chat_replies import ChatNotifier, escape_for_slack
from gencode.notifications.url_policy import UrlRefused
from gencode.pipelines.generate.kind import KIND
from tests.unit.notifications.texts import GenerateTexts
from tests.unit.storage.samples import a_task

HOOKS = "https://hooks.slack.com"
AT = "2026-11-22T07:13:44.227Z"


def notifier() -> ChatNotifier:
    return ChatNotifier("slack", HOOKS, escape_for_slack, None, GenerateTexts())  # type: ignore[arg-type]  # sends nothing


def text(chat: ChatNotifier, status: str, **result: object) -> str | None:
    task: Task = a_task(parameters={"repo_name": "hello"}, result=result)
    event = Event(task_id=task.id, id=2, kind="status", data={"status": status, "message": "m", "at": AT})
    found = chat.message(task, event, None)
    return json.loads(found.body)["text"] if found else None


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
def test_the_end_is_posted_for_every_kind(status: str) -> None:
    assert text(notifier(), status) == "hello: m"


def test_only_milestones_are_posted_before_the_end() -> None:
    posted = [stage for stage in KIND.stage_titles if text(notifier(), stage)]
    assert posted == list(KIND.milestones)
    assert len(posted) <= 3
    assert text(notifier(), "pending") is None


def test_a_link_is_added_at_the_end_if_there_is_a_repository() -> None:
    assert text(notifier(), "completed", repo_url="https://h/r") == "hello: m https://h/r"


def test_only_addresses_of_the_chat_are_called() -> None:
    assert notifier().callback("t", f"{HOOKS}/commands/1").host == "hooks.slack.com:443"
    with pytest.raises(UrlRefused):
        notifier().callback("t", "https://elsewhere.example/1")
