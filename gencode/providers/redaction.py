"""A server's own words, made fit to be shown."""

from __future__ import annotations

import re
from collections.abc import Sequence

LENGTH = 300  # characters; enough for the sentence that says what is wrong

_TAG = re.compile(r"<[^<>]{0,500}>")
_SECRET = re.compile(
    r"\b(?:sk|pk|rk|gsk|xai)-[\w*.\-]{4,}"  # as the big providers begin their keys; "*": half masked
    r"|\bBearer\s+\S+"
    r"|(?<=://)[^/\s@]+@",
    re.IGNORECASE,
)


def quote(text: str, secrets: Sequence[str] = ()) -> str:
    """One line of at most LENGTH characters: no secrets, no markup, nothing that cannot be printed."""
    for secret in secrets:
        text = text.replace(secret, "[redacted]")
    text = _SECRET.sub("[redacted]", text)
    text = _TAG.sub(" ", text)
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return text if len(text) <= LENGTH else text[: LENGTH - 3] + "..."
