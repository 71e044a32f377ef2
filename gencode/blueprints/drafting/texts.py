"""Texts, names and flags as models write them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gencode.blueprints.identifiers import is_identifier, pascal, proposed

MAX_NAME, MAX_LABEL, MAX_DESCRIPTION = 200, 200, 4000
_UNSTORABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_TRUE = frozenset({"true", "yes", "y", "1", "required", "not null", "是", "必填", "唯一", "对", "真"})


def text_of(value: Any, longest: int = MAX_LABEL) -> str:
    """One line; "" for what is no text or number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return " ".join(_UNSTORABLE.sub("", str(value)).split())[:longest]


def first_text(value: Mapping[str, Any], *names: str, longest: int = MAX_LABEL) -> str:
    return next((text for name in names if (text := text_of(value.get(name), longest))), "")


def flag(value: Any) -> bool:
    if isinstance(value, bool | int | float):
        return bool(value)
    return isinstance(value, str) and value.strip().casefold() in _TRUE


def identifier(text: str, *, is_class: bool = False) -> str:
    """The text if it is an identifier, else one that is proposed for it: "../../x" is "x"."""
    if is_identifier(text):
        return text
    name = proposed(text, suffix="item")
    return pascal(name) if is_class else name


def numbers(value: Any, low: int, high: int) -> int | None:
    """A whole number within the bounds; None for anything else."""
    if isinstance(value, str) and re.fullmatch(r"\s*\d{1,9}\s*", value, re.ASCII):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        return None
    return int(value) if low <= value <= high else None
