"""What the kind `generate` says of its tasks in notifications."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gencode.domain.event import Event
from gencode.domain.task import FINAL_STATUSES, Task
from gencode.pipelines.generate.api.views import label, notification_fields, result_url
from gencode.pipelines.generate.kind import KIND


class GenerateTexts:
    """A gencode.notifications.notifier_protocol.TaskTexts."""

    def label(self, task: Task) -> str:
        return label(task)

    def result_url(self, task: Task) -> str | None:
        return result_url(task)

    def is_milestone(self, task: Task, status: str) -> bool:
        return status in (*KIND.milestones, *FINAL_STATUSES)

    def notification_fields(self, task: Task, event: Event) -> Mapping[str, Any]:
        return notification_fields(task, event)
