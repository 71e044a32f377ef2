"""Reads from a rejected request how many tokens an answer may have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gencode.llm.streaming.requests import MIN_TOKENS

_FIELD = re.compile(
    r"max_(?:completion_|new_|output_)?tokens|maximum (?:(?:output|completion) )?tokens", re.I
)
_ALLOWED = re.compile(
    r"(?:at most|up to|<=|(?:less|lower) than or equal to|no (?:more|greater) than|cannot exceed"
    r"|maximum(?: value)?(?: is| of)|model limit of|between 1 and|\[ ?[0-9]{1,3} ?,|[0-9] > )"
    r"[^0-9\n]{0,20}([0-9]{2,7}|[0-9]{1,3}(?:,[0-9]{3}){1,2})\b",
    re.IGNORECASE,
)
_WINDOW = re.compile(r"maximum context length (?:is|of) ([0-9]{2,8})\b", re.IGNORECASE)
_PROMPT = re.compile(
    r"\b([0-9]{1,8}) (?:in the messages|(?:`inputs`|input) tokens|tokens from the input|of text input)",
    re.IGNORECASE,
)
_SUM = re.compile(
    r"context limit: (?P<prompt>[0-9]{1,8}) \+ [0-9]{1,8} > (?P<window>[0-9]{2,8})\b"
    r"|`max_new_tokens` must be <= (?P<most>[0-9]{2,8})\. Given: (?P<given>[0-9]{1,8}) `inputs`",
    re.IGNORECASE,
)
_MAX_WORDS = 4000  # characters of a message that are searched


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenLimit:
    """`of_model`: it holds for every call; otherwise only beside this call's prompt."""

    tokens: int
    of_model: bool


def token_limit(error: Mapping[str, Any], asked: int) -> TokenLimit | None:
    """The limit that an error names, if it is lower than what was `asked`."""
    text = str(error.get("message"))[:_MAX_WORDS]
    limits = (_of_window(text), _of_model(text, str(error.get("param"))))
    return next((limit for limit in limits if limit and MIN_TOKENS <= limit.tokens < asked), None)


def _of_window(text: str) -> TokenLimit | None:
    if found := _SUM.search(text):
        limit = int(found["window"] or found["most"]) - int(found["prompt"] or found["given"])
        return TokenLimit(tokens=limit, of_model=False)
    window, prompt = _WINDOW.search(text), _PROMPT.search(text)
    return TokenLimit(tokens=int(window[1]) - int(prompt[1]), of_model=False) if window and prompt else None


def _of_model(text: str, param: str) -> TokenLimit | None:
    if not _FIELD.search(f"{param} {text}") or _WINDOW.search(text):
        return None
    found = _ALLOWED.search(text)
    return TokenLimit(tokens=int(found[1].replace(",", "")), of_model=True) if found else None
