"""POST /integrations/slack and /integrations/mattermost: a command from a chat.

The answer is immediate, as the chats require; the outcome of the task is posted later by the notification
dispatcher, to the `response_url` of the command.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape
from typing import Literal
from urllib.parse import parse_qsl

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from gencode.chatops.commands import Command, SubmitCommand, run_command
from gencode.chatops.verifiers import Form, Verifier
from gencode.domain.errors import BodyTooLarge, GencodeError, Malformed, NotFound, Unauthorized
from gencode.domain.phrase import Phrase
from gencode.domain.principal import Principal, PrincipalKind
from gencode.http.base_models import ResponseModel, Words
from gencode.http.body_specs import Body
from gencode.http.dependencies import get_extension, get_services
from gencode.http.operation import DeclaredError, ErrorResponse, operation
from gencode.http.response_specs import JsonResponseSpec
from gencode.notifications.chat_replies import ChatNotifier
from gencode.outbound.url_policy import UrlRefused

MAX_FIELDS = 100
MAX_FORM = 64 * 1024
"""Bytes; a command of a chat has a few KB at most."""
_ID = re.compile(r"[A-Za-z0-9]{1,64}")


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatIntegration:
    """A configured chat."""

    chat: ChatNotifier
    verify: Verifier = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatOps:
    """The configured chats by name ("slack", "mattermost"), and what their commands submit."""

    integrations: Mapping[str, ChatIntegration]
    submit_command: SubmitCommand


class ChatReply(ResponseModel):
    """An answer to a command in a chat."""

    response_type: Literal["ephemeral"] = Field(description="Only the user who gave the command sees it")
    text: Words


FORM = Body(
    media_type="application/x-www-form-urlencoded",
    schema={"type": "object", "properties": {"text": {"type": "string"}, "response_url": {"type": "string"}}},
)
REPLY = JsonResponseSpec(model=ChatReply, description="For the user who gave the command")
_ERRORS: tuple[DeclaredError, ...] = (
    ErrorResponse(error=Malformed, description="Not what the chat sends"),
    ErrorResponse(error=Unauthorized, description="Not proven to come from the chat"),
    ErrorResponse(error=NotFound, description="The chat is not configured"),
)


@operation(
    "slack", "POST /integrations/slack", "A command of Slack", body=FORM, responses=(REPLY,), errors=_ERRORS
)
async def slack(request: Request) -> Response:
    return await _handle(request, "slack")


@operation(
    "mattermost",
    "POST /integrations/mattermost",
    "A command of Mattermost",
    body=FORM,
    responses=(REPLY,),
    errors=_ERRORS,
)
async def mattermost(request: Request) -> Response:
    return await _handle(request, "mattermost")


async def _handle(request: Request, name: str) -> Response:
    """Returns 200 also for an invalid command: the text of the answer says what is wrong with it."""
    chatops = get_extension(request, ChatOps)
    if not (integration := chatops.integrations.get(name)):
        raise NotFound(Phrase("no {name} is configured here; see docs/chat.md for its settings", name=name))
    body = await FORM.read_bytes(request)
    if len(body) > MAX_FORM:
        raise BodyTooLarge(Phrase("a command of a chat has at most {max_form} bytes", max_form=MAX_FORM))
    form = _parse_form(body)
    integration.verify(request.headers, body, form)
    if form.get("ssl_check"):
        return REPLY.make(ChatReply(response_type="ephemeral", text="ok"))
    command, chat = _read_command(name, form, body), integration.chat
    try:
        text = await run_command(get_services(request), command, chat, chatops.submit_command)
    except GencodeError as error:
        text = f"{chat.escape(error.message)} [{error.code}]"
    except UrlRefused as error:
        raise Malformed(Phrase("response_url {error}", error=error)) from None
    return REPLY.make(ChatReply(response_type="ephemeral", text=text))


def _parse_form(body: bytes) -> Form:
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError:
        raise Malformed("the body is no form of at most 100 fields in UTF-8") from None


def _read_command(chat: str, form: Form, body: bytes) -> Command:
    team, user = form.get("team_id", ""), form.get("user_id", "")
    if not (_ID.fullmatch(team) and _ID.fullmatch(user)):
        raise Malformed("team_id and user_id must name who gave the command")
    text = form.get("text", "")
    return Command(
        name=form.get("command", "") or "/gencode",
        text=unescape(text) if chat == "slack" else text,
        principal=Principal(id=f"{chat}:{team}/{user}", kind=PrincipalKind.SERVICE),
        # A repeated request is identified by trigger_id if present, else by a hash of the body.
        deduplication_id=form.get("trigger_id") or hashlib.sha256(body).hexdigest(),
        response_url=form.get("response_url", ""),
    )
