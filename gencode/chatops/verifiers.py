"""Verifiers: functions that check whether a request was sent by Slack or Mattermost."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from functools import partial

from starlette.datastructures import Headers

from gencode.domain.errors import Unauthorized

SIGNATURE_SECONDS = 300
"""How long a signature is valid; Slack's own advice."""

Form = Mapping[str, str]
Verifier = Callable[[Headers, bytes, Form], None]
"""Called with the headers, the body and its form fields. Raises Unauthorized if the chat did not send
them."""


def slack_verifier(secret: str, now: Callable[[], float] = time.time) -> Verifier:
    """Checks Slack's signature of the body (v0); `now` in seconds since the epoch."""
    return partial(_verify_slack, secret.encode(), now)


def _verify_slack(
    secret: bytes, now: Callable[[], float], headers: Headers, body: bytes, _form: Form
) -> None:
    timestamp = headers.get("x-slack-request-timestamp", "")
    signed = f"v0:{timestamp}:".encode("latin-1", "replace") + body
    expected = "v0=" + hmac.new(secret, signed, hashlib.sha256).hexdigest()
    signature = headers.get("x-slack-signature", "").encode("latin-1", "replace")
    is_number = timestamp.isascii() and timestamp.isdigit()
    is_recent = is_number and abs(now() - int(timestamp[:15])) <= SIGNATURE_SECONDS
    if not (hmac.compare_digest(expected.encode(), signature) and is_recent):
        raise Unauthorized("this is not signed by Slack: check SLACK_SIGNING_SECRET and this machine's clock")


def mattermost_verifier(token: str) -> Verifier:
    """Checks the token that Mattermost sends in the form."""
    return partial(_verify_mattermost, token.encode())


def _verify_mattermost(token: bytes, _headers: Headers, _body: bytes, form: Form) -> None:
    if not hmac.compare_digest(token, form.get("token", "").encode("utf-8", "replace")):
        raise Unauthorized("this is not Mattermost's token: check MATTERMOST_TOKEN")
