"""Chooses a language by an Accept-Language header (RFC 9110, 12.5.4)."""

from __future__ import annotations

import re
from collections.abc import Sequence

_WEIGHT = re.compile(r"\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*", re.IGNORECASE | re.ASCII)
_REFUSED, _NOT_NAMED = -1.0, 0.0


def preferred_language(header: str, languages: Sequence[str], default: str) -> str:
    """The one of `languages` with the highest weight; of several, the first in the header. `zh-CN` counts as
    `zh`. A language with the weight 0 is refused; `default` is for a header that names none.

    Example: of en and zh, `en;q=0.1,zh;q=0.9` prefers zh, and so does `en;q=0`.
    """
    if not header:
        return default
    weights: dict[str, float] = {}
    for entry in header.split(","):
        tag, _, parameters = entry.partition(";")
        primary, weight = tag.strip().lower().partition("-")[0], _weight(parameters)
        weights[primary] = max(weight, weights.get(primary, _REFUSED))
    candidates = [*(name for name in weights if name in languages), default, *languages]
    return max(candidates, key=lambda name: weights.get(name, weights.get("*", _NOT_NAMED)))


def _weight(parameters: str) -> float:
    """The weight of an entry; 1 if it is absent or malformed."""
    found = next(filter(None, map(_WEIGHT.fullmatch, parameters.split(";"))), None)
    return (float(found[1]) or _REFUSED) if found else 1.0
