"""Replies about a task, sent to the response URL of the chat command that submitted it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from gencode.domain.callback import Callback
from gencode.domain.event import Event, dump
from gencode.domain.task import Task
from gencode.notifications.notifier_protocol import TaskTexts
from gencode.notifications.sender import Message, Sender
from gencode.outbound.url_policy import UrlRefused, host_of, origin_of
from gencode.security.redaction import sanitize

_MARKUP = re.compile(r"([\\`*_\[\](){}#!|~<>])")
_ZERO_WIDTH_SPACE = "\N{ZERO WIDTH SPACE}"

Escape = Callable[[str], str]


def escape_for_slack(text: str) -> str:
    """One line without Slack's markup or mentions: neither <!channel> nor <@U1> notifies anybody."""
    escaped = sanitize(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.replace("@", f"@{_ZERO_WIDTH_SPACE}")


def escape_for_mattermost(text: str) -> str:
    """One line without Mattermost's markup or mentions. A zero-width space behind @ prevents a
    mention such as @all."""
    return _MARKUP.sub(r"\\\1", sanitize(text)).replace("@", f"@{_ZERO_WIDTH_SPACE}")


class ChatNotifier:
    """A Notifier: sends the milestones of a task and its end.

    Slack accepts five messages per response URL, within half an hour: the answer to the command, at most
    three milestones, and the end.

    origin  the origin of all URLs that are called
    texts   names the task in a reply, and says which of its statuses are milestones
    """

    retry_delays: Sequence[float] = (5.0, 30.0, 120.0, 300.0, 600.0)
    permanent_statuses = frozenset({404, 410})
    """Slack responds 404 for a URL that has expired or was used too often."""

    def __init__(self, kind: str, origin: str, escape: Escape, send: Sender, texts: TaskTexts) -> None:
        self.kind = kind
        self.escape = escape
        self.send = send
        self._origin = origin_of(origin)
        self._texts = texts

    def callback(self, task_id: str, url: str) -> Callback:
        """Raises UrlRefused for a URL of another origin."""
        if origin_of(url) != self._origin:
            raise UrlRefused("is not an address of the chat that is configured")
        return Callback(task_id=task_id, kind=self.kind, url=url, host=host_of(url))

    def message(self, task: Task, event: Event, following: Event | None) -> Message | None:
        if event.kind != "status" or not self._texts.is_milestone(task, str(event.data["status"])):
            return None
        code = f" [{following.data['code']}]" if following and following.kind == "error" else ""
        url = self._texts.result_url(task) if event.data["status"] == "completed" else None
        text = self.line(task, f"{event.data['message']}{code}", url)
        body = {"response_type": "ephemeral", "text": text}
        return Message(body=dump(body), headers={"Content-Type": "application/json"})

    def line(self, task: Task, text: str, url: object = None) -> str:
        """One line about a task, escaped for the chat, followed by the URL."""
        link = f" {sanitize(str(url)).replace('<', '%3C').replace('>', '%3E')}" if url else ""
        return f"{self.escape(self._texts.label(task))}: {self.escape(text)}{link}"
