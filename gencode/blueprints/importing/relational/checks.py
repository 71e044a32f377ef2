"""Simple checks become limits: `price >= 0`, `char_length(name) >= 3`, `status IN ('new', 'done')`,
`name IS NOT NULL`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from gencode.blueprints.importing.enumerations import enum_type

_NAME = r"[\"`\[]?(?P<name>\w+)[\"`\]]?"
_DIGITS = r"-?\d{1,19}(?:\.\d{1,19})?(?:e[-+]?\d{1,2})?"
_NUMBER = rf"'?(?P<number>{_DIGITS})'?(?:::\w+)?"
_LIMIT = re.compile(rf"{_NAME}(?:::\w+)?\s*(?P<sign>>=|<=|>|<)\s*{_NUMBER}\Z", re.I)
_LENGTH = re.compile(rf"(?:char_length|length|len)\s*\(\s*{_NAME}\s*\)\s*(?P<sign>>=|>)\s*{_NUMBER}\Z", re.I)
_BETWEEN = re.compile(rf"{_NAME}\s+BETWEEN\s+{_NUMBER}\s+AND\s+'?(?P<upper>{_DIGITS})'?\Z", re.I)
_IN = re.compile(rf"{_NAME}\s+IN\s*\((?P<values>[^()]*)\)\Z", re.I)
_TEXT = re.compile(r"\s*N?'((?:[^']|'')*)'\s*(,|\Z)")
_NOT_NULL = re.compile(
    rf"{_NAME}\s+IS\s+NOT\s+NULL\Z|NOT\s+\(?\s*[\"`\[]?(?P<other>\w+)[\"`\]]?\s+IS\s+NULL\s*\)?\Z", re.I
)
_AND = re.compile(r"\s+AND\s+", re.I)
_MAX_LENGTH = 2000
_WHOLE = frozenset({"integer", "bigint"})


def applied(check: str, fields: dict[str, dict[str, Any]]) -> bool:
    """Whether the check is now part of the fields (documents by column in lower case), which are changed."""
    text = _bare(check)
    if len(text) > _MAX_LENGTH:
        return False
    parts = [text] if _BETWEEN.match(text) else [_bare(part) for part in _AND.split(text)]
    found = [list(_changes(part, fields)) for part in parts]
    if not all(found):
        return False
    for field, changes in (one for part in found for one in part):
        field.update(changes)
    return True


def _bare(text: str) -> str:
    text = text.strip()
    while text.startswith("(") and _closes_at_end(text):
        text = text[1:-1].strip()
    return text


def _closes_at_end(text: str) -> bool:
    depth = 0
    for position, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return position == len(text) - 1
    return False


def _changes(part: str, fields: dict[str, dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for form, change in _FORMS:
        match = form.match(part)
        field = fields.get(_name_in(match)) if match else None
        if match and field is not None and (changes := change(match, field)):
            yield field, changes
            return


def _name_in(match: re.Match[str]) -> str:
    groups = match.groupdict()
    return (groups["name"] or groups["other"]).lower()


def _limit(match: re.Match[str], field: dict[str, Any]) -> dict[str, Any]:
    number, sign = float(match["number"]), match["sign"]
    if field["type"] not in {*_WHOLE, "decimal", "float"} or (sign in "<>" and field["type"] not in _WHOLE):
        return {}
    if sign in "<>":
        number += 1 if sign == ">" else -1
    return {"minimum" if ">" in sign else "maximum": number}


def _length(match: re.Match[str], field: dict[str, Any]) -> dict[str, Any]:
    number = float(match["number"]) + (match["sign"] == ">")
    if field["type"] not in ("string", "text") or not number.is_integer() or not 0 <= number <= 16_000:
        return {}
    return {"minLength": int(number)}


def _between(match: re.Match[str], field: dict[str, Any]) -> dict[str, Any]:
    if field["type"] not in {*_WHOLE, "decimal", "float"}:
        return {}
    return {"minimum": float(match["number"]), "maximum": float(match["upper"])}


def _values(match: re.Match[str], field: dict[str, Any]) -> dict[str, Any]:
    values, position, text = [], 0, match["values"]
    while position < len(text):
        one = _TEXT.match(text, position)
        if one is None:
            return {}
        values.append(one[1].replace("''", "'"))
        position = one.end()
    found = enum_type([(value, "") for value in dict.fromkeys(values)])
    if field["type"] != "string" or found is None:
        return {}
    field.pop("length", None)
    return found


def _required(_match: re.Match[str], _field: dict[str, Any]) -> dict[str, Any]:
    return {"required": True}


_FORMS = (
    (_LIMIT, _limit),
    (_LENGTH, _length),
    (_BETWEEN, _between),
    (_IN, _values),
    (_NOT_NULL, _required),
)
