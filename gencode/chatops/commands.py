"""Executes the commands of a chat (submit, status, cancel, help), and returns the immediate answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import anyio

from gencode.domain.callback import Callback
from gencode.domain.principal import Principal
from gencode.engine.ports.store import IdempotencyKey
from gencode.http.dependencies import Services, find_task
from gencode.http.kinds import Kind
from gencode.http.strict_json import validate
from gencode.http.submission import request_digest, submit
from gencode.notifications.chat_replies import ChatNotifier

CANCEL_SECONDS = 2.0
"""A chat shows an error if there is no response within 3 seconds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SubmitCommand:
    """The command that submits a task: `FIRST-WORD OTHER WORDS`.

    kind        the kind of the task
    first_word  the field of the request that gets the first word
    other_words the field of the request that gets the other words
    usage       the two arguments as shown by help
    example     example values of the two arguments
    """

    kind: Kind
    first_word: str
    other_words: str
    usage: str
    example: str

    def request(self, first: str, others: str) -> Mapping[str, str]:
        return {self.first_word: first, self.other_words: others}


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """A command as the chat sent it.

    name              the command's name in the chat, such as "/gencode"
    text              its arguments
    principal         the user who entered it, such as "slack:T0/U0"
    deduplication_id  identifies this command: sent twice, it is executed once
    response_url      the URL to which the outcome of the task is posted
    """

    name: str
    text: str
    principal: Principal
    deduplication_id: str
    response_url: str = field(repr=False)


async def run_command(
    services: Services, command: Command, chat: ChatNotifier, submit_command: SubmitCommand
) -> str:
    """The answer to the user. Raises GencodeError, and UrlRefused for the command's response_url."""
    first, _, others = command.text.strip().partition(" ")
    others = others.strip()
    if first in ("status", "cancel") and others and " " not in others:
        return await (_status if first == "status" else _cancel)(services, command, chat, others)
    if not others or first == "help":
        return _help(command, chat, submit_command)
    fields = submit_command.request(first, others)
    return await _submit(services, command, chat, submit_command.kind, fields)


async def _submit(
    services: Services, command: Command, chat: ChatNotifier, kind: Kind, fields: Mapping[str, str]
) -> str:
    await services.rate.spend(command.principal.id)
    request = validate(kind.request_model, fields, kind.submission.pattern_messages)
    key = IdempotencyKey(
        principal=command.principal.id,
        value=f"command {command.deduplication_id}"[:255],
        digest=request_digest(request),
    )

    async def callback(task_id: str) -> Callback:
        return chat.callback(task_id, command.response_url)

    submitted = await submit(
        services, kind.name, request, command.principal, services.language, key, callback
    )
    name, task = chat.escape(command.name), submitted.task
    return f"{chat.line(task, task.message)}\n{name} status {task.id}\n{name} cancel {task.id}"


async def _status(services: Services, command: Command, chat: ChatNotifier, task_id: str) -> str:
    task = await find_task(services, command.principal, task_id)
    return chat.line(task, f"{task.status}. {task.message}", services.kinds.result_url(task))


async def _cancel(services: Services, command: Command, chat: ChatNotifier, task_id: str) -> str:
    task = await find_task(services, command.principal, task_id)
    with anyio.move_on_after(CANCEL_SECONDS):
        task = await services.task_service.cancel(task)
        return chat.line(task, task.message)
    return chat.line(task, "It is being cancelled.")


def _help(command: Command, chat: ChatNotifier, submit_command: SubmitCommand) -> str:
    name = chat.escape(command.name)
    return (
        f"{name} {submit_command.usage}\n"
        f"(such as {name} {submit_command.example})\n"
        f"{name} status TASK-ID\n{name} cancel TASK-ID"
    )
