"""Why a push was refused: by HTTP status, or else by the server's own words, as Git has no codes."""

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
from gencode.security.redaction import quoted, spoken

LONGEST = 64 * 1024
"""Characters that are looked at: a server may say as much as it likes, and each pattern reads all of it."""
_KNOWN: tuple[tuple[re.Pattern[str], type[GitError], str], ...] = (
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


def refused(
    words: str, secrets: tuple[str, ...], otherwise: type[GitError] = GitRejected, why: str = ""
) -> GitError:
    """The error for what the server said; `otherwise` and `why` serve words that are not known."""
    words = words[:LONGEST]
    for pattern, error, advice in _KNOWN:
        if pattern.search(words):
            return error(advice + quoted(words, secrets))
    return otherwise((why or "the host refused the push; its words say why") + quoted(words, secrets))


def check_status(reply: HttpReply, secrets: tuple[str, ...]) -> None:
    """Raise the GitError of a reply that is not Git's. Retry-After is told, never obeyed."""
    kind = reply.headers.get("content-type", "")
    if reply.status != 200:
        said = reply.content.decode("utf-8", "replace") if kind.startswith("text/plain") else ""
        raise _by_status(reply, quoted(said, secrets))
    if not kind.startswith("application/x-git-receive-pack-"):
        raise GitProtocol(f"the host answered a push with {spoken(kind) or 'something'}, which is not Git")


def _by_status(reply: HttpReply, said: str) -> GitError:
    status = reply.status
    if status in (401, 403):
        return GitAuth(
            f"the Git server refused the token ({status}): it needs write access to contents{said}"
        )
    if status == 404:
        return GitNotFound(f"the Git server does not know the repository, or hides it from the token{said}")
    if status == 413:
        return PushTooLarge(f"the push is larger than the host allows; ask for fewer or smaller files{said}")
    if status == 429 or status >= 500:
        pause = spoken(reply.headers.get("retry-after", ""))
        asked = f" and asked to wait (Retry-After: {pause})" if pause else ""
        return GitUnavailable(f"the Git server answered {status}{asked}; try again later{said}")
    return GitProtocol(f"the Git server answered a push with status {status}{said}")
