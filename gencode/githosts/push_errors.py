"""The error of a refused push: by HTTP status, or else by the server's text, since Git has no error codes."""

from __future__ import annotations

import re

from gencode.githosts.errors import (
    GitAuth,
    GitError,
    GitNotFound,
    GitProtocol,
    GitRejected,
    GitUnavailable,
    PushTooLarge,
)
from gencode.githosts.http_client import HttpReply
from gencode.githosts.push_reasons import find_reason, reason_lines
from gencode.githosts.refusal_texts import MAX_SEARCHED, account_advice, reports_rate_limit
from gencode.security.redaction import MAX_CHARACTERS, quoted, sanitize

MAX_TEXT = MAX_SEARCHED
_ANSI = re.compile(r"\x1b\[[0-?]{0,20}[ -/]{0,5}[@-~]")


def push_error(
    text: str,
    secrets: tuple[str, ...],
    default: type[GitError] = GitRejected,
    message: str = "the host refused the push; its words say why",
) -> GitError:
    """The error for the server's text; `default` with `message` if no line of it names a known reason."""
    text = _ANSI.sub("", text[:MAX_TEXT])
    lines = list(reason_lines(text))
    if reason := find_reason(lines):
        shown = text if len(text) <= MAX_CHARACTERS else f"{reason.line} … {text}"
        return reason.error(reason.advice + quoted(shown, secrets))
    return default((account_advice("\n".join(lines)) or message) + quoted(text, secrets))


def check_status(reply: HttpReply, secrets: tuple[str, ...]) -> None:
    """Raise the GitError for a response that is not Git's. The message contains Retry-After; the push is not
    retried."""
    content_type = reply.headers.get("content-type", "")
    if reply.status != 200:
        is_text = content_type.startswith("text/plain")
        text = reply.content[:MAX_TEXT].decode("utf-8", "replace") if is_text else ""
        raise _status_error(reply, _ANSI.sub("", text), secrets)
    if not content_type.startswith("application/x-git-receive-pack-"):
        shown = sanitize(content_type) or "something"
        raise GitProtocol(f"the host answered a push with {shown}, which is not Git")


def _status_error(reply: HttpReply, text: str, secrets: tuple[str, ...]) -> GitError:
    status, quote = reply.status, quoted(text, secrets)
    if status == 429 or status >= 500 or (status == 403 and reports_rate_limit(text)):
        pause = sanitize(reply.headers.get("retry-after", ""))
        wait = f" and asked to wait (Retry-After: {pause})" if pause else ""
        return GitUnavailable(f"the Git server answered {status}{wait}; try again later{quote}")
    if status in (401, 403):
        advice = account_advice(text) or "it needs write access to contents"
        return GitAuth(f"the Git server refused the token ({status}): {advice}{quote}")
    if status == 404:
        return GitNotFound(f"the Git server does not know the repository, or hides it from the token{quote}")
    if status == 413:
        return PushTooLarge(f"the push is larger than the host allows; ask for fewer or smaller files{quote}")
    return GitProtocol(f"the Git server answered a push with status {status}{quote}")
