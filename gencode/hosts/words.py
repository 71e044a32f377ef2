"""What another server said, made fit to be shown: no secret, no control character, bounded."""

from __future__ import annotations

import re
from collections.abc import Iterable

LIMIT = 500  # characters; a push refusal of GitHub's says what it must within the first lines

_SECRET = re.compile(
    r"""
    gh[a-z]_[A-Za-z0-9]{16,} | github_pat_\w{16,}  # GitHub's tokens
    | sk-[A-Za-z0-9_-]{16,} | AKIA[0-9A-Z]{16}     # keys that generated files are refused for
    | (?<=://)[^/@\s]+@                            # user:password@ of an address
    | (?<=\bBasic\ )\S{8,} | (?<=\bBearer\ )\S{8,}
    """,
    re.VERBOSE | re.IGNORECASE,
)


def spoken(text: str, secrets: Iterable[str] = ()) -> str:
    """One line of at most LIMIT characters, with `secrets` and whatever looks like one replaced."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    for secret in secrets:
        if secret:
            line = line.replace(secret, "***")
    line = _SECRET.sub("***", line)
    return line if len(line) <= LIMIT else line[: LIMIT - 1] + "…"


def quoted(text: str, secrets: Iterable[str] = ()) -> str:
    """`: "text"` to end a message with, or nothing when nothing was said."""
    said = spoken(text, secrets)
    return f': "{said}"' if said else ""
