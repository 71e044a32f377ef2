"""Webhooks by the Standard Webhooks specification (standardwebhooks.com): notifier, bodies, signing
secrets."""

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
from gencode.notifications.notifier_protocol import TaskTexts
from gencode.notifications.sender import Message, Sender
from gencode.outbound.url_policy import UrlPolicy, UrlUnresolved, host_of

PREFIX = "whsec_"
MINUTE, HOUR = 60.0, 3600.0
RETRY_DELAYS = (5.0, MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 8 * HOUR, 8 * HOUR)
"""Seconds between attempts; about a day in all."""
CHECK_SECONDS = 3.0
"""The longest time that a request waits for the check of its callback_url."""
_ERROR_FIELDS = ("code", "retryable", "stage", "retry_helps", "retry_fields")


class SigningSecrets:
    """The secrets that sign each client's messages.

    configured  the operator's secrets: every message is signed with all of them, so that a new one can be
                introduced while receivers still use the old one
    master      without configured secrets, each client's secret is derived from this one and the client's
                name
    """

    def __init__(self, configured: Sequence[str], master: bytes) -> None:
        self._configured = tuple(configured)
        self._master = master

    def of(self, client: str) -> Sequence[str]:
        return self._configured or (self._derive(client),)

    def disclosed_to(self, client: str) -> str | None:
        """The client's own secret; None if the operator's secrets are used, which sign for other clients,
        too."""
        return None if self._configured else self._derive(client)

    def _derive(self, client: str) -> str:
        digest = hmac.new(self._master, f"webhooks of {client}".encode(), hashlib.sha256).digest()
        return PREFIX + base64.b64encode(digest).decode("ascii")


class WebhookNotifier:
    """A Notifier: sends every status and every pause for approval, signed.

    texts   returns the fields that the kind of a task adds to a message
    """

    kind = "webhook"
    retry_delays = RETRY_DELAYS
    permanent_statuses = frozenset({410})

    def __init__(
        self, secrets: SigningSecrets, url_policy: UrlPolicy, send: Sender, texts: TaskTexts
    ) -> None:
        self.secrets = secrets
        self.send = send
        self._url_policy = url_policy
        self._texts = texts

    async def callback(self, task_id: str, url: str) -> Callback:
        """The callback of a new task. Raises UrlRefused. A host name that is temporarily unresolvable is
        accepted, because the URL is checked again before each call."""
        try:
            with anyio.fail_after(CHECK_SECONDS):
                await self._url_policy.resolve(url)
        except (UrlUnresolved, TimeoutError):
            pass
        return Callback(task_id=task_id, kind=self.kind, url=url, host=host_of(url))

    def message(self, task: Task, event: Event, following: Event | None) -> Message | None:
        if event.kind not in NOTIFIED_EVENTS:
            return None
        body = dump(_body(task, event, following, self._texts.notification_fields(task, event)))
        message_id, at = f"{task.id}-{event.id}", datetime.now(UTC)
        signatures = [
            Webhook(secret).sign(message_id, at, body.decode())
            for secret in self.secrets.of(task.principal.id)
        ]
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": " ".join(signatures),
        }
        return Message(body=body, headers=headers)


def _body(task: Task, event: Event, following: Event | None, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    data: dict[str, Any] = {
        "task_id": task.id,
        "event_id": event.id,
        "status": event.data["status"],
        "message": event.data["message"],
        **fields,
    }
    if "approve_by" in event.data:
        data["approve_by"] = event.data["approve_by"]
    if following and following.kind == "error":
        data["error"] = {name: following.data[name] for name in _ERROR_FIELDS if name in following.data}
    status = "awaiting_approval" if event.kind == "approval" else event.data["status"]
    return {"type": f"task.{status}", "timestamp": event.data["at"], "data": data}
