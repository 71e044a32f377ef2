"""Chat rooms: what is said there of a task, through the address that came with the command."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from gencode.domain.callback import Callback
from gencode.domain.event import Event, dump
from gencode.domain.task import Task
from gencode.notifications.notifier import TaskTexts
from gencode.notifications.sender import Message, Sender
from gencode.notifications.url_policy import UrlRefused, host_of, origin_of
from gencode.security.redaction import sanitize

_MARKUP = re.compile(r"([\\`*_\[\](){}#!|~<>])")
_NO_SPACE = "\N{ZERO WIDTH SPACE}"

Escape = Callable[[str], str]


def slack(text: str) -> str:
    """One line that is text to Slack, and names nobody: <!channel> and <@U1> are no commands then."""
    escaped = sanitize(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.replace("@", f"@{_NO_SPACE}")


def mattermost(text: str) -> str:
    """One line that is text to Mattermost, whose @all is a word like any other until it stands alone."""
    return _MARKUP.sub(r"\\\1", sanitize(text)).replace("@", f"@{_NO_SPACE}")


class ChatNotifier:
    """A Voice. `origin`: of the only addresses that are posted to."""

    waits: Sequence[float] = (5.0, 30.0, 120.0, 300.0, 600.0)
    gone = frozenset({404, 410})
    """Slack says 404 of an address that has expired or was used too often."""

    def __init__(self, kind: str, origin: str, escape: Escape, post: Sender, texts: TaskTexts) -> None:
        self._texts = texts
        self.kind = kind
        self.escape = escape
        self.send = post
        self._origin = origin_of(origin)

    def callback(self, task_id: str, url: str) -> Callback:
        """Raises Refused for an address that is not the chat's."""
        if origin_of(url) != self._origin:
            raise UrlRefused("is not an address of the chat that is configured")
        return Callback(task_id=task_id, kind=self.kind, url=url, host=host_of(url))

    def message(self, task: Task, event: Event, following: Event | None) -> Message | None:
        if event.kind != "status" or not self._texts.is_milestone(task, event.data["status"]):
            return None
        code = f" [{following.data['code']}]" if following and following.kind == "error" else ""
        said = f"{event.data['message']}{code}"
        url = self._texts.result_url(task) if event.data["status"] == "completed" else None
        body = {"response_type": "ephemeral", "text": self.line(task, said, url)}
        return Message(body=dump(body), headers={"Content-Type": "application/json"})

    def line(self, task: Task, said: str, url: object = None) -> str:
        name = self.escape(self._texts.label(task))
        where = f" {sanitize(str(url)).replace('<', '%3C').replace('>', '%3E')}" if url else ""
        return f"{name}: {self.escape(said)}{where}"
