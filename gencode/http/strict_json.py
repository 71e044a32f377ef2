"""Parses JSON strictly and validates it by a model; both fail with errors that name the broken rule."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from gencode.domain.errors import Invalid, Malformed
from gencode.domain.phrase import Phrase
from gencode.resilience.json_value_count import has_more_values, without_strings

MAX_LISTED_ERRORS = 1000
"""A body of one megabyte can break half a million rules; listing them would take seconds, for a response
forty times as large."""
MAX_VALUES = 40_000
"""Values in one body. The largest plan (2,000 files) has some 24,000. Parser and validator hold the
interpreter lock, so that other requests wait also while they run in a thread: 340,000 wrong values took 600
ms."""
MAX_DIGITS = 1000
"""The most digits of an integer. Python's own limit is 4,300, and its message names Python functions."""
_NO_OBJECT = "Input should be a JSON object"
_MESSAGES = {"model_type": _NO_OBJECT, "model_attributes_type": _NO_OBJECT, "dict_type": _NO_OBJECT}
"""Messages by the type of the validation error; they replace pydantic's, which mention Python classes."""
M = TypeVar("M", bound=BaseModel)


def parse(model: type[M], body: bytes, pattern_messages: Mapping[str, str] | None = None) -> M:
    """Parses and validates a JSON body. Raises Malformed, Invalid."""
    return validate(model, parse_json(body), pattern_messages)


def parse_json(body: bytes) -> Any:
    """JSON whose objects have no repeated keys, without NaN and Infinity; byte order marks before it are
    ignored (RFC 8259, 8.1). Raises Malformed, and Invalid for more than MAX_VALUES values."""
    check_values(body)
    try:
        return _DECODER.decode(body.decode().lstrip("\ufeff"))
    except UnicodeDecodeError:
        raise Malformed("the body is not JSON: it is not UTF-8") from None
    except RecursionError:
        raise Malformed("the body is not JSON that can be read: it is nested too deeply") from None
    except ValueError as error:
        said = error.args[0] if isinstance(error.args[0], Phrase) else str(error)[:200]
        raise Malformed(Phrase("the body is not JSON: {error}", error=said)) from None


def validate(model: type[M], value: Any, pattern_messages: Mapping[str, str] | None = None) -> M:
    """`pattern_messages`: by field, what its pattern asks for in plain language, in place of the regular
    expression. Raises Invalid, which names each field and the rule it breaks."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise _invalid(error, pattern_messages or {}) from None


def _invalid(error: ValidationError, pattern_messages: Mapping[str, str]) -> Invalid:
    if (count := error.error_count()) > MAX_LISTED_ERRORS:
        rule = Phrase(
            "it breaks {count} rules, too many to list: /docs has the shape that is meant", count=count
        )
        return Invalid.of("body", "too_many", rule)
    problems = [
        _problem(item, pattern_messages) for item in error.errors(include_url=False, include_input=False)
    ]
    listed = "; ".join(f"{problem['field']}: {problem['message']}" for problem in problems[:5])
    return Invalid(listed, problems)


def _problem(item: Any, pattern_messages: Mapping[str, str]) -> dict[str, str]:
    field = ".".join(str(part) for part in item["loc"]) or "body"
    message = _MESSAGES.get(item["type"]) or _message(item)
    if item["type"] == "string_pattern_mismatch":
        message = pattern_messages.get(field, message)
    return {"field": field[:200], "rule": str(item["type"]), "message": message}


def _message(item: Any) -> str:
    """Of our own check, as it is; of a rule of pydantic's, with its type as the template."""
    context = item.get("ctx", {})
    if item["type"] == "value_error" and (said := context["error"].args):
        return said[0] if isinstance(said[0], str) else str(said[0])
    if "expected" in context:  # such as "'en' or 'zh'"
        context = {**context, "expected": str(context["expected"]).replace(" or ", ", ")}
    return Phrase.told(str(item["msg"]), str(item["type"]), context)


def check_values(body: bytes) -> None:
    """Checks a JSON body before it is parsed. Raises Malformed, and Invalid for more than MAX_VALUES
    values."""
    if not has_more_values(body, MAX_VALUES):
        return
    structure = without_strings(body)
    if structure.count(b"[") != structure.count(b"]") or structure.count(b"{") != structure.count(b"}"):
        raise Malformed("the body is not JSON: its brackets do not match")
    rule = Phrase(
        "it has more than {max_values} values: /docs has the shape that is meant", max_values=MAX_VALUES
    )
    raise Invalid.of("body", "too_many", rule)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError(Phrase("a key stands twice in one object"))
    return found


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(Phrase("an integer has more than {most} digits", most=MAX_DIGITS))
    return int(digits)


def _no_constant(name: str) -> Any:
    raise ValueError(Phrase("{name} is not a JSON value", name=name))


_DECODER = json.JSONDecoder(object_pairs_hook=_unique_keys, parse_constant=_no_constant, parse_int=_integer)
"""One for all bodies: json.loads would make one for each."""
