"""POST /integrations/slack and /integrations/mattermost: a command of a chat room.

The answer comes at once, as the chats demand; what becomes of a task is posted later, by the courier, to the
address that came with the command.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Callable, Mapping
from functools import partial
from html import unescape
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from gencode.chatops.commands import Command, run_command
from gencode.domain.errors import GencodeError, Malformed, NotFound, Unauthorized
from gencode.http.operation import DeclaredError, ErrorResponse, operation
from gencode.http.request_body import Body
from gencode.http.responses import JsonResponseSpec
from gencode.http.services import get_services
from gencode.http.views import ChatReply
from gencode.notifications.url_policy import UrlRefused

REPLAY_SECONDS = 300
"""Within which a signed request is believed; Slack's own advice."""
MOST_FIELDS = 100
_ID = re.compile(r"[A-Za-z0-9]{1,64}")

Form = Mapping[str, str]
Prove = Callable[[Headers, bytes, Form], None]
"""Raises Unauthorized for what does not come from the chat."""


FORM = Body(
    media_type="application/x-www-form-urlencoded",
    schema={"type": "object", "properties": {"text": {"type": "string"}, "response_url": {"type": "string"}}},
)
SAID = JsonResponseSpec(model=ChatReply, description="What is told to who gave the command")
_RAISES: tuple[DeclaredError, ...] = (
    ErrorResponse(error=Malformed, description="Not what the chat sends"),
    ErrorResponse(error=Unauthorized, description="Not proven to come from the chat"),
    ErrorResponse(error=NotFound, description="The chat is not configured"),
)


@operation(
    "slack",
    "POST /integrations/slack",
    "A command of Slack",
    body=FORM,
    responses=(SAID,),
    errors=_RAISES,
)
async def slack(request: Request) -> Response:
    return await _command(request, "slack")


@operation(
    "mattermost",
    "POST /integrations/mattermost",
    "A command of Mattermost",
    body=FORM,
    responses=(SAID,),
    errors=_RAISES,
)
async def mattermost(request: Request) -> Response:
    return await _command(request, "mattermost")


async def _command(request: Request, kind: str) -> Response:
    """200 for whatever the chat sent: what was wrong with the command is said to who gave it."""
    door = get_services(request).notifications.doors.get(kind)
    if not door:
        raise NotFound(f"no {kind} is configured here; see docs/chat.md for its settings")
    raw = await FORM.read_bytes(request)
    form = _form(raw)
    door.prove(request.headers, raw, form)
    if form.get("ssl_check"):
        return SAID.make(ChatReply(response_type="ephemeral", text="ok"))
    command = _read(kind, form, raw)
    try:
        text = await run_command(get_services(request), command, door.chat)
    except GencodeError as error:
        text = f"{door.chat.escape(error.message)} [{error.code}]"
    except UrlRefused as error:
        raise Malformed(f"response_url {error}") from None
    return SAID.make(ChatReply(response_type="ephemeral", text=text))


def _form(raw: bytes) -> Form:
    try:
        return dict(parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        raise Malformed("the body is no form of at most 100 fields in UTF-8") from None


def _read(kind: str, form: Form, raw: bytes) -> Command:
    team, user = form.get("team_id", ""), form.get("user_id", "")
    if not (_ID.fullmatch(team) and _ID.fullmatch(user)):
        raise Malformed("team_id and user_id must name who gave the command")
    text = form.get("text", "")
    return Command(
        name=form.get("command", "") or "/gencode",
        text=unescape(text) if kind == "slack" else text,
        client=f"{kind}:{team}/{user}",
        # Sent again, it is the same command: the chat's own mark of it, else all that was sent.
        mark=form.get("trigger_id") or hashlib.sha256(raw).hexdigest(),
        response_url=form.get("response_url", ""),
    )


# --- who is it? -------------------------------------------------------------------------------------


def slack_proof(secret: str, now: Callable[[], float] = time.time) -> Prove:
    """Of Slack's signature over the body as it came (v0), which is good for five minutes."""
    return partial(_prove_slack, secret.encode(), now)


def _prove_slack(secret: bytes, now: Callable[[], float], headers: Headers, raw: bytes, _form: Form) -> None:
    moment = headers.get("x-slack-request-timestamp", "")
    signed = f"v0:{moment}:".encode("latin-1", "replace") + raw
    expected = "v0=" + hmac.new(secret, signed, hashlib.sha256).hexdigest()
    given = headers.get("x-slack-signature", "").encode("latin-1", "replace")
    fresh = moment.isascii() and moment.isdigit() and abs(now() - int(moment[:15])) <= REPLAY_SECONDS
    if not (hmac.compare_digest(expected.encode(), given) and fresh):
        raise Unauthorized("this is not signed by Slack: check SLACK_SIGNING_SECRET and this machine's clock")


def mattermost_proof(token: str) -> Prove:
    return partial(_prove_mattermost, token.encode())


def _prove_mattermost(token: bytes, _headers: Headers, _raw: bytes, form: Form) -> None:
    if not hmac.compare_digest(token, form.get("token", "").encode("utf-8", "replace")):
        raise Unauthorized("this is not Mattermost's token: check MATTERMOST_TOKEN")
