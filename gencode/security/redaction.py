"""Removes secrets from text that is logged, stored or shown.

Known secrets are redacted whatever they look like, and so is what looks like a secret: another server may
echo one that is not ours. Too much is redacted rather than too little, but "token expired" or "no
GITHUB_TOKEN is set" hold no secret, and messages must stay readable.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

SecretSource = Callable[[], Iterable[str]]
"""Returns the secrets that are valid at the time of the call."""

REDACTED = "[redacted]"
MIN_SECRET_LENGTH = 8
"""Characters. A shorter secret is not redacted: with an API key "x", "maximum" became "ma[redacted]imum"."""
MAX_CHARACTERS = 500  # the reason of a push rejection of GitHub is in its first lines
_MAX_INPUT = 32 * MAX_CHARACTERS
"""Characters that are searched for secrets; another server may send millions."""

_TAG = re.compile(r"</?[a-z!][^<>]{0,500}>", re.IGNORECASE)
# Each part is bounded, or a text of nothing but beginnings ("sk-sk-sk-...") would take quadratic time.
_SECRET_PATTERN = re.compile(
    r"""
    \b(?:gh[a-z]|gck|github_pat|glpat|npm|hf|[sr]k_(?:live|test))[_-]\w{8,}   # GitHub's, GitLab's, npm's, ...
    | \b(?:sk|pk|rk|gsk|xai)-(?=[\w.-]{0,200}[\d*])[\w*.-]{4,}  # of models' providers; "*": half masked
    | \bA[KS]IA[0-9A-Z]{16} | \bAIza[\w-]{30,} | \bxox[a-z]-[\w-]{8,}     # AWS', Google's, Slack's
    | \beyJ[\w-]{8,2000}\.[\w-]{1,8000}\.[\w-]*               # JSON Web Tokens
    | (?<=://)[^/\s"'<>]+(?=@)                                 # user:password of an address
    | (?i:(?<=[?&]key=)|(?<=[?&]token=)|(?<=[?&]ticket=)|(?<=_token=)|(?<=_key=)|(?<=_secret=))[^&\s"']{8,}
    | (?i:\b(?:bearer|basic|token)[ ]+|\bx-access-token:)
      (?=[^\s"',;]{0,500}(?:\d|[a-z][A-Z][^\s"',;]{0,500}[a-z][A-Z]|=)) [^\s"',;]{8,}
    """,
    re.VERBOSE,
)
"""A word after "bearer", "basic" or "token" counts if it has a digit, changes case twice or is padded."""


def redact(text: str, secrets: Iterable[str] | SecretSource = ()) -> str:
    """The text with `secrets`, and whatever looks like one, replaced by REDACTED.

    A secret shorter than MIN_SECRET_LENGTH is not replaced: it is part of ordinary words, and a message that
    is full of marks says nothing. (It still is when it stands where a credential does, as in a URL.)
    """
    known = secrets() if callable(secrets) else secrets
    for secret in sorted(known, key=len, reverse=True):
        if len(secret) < MIN_SECRET_LENGTH:
            break
        text = text.replace(secret, REDACTED)
    return _SECRET_PATTERN.sub(REDACTED, text)


def sanitize(text: str, secrets: Iterable[str] | SecretSource = ()) -> str:
    """Text of another server as one printable line of at most MAX_CHARACTERS without markup and secrets."""
    text = _TAG.sub(" ", text)
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    text = redact(text[:_MAX_INPUT], secrets)  # before the cut, which could leave the beginning of a secret
    return text if len(text) <= MAX_CHARACTERS else text[: MAX_CHARACTERS - 1] + "…"


def quoted(text: str, secrets: Iterable[str] | SecretSource = ()) -> str:
    """The sanitised text as `: "text"`, to end a message with; "" if nothing is left of it."""
    line = sanitize(text, secrets)
    return f': "{line}"' if line else ""
