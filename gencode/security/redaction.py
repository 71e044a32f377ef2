"""Removes secrets from text that is logged, stored or shown.

Known secrets are redacted, and so is text that looks like a secret, because another server may echo a secret
that is not ours. In doubt text is redacted, but messages such as "token expired" or "no GITHUB_TOKEN is set"
contain no secret and must stay readable.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import pairwise

SecretSource = Callable[[], Iterable[str]]
"""Returns the secrets that are valid at the time of the call."""

REDACTED = "[redacted]"
MIN_SECRET_LENGTH = 8
"""Characters. Shorter secrets are not redacted: with an API key "x", "maximum" became "ma[redacted]imum"."""
MAX_CHARACTERS = 500  # the reason of a push rejection of GitHub is in its first lines
_MAX_INPUT = 32 * MAX_CHARACTERS
"""Characters that are searched for secrets; another server may send millions."""

_MAX_MARKUP = 8 * _MAX_INPUT
"""Characters that are searched for markup."""

_UNSEEN = re.compile(r"<(script|style)\b[^<>]{0,500}>.*?(?:</\1>|\Z)", re.IGNORECASE | re.DOTALL)
"""What a page does not show."""
_TAG = re.compile(r"</?[a-z!][^<>]{0,500}>", re.IGNORECASE)

# Each pattern consumes what it has examined, even if that is no secret. So the time is linear in the length,
# also for a text that only repeats the beginning of a secret ("sk-sk-sk-...").
_CREDENTIAL = re.compile(r"(?i:\b(?:bearer|basic|token)[ ]++|\bx-access-token:)(?P<word>[^\s\"',;]{8,}+)")
_DOTTED = re.compile(r"\beyJ[\w-]*+(?:\.[\w-]*+)*+")
_MODEL_KEY = re.compile(r"\b(?:sk|pk|rk|gsk|xai)-[\w*.-]{4,}+")
_CASE_CHANGE = re.compile(r"[a-z][A-Z]")
_OTHER_SECRETS = re.compile(
    r"""
    \b(?:gh[a-z]|gck|github_pat|glpat|npm|hf|[sr]k_(?:live|test))[_-]\w{8,}+  # GitHub's, GitLab's, npm's, ...
    | \bA[KS]IA[0-9A-Z]{16} | \bAIza[\w-]{30,}+ | \bxox[a-z]-[\w-]{8,}+  # AWS', Google's, Slack's
    | (?<=://)[^/\s"'<>]+(?=@)                                 # user:password of a URL
    | (?i:(?<=[?&]key=)|(?<=[?&]token=)|(?<=[?&]ticket=)|(?<=_token=)|(?<=_key=)|(?<=_secret=))[^&\s"']{8,}+
    """,
    re.VERBOSE,
)


def redact(text: str, secrets: Iterable[str] | SecretSource = ()) -> str:
    """The text with `secrets`, and whatever looks like one, replaced by REDACTED.

    A secret shorter than MIN_SECRET_LENGTH is not replaced, because ordinary words may contain it. (It is
    still replaced in the place of a credential, as in a URL.)
    """
    known = secrets() if callable(secrets) else secrets
    for secret in sorted(known, key=len, reverse=True):
        if len(secret) < MIN_SECRET_LENGTH:
            break
        text = text.replace(secret, REDACTED)
    text = _CREDENTIAL.sub(lambda found: _redacted_if(_is_credential(found["word"]), found), text)
    text = _DOTTED.sub(lambda found: _redacted_if(_is_web_token(found[0]), found), text)
    text = _MODEL_KEY.sub(lambda found: _redacted_if(_has_digit(found[0]), found), text)
    return _OTHER_SECRETS.sub(REDACTED, text)


def _redacted_if(is_secret: bool, found: re.Match[str]) -> str:
    return REDACTED if is_secret else found[0]


def _is_credential(word: str) -> bool:
    """A word after "bearer", "basic" or "token" counts if it has a digit, changes case twice or is padded."""
    return "=" in word or _has_digit(word) or len(_CASE_CHANGE.findall(word)) > 1


def _is_web_token(dotted: str) -> bool:
    """A JSON Web Token has three parts, the last of which may be empty."""
    parts = dotted.split(".")
    return any("eyJ" in head and len(head) > 10 and body for head, body in pairwise(parts[:-1]))


def _has_digit(key: str) -> bool:
    """Keys of model providers contain a digit; a partly masked key contains "*"."""
    return "*" in key or any(map(str.isdigit, key))


def sanitize(text: str, secrets: Iterable[str] | SecretSource = ()) -> str:
    """Text of another server as one printable line of at most MAX_CHARACTERS without markup and secrets."""
    text = _TAG.sub(" ", _UNSEEN.sub(" ", _beginning(text)))
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    text = redact(text[:_MAX_INPUT], secrets)  # before the cut, which could leave the beginning of a secret
    return text if len(text) <= MAX_CHARACTERS else text[: MAX_CHARACTERS - 1] + "…"


def _beginning(text: str) -> str:
    """The part that is searched, without the word at the cut, which may be the beginning of a secret."""
    if len(text) <= _MAX_MARKUP:
        return text
    return text[:_MAX_MARKUP].rpartition(" ")[0]


def quoted(text: str, secrets: Iterable[str] | SecretSource = ()) -> str:
    """The sanitised text as `: "text"`, to end a message with; "" if nothing is left of it."""
    line = sanitize(text, secrets)
    return f': "{line}"' if line else ""
