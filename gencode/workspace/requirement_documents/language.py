"""The language that a text is mainly in."""

from __future__ import annotations

import re

_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
_WORD = re.compile("[A-Za-z]+")
LOOKED_AT = 20_000
"""Characters."""


def language_of(text: str) -> str:
    """ "zh" if it has more Chinese characters than words in Latin letters, else "en"."""
    beginning = text[:LOOKED_AT]
    return "zh" if len(_HAN.findall(beginning)) > len(_WORD.findall(beginning)) else "en"
