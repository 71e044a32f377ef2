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
    NonFastForward,
    PushSecret,
    PushTooLarge,
    PushWorkflowScope,
)
from gencode.githosts.http_client import HttpReply
from gencode.security.redaction import quoted, sanitize

MAX_TEXT = 64 * 1024
"""Characters of the server's text that are searched: its length is unbounded, and each pattern scans it."""
_RULES: tuple[tuple[re.Pattern[str], type[GitError], str], ...] = (
    (
        re.compile(
            r"push protection|secret.scanning|contains? secrets?|secrets? detected|GH013.{0,2000}secret",
            re.I | re.S,
        ),
        PushSecret,
        "the host found a secret in the files and refused the push; ask for placeholders in the prompt",
    ),
    (
        re.compile(
            r"refusing to allow .{0,2000}workflow|without `?workflows?`? (scope|permission)", re.I | re.S
        ),
        PushWorkflowScope,
        "the token may not push workflow files; give it the workflow scope or leave .github/workflows out",
    ),
    (
        re.compile(r"GH001|large files? detected|file size limit|too large|maximum allowed size", re.I),
        PushTooLarge,
        "the push is larger than the host allows; ask for fewer or smaller files",
    ),
    (
        re.compile(r"protected branch", re.I),
        GitRejected,
        "the branch is protected, and the token's role may not push to it: give it a role that may",
    ),
    (
        re.compile(r"non-fast-forward|fetch first|reference already exists", re.I),
        NonFastForward,
        "somebody else has pushed to the branch; choose another repo_name",
    ),
)


def push_error(
    text: str,
    secrets: tuple[str, ...],
    default: type[GitError] = GitRejected,
    message: str = "the host refused the push; its words say why",
) -> GitError:
    """The error for the server's text; `default` with `message` if no rule matches."""
    text = text[:MAX_TEXT]
    for pattern, error, advice in _RULES:
        if pattern.search(text):
            return error(advice + quoted(text, secrets))
    return default(message + quoted(text, secrets))


def check_status(reply: HttpReply, secrets: tuple[str, ...]) -> None:
    """Raise the GitError for a response that is not Git's. Retry-After appears in the message; the push is
    not retried."""
    content_type = reply.headers.get("content-type", "")
    if reply.status != 200:
        text = reply.content.decode("utf-8", "replace") if content_type.startswith("text/plain") else ""
        raise _status_error(reply, quoted(text, secrets))
    if not content_type.startswith("application/x-git-receive-pack-"):
        shown = sanitize(content_type) or "something"
        raise GitProtocol(f"the host answered a push with {shown}, which is not Git")


def _status_error(reply: HttpReply, quote: str) -> GitError:
    status = reply.status
    if status in (401, 403):
        return GitAuth(
            f"the Git server refused the token ({status}): it needs write access to contents{quote}"
        )
    if status == 404:
        return GitNotFound(f"the Git server does not know the repository, or hides it from the token{quote}")
    if status == 413:
        return PushTooLarge(f"the push is larger than the host allows; ask for fewer or smaller files{quote}")
    if status == 429 or status >= 500:
        pause = sanitize(reply.headers.get("retry-after", ""))
        wait = f" and asked to wait (Retry-After: {pause})" if pause else ""
        return GitUnavailable(f"the Git server answered {status}{wait}; try again later{quote}")
    return GitProtocol(f"the Git server answered a push with status {status}{quote}")
