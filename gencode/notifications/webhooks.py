"""Standard Webhooks (standardwebhooks.com): what is sent for a status, and how it is signed."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import anyio
from standardwebhooks import Webhook

from gencode.domain.callback import NOTIFIED_EVENTS, Callback
from gencode.domain.event import Event, dump
from gencode.domain.task import Task
from gencode.notifications.notifier import TaskTexts
from gencode.notifications.sender import Message, Sender
from gencode.notifications.url_policy import UrlPolicy, UrlUnresolved, host_of

PREFIX = "whsec_"
MINUTE, HOUR = 60.0, 3600.0
WAITS = (5.0, MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 8 * HOUR, 8 * HOUR)
"""About a day in all."""
JUDGE_SECONDS = 3.0
"""For which a client waits at most until its callback_url is judged."""
_WHY = ("code", "retryable", "stage")


class SigningSecrets:
    """What signs each client's messages.

    own       the operator's secrets: every one of them signs, so that a new one can be brought in while the
              receivers still know the old one
    master    without any: each client has a secret of its own, made of this and its name
    """

    def __init__(self, own: Sequence[str], master: bytes) -> None:
        self._own = tuple(own)
        self._master = master

    def of(self, client: str) -> Sequence[str]:
        return self._own or (self._derived(client),)

    def shown(self, client: str) -> str | None:
        """What the client may be told: the operator's is not ours to tell, since it signs for others, too."""
        return None if self._own else self._derived(client)

    def _derived(self, client: str) -> str:
        digest = hmac.new(self._master, f"webhooks of {client}".encode(), hashlib.sha256).digest()
        return PREFIX + base64.b64encode(digest).decode("ascii")


class WebhookNotifier:
    """A Voice: each status, and a plan that waits for approval, signed."""

    kind = "webhook"
    waits = WAITS
    gone = frozenset({410})

    def __init__(
        self, secrets: SigningSecrets, url_policy: UrlPolicy, post: Sender, texts: TaskTexts
    ) -> None:
        self._texts = texts
        self.secrets = secrets
        self._url_policy = url_policy
        self.send = post

    async def callback(self, task_id: str, url: str) -> Callback:
        """For a new task. Raises Refused; what cannot be judged now is judged when it is called."""
        try:
            with anyio.fail_after(JUDGE_SECONDS):
                await self._url_policy.resolve(url)
        except (UrlUnresolved, TimeoutError):
            pass
        return Callback(task_id=task_id, kind=self.kind, url=url, host=host_of(url))

    def message(self, task: Task, event: Event, following: Event | None) -> Message | None:
        if event.kind not in NOTIFIED_EVENTS:
            return None
        body = dump(self._body(task, event, following))
        name, at = f"{task.id}-{event.id}", datetime.now(UTC)
        signatures = [
            Webhook(secret).sign(name, at, body.decode()) for secret in self.secrets.of(task.principal.id)
        ]
        headers = {
            "Content-Type": "application/json",
            "webhook-id": name,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": " ".join(signatures),
        }
        return Message(body=body, headers=headers)

    def _body(self, task: Task, event: Event, following: Event | None) -> Mapping[str, Any]:
        said = event.data
        data: dict[str, Any] = {
            "task_id": task.id,
            "event_id": event.id,
            "status": said["status"],
            "message": said["message"],
            **self._texts.notification_fields(task, event),
            **({"approve_by": said["approve_by"]} if "approve_by" in said else {}),
        }
        if following and following.kind == "error":
            data["error"] = {name: following.data[name] for name in _WHY if name in following.data}
        what = "awaiting_approval" if event.kind == "approval" else said["status"]
        return {"type": f"task.{what}", "timestamp": said["at"], "data": data}
