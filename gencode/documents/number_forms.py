"""Numbers as Word writes them: roman, Chinese, letters; names of forms are those of ST_NumberFormat."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

_CHINESE = "〇一二三四五六七八九"
_CHINESE_UNITS = ("", "十", "百", "千")
_ROMAN = (
    (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"),
    (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
)  # fmt: skip


def number_in_form(number: int, form: str) -> str:
    """In digits if the form is unknown."""
    return _FORMS.get(form, str)(number)


def _letters(number: int) -> str:
    """a to z, aa to zz, aaa, ..."""
    return chr(ord("a") + (number - 1) % 26) * min((number - 1) // 26 + 1, 9) if number > 0 else str(number)


def _roman(number: int) -> str:
    if not 0 < number < 4000:
        return str(number)
    text = ""
    for value, letters in _ROMAN:
        text += letters * (number // value)
        number %= value
    return text


def _chinese(number: int) -> str:
    if not 0 < number < 10_000:
        return str(number)
    digits = [int(digit) for digit in reversed(str(number))]
    text = ""
    for digit, unit in zip(reversed(digits), reversed(_CHINESE_UNITS[: len(digits)]), strict=True):
        text += _CHINESE[digit] + unit if digit else "零"
    text = re.sub("零+", "零", text).rstrip("零")
    return text.removeprefix("一") if text.startswith("一十") else text


def _circled(number: int) -> str:
    return chr(0x2460 + number - 1) if 0 < number <= 20 else str(number)


_FORMS: Mapping[str, Callable[[int], str]] = {
    "lowerLetter": _letters,
    "upperLetter": lambda number: _letters(number).upper(),
    "lowerRoman": lambda number: _roman(number).lower(),
    "upperRoman": _roman,
    "decimalZero": lambda number: f"{number:02}",
    "decimalEnclosedCircle": _circled,
    "decimalEnclosedCircleChinese": _circled,
    **dict.fromkeys(
        ["chineseCounting", "chineseCountingThousand", "taiwaneseCountingThousand", "japaneseCounting"],
        _chinese,
    ),
}
