"""Words that may hold a secret, made fit to be logged, stored and shown.

Known secrets go whatever they look like; what looks like a secret goes although nobody knows it: another
server may echo somebody else's. Too much is redacted rather than too little, but words such as "token
expired" or "no GITHUB_TOKEN is set" are no secrets, and messages must stay readable.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

SecretSource = Callable[[], Iterable[str]]
"""Returns the secrets that are valid at the time of the call."""

MARK = "[redacted]"
MIN_SECRET_LENGTH = 8
"""Characters. A shorter secret is not redacted: with an API key "x", "maximum" became "ma[redacted]imum"."""
LIMIT = 500  # characters; a push refusal of GitHub's says what it must within the first lines
_LOOKED_AT = 32 * LIMIT
"""Characters of what was said: another server may say millions, and each must be looked at for secrets."""

_TAG = re.compile(r"</?[a-z!][^<>]{0,500}>", re.IGNORECASE)
# Each part is bounded, or a text of nothing but beginnings ("sk-sk-sk-...") would take time by its square.
_SECRET = re.compile(
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
"""A word after "bearer", "basic" or "token" counts when it has a digit, changes case twice or is padded."""


def redact(text: str, secrets: Iterable[str] | SecretSource = ()) -> str:
    """The text with `secrets`, and whatever looks like one, replaced by MARK.

    A secret shorter than MIN_SECRET_LENGTH is not replaced: it is part of ordinary words, and a message that
    is full of marks says nothing. (It still is when it stands where a credential does, as in a URL.)
    """
    known = secrets() if callable(secrets) else secrets
    for secret in sorted(known, key=len, reverse=True):
        if len(secret) < MIN_SECRET_LENGTH:
            break
        text = text.replace(secret, MARK)
    return _SECRET.sub(MARK, text)


def spoken(text: str, secrets: Iterable[str] | SecretSource = ()) -> str:
    """What another server said: one printable line without markup and secrets, at most LIMIT characters."""
    text = _TAG.sub(" ", text)
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    text = redact(text[:_LOOKED_AT], secrets)  # before the cut, which could leave the beginning of a secret
    return text if len(text) <= LIMIT else text[: LIMIT - 1] + "…"


def quoted(text: str, secrets: Iterable[str] | SecretSource = ()) -> str:
    """`: "text"` to end a message with, or nothing when nothing was said."""
    said = spoken(text, secrets)
    return f': "{said}"' if said else ""
