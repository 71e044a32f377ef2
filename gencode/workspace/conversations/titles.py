"""The title of a conversation that was given none: the first sentence of its first message."""

from __future__ import annotations

import re

LENGTH = 60
_END = re.compile(r"(?<=[.!?])\s|(?<=[。！？])|[\r\n]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_SCANNED = 1000


def title_of(message: str) -> str:
    """At most LENGTH characters; a longer sentence is cut after a word, and ends with "…".

    "Why is the sky blue? I ask since ..." -> "Why is the sky blue?"
    """
    beginning = message.lstrip()[:_SCANNED]
    sentence = " ".join(_CONTROL.sub(" ", _END.split(beginning, maxsplit=1)[0]).split())
    if len(sentence) <= LENGTH:
        return sentence
    cut = sentence[: LENGTH - 1]
    words = cut.rpartition(" ")[0]
    return (words if len(words) > LENGTH // 2 else cut).rstrip() + "…"
