"""What a person can say to the service in a chat room, and what it says at once."""

from __future__ import annotations

from dataclasses import dataclass, field

import anyio

from gencode.domain.callback import Callback
from gencode.engine.store import IdempotencyKey
from gencode.http.schemas import well_formed
from gencode.http.services import Services, task_of
from gencode.http.submission import digest, submit
from gencode.notifications.chat_replies import ChatNotifier

CANCEL_SECONDS = 2.0
"""After three, the chat tells the person that nobody answers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """name          what the command is called there
    client        who gave it, such as "slack:T0/U0"
    mark          names this command: given twice, it is obeyed once
    response_url  where to tell of it
    """

    name: str
    text: str
    client: str
    mark: str
    response_url: str = field(repr=False)


async def run_command(services: Services, command: Command, chat: ChatNotifier) -> str:
    """The answer for who gave it. Raises GencodeError, and Refused for its response_url."""
    first, _, rest = command.text.strip().partition(" ")
    rest = rest.strip()
    if first in ("status", "cancel") and rest and " " not in rest:
        return await (_status if first == "status" else _cancel)(services, command, chat, rest)
    if not rest or first == "help":
        return _help(command, chat)
    return await _generate(services, command, chat, first, rest)


async def _generate(services: Services, command: Command, chat: ChatNotifier, name: str, prompt: str) -> str:
    await services.rate.spend(command.client)
    asked = well_formed({"prompt": prompt, "repo_name": name})
    key = IdempotencyKey(
        principal=command.client, value=f"command {command.mark}"[:255], digest=digest(asked)
    )

    async def callback(task_id: str) -> Callback:
        return chat.callback(task_id, command.response_url)

    task, _ = await submit(services, asked, command.client, services.language, key, callback)
    called = chat.escape(command.name)
    line = chat.line(task, task.message)
    return f"{line}\n{called} status {task.id}\n{called} cancel {task.id}"


async def _status(services: Services, command: Command, chat: ChatNotifier, task_id: str) -> str:
    task = await task_of(services, command.client, task_id)
    return chat.line(task, f"{task.status}. {task.message}", task.result.get("repo_url"))


async def _cancel(services: Services, command: Command, chat: ChatNotifier, task_id: str) -> str:
    task = await task_of(services, command.client, task_id)
    with anyio.move_on_after(CANCEL_SECONDS):
        task = await services.task_service.cancel(task)
        return chat.line(task, task.message)
    return chat.line(task, "It is being cancelled.")


def _help(command: Command, chat: ChatNotifier) -> str:
    called = chat.escape(command.name)
    return (
        f"{called} REPOSITORY-NAME WHAT TO BUILD\n"
        f"(such as {called} my-flask-app a small Flask app with login)\n"
        f"{called} status TASK-ID\n{called} cancel TASK-ID"
    )
