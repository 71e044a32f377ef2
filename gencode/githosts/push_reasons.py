"""The reasons that hosts give for a refused push, and the lines in which they give them.

Only these lines are matched, each from its beginning, because the rest of the text repeats URLs, names and
paths, which can contain any words: a repository called `secret-santa` is no secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gencode.githosts.errors import (
    GitError,
    GitNotFound,
    GitRejected,
    GitUnavailable,
    NonFastForward,
    PushSecret,
    PushTooLarge,
    PushWorkflowScope,
)

_MAX_LINE = 1000  # characters; a reason is a sentence
_URL = re.compile(r"[a-z][a-z0-9+.-]{0,20}://\S+", re.I)
_QUOTED = re.compile(r"\"[^\"]{0,1000}\"|(?<!\w)'[^']{1,1000}'(?!\w)|`[^`]{0,1000}`")
_PREFIX = re.compile(
    r"(?:(?:remote|error|fatal|gitlab|gitea|forgejo|gl-hook-err|pre-receive|update)(?: error)?:|[-*>!•\s])+",
    re.I,
)
_SIZE = r"\d[\d.,]{0,20} ?[KMGT]i?B"
_RULES: tuple[tuple[re.Pattern[str], type[GitError], str], ...] = tuple(
    (re.compile("|".join(reasons), re.I), error, advice)
    for reasons, error, advice in (
        (
            (
                r"github push protection\b",
                r"push cannot contain secrets?\b(?![\w./-])",
                r"push declined due to (?:a detected secret|secret scanning)\b",
                r"gh009: secrets? detected\b",
                r"push blocked: secrets? (?:was |were )?detected\b",
                r"(?:(?:the|this|your) )?(?:push|commits?|files?) contains? (?:a )?secrets?\b(?![\w./-])",
                r"secrets? (?:was |were )?detected\b",
            ),
            PushSecret,
            "the host found a secret in the files and refused the push; ask for placeholders in the prompt",
        ),
        (
            (
                r"refusing to allow (?:an? )?[\w -]{1,60} to create or update "
                r"(?:workflow\b|\.github/workflows/)",
            ),
            PushWorkflowScope,
            "the token may not push workflow files; give it the workflow scope or leave "
            ".github/workflows out",
        ),
        (
            (
                r"gh001: large files detected\b",
                r"you are attempting to check in one or more blobs which exceed\b",
                rf"file:? .* is larger than the allowed size of {_SIZE}",
                rf"file:? .* (?:exceeds|larger than) .*{_SIZE}\W*$",
                r"pack exceeds maximum allowed size\b",
                rf"(?:(?:this|your|the) )?repository\b.* size\b.* exceeds {_SIZE}",
                r"push rejected for repository size\b",
                r"your push (?:to this repository )?(?:has been rejected|would)\b.* exceed",
                r"(?:push contains|changes blocked by) files exceeding the (?:file )?size limit\b",
                r"(?:push|pack|upload|request|object|blob)\b.* too (?:large|big)\W*$",
            ),
            PushTooLarge,
            "the push is larger than the host allows; ask for fewer or smaller files",
        ),
        (
            (
                r"(?:gh007|ge007):",
                r"push declined due to email privacy\b",
                r"(?:commit )?(?:author|committer)(?:'s)? e-?mail\b",
                r"you cannot push commits for\b",
            ),
            GitRejected,
            "the host does not accept the commit's author: set GIT_AUTHOR to an address that it does",
        ),
        (
            (
                r"gh006:",
                r"protected branch (?:update failed|hook declined)\b",
                r"you are not allowed to (?:\w+ ){1,6}protected branch",
                r"not allowed to push to protected branch\b",
                r"cannot update this protected ref\b",
                r"branch \S+ is protected\b",
                r"permission denied to (?:update|create) branch\b",
            ),
            GitRejected,
            "the branch is protected, and the token's role may not push to it: give it a role that may",
        ),
        (
            (
                r"changes must be made through a pull request\b",
                r"cannot create ref due to creations being restricted\b",
                r"commits must have (?:verified|valid) signatures\b",
                r"required (?:status check|workflow)s?\b",
                r"gh013:",
                r"push declined due to repository rule violations\b",
            ),
            GitRejected,
            "a rule of the organisation forbids this first push: let the token's user bypass the rule, or "
            "choose another github_org",
        ),
        (
            (
                r"non-fast-forward\W*$",
                r"fetch first\b",
                r"(?:cannot lock ref\b.* )?reference already exists\b",
                r"cannot lock ref\b.* is at [0-9a-f]{40,64} but expected\b",
            ),
            NonFastForward,
            "somebody else has pushed to the branch; choose another repo_name",
        ),
        (
            (r"(?:unpack\b.* )?mismatched algorithms: client sha1\b",),
            GitRejected,
            "the repository has SHA-256 objects, which gencode cannot write: let the host make SHA-1 "
            "repositories",
        ),
        (
            (r"internal server error\b", r"(?:the )?service (?:is )?(?:temporarily )?unavailable\b"),
            GitUnavailable,
            "the Git server failed while it took the push; retry the task later",
        ),
        (
            (r"(?:the )?repository (?:\S+ )?(?:was |is )?not found\W*$", r"no such project\b"),
            GitNotFound,
            "the Git server does not know the repository, or hides it from the token",
        ),
    )
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """The line by which a rule was chosen."""

    line: str
    error: type[GitError]
    advice: str


def find_reason(lines: Sequence[str]) -> Reason | None:
    """The reason by the first rule that any line matches: a host may list several reasons, some of them
    general."""
    for pattern, error, advice in _RULES:
        for line in lines:
            if pattern.match(line):
                return Reason(line=line, error=error, advice=advice)
    return None


def reason_lines(text: str) -> Iterator[str]:
    """Each line without prefixes such as "remote: error:", and without URLs and quoted names. The progress of
    an upload ends its lines with a carriage return. The prefix "warning:" is kept, because a warning is no
    reason."""
    for line in re.split(r"[\r\n]+", text):
        line = _QUOTED.sub("", _URL.sub("", line[:_MAX_LINE]))
        found = _PREFIX.match(line)
        yield line[found.end() :] if found else line
