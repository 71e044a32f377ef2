"""Answers to `build_hole` by rules: a business flow is written if every step is one that the rules know.

    Load the order by order_id          order = find(session, Order, parameters["order_id"])
    Check that status is new            if order.status != "new": raise HTTPException(409, ...)
    Set status to shipped               order.status = "shipped"
    Set shipped_at to now               order.shipped_at = datetime.now(UTC)

A step that the rules do not know is not guessed: the flow stays unwritten, and the answer says which step it
was.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gencode.embedded.offline.openai_protocol import ChatMessage

_REQUEST = re.compile(r"^Request: (\{.*\})$", re.MULTILINE)
_LOAD = re.compile(r"(?:load|find|get|read|look up|fetch)\b.*|(?:加载|读取|查找|查询|获取).*", re.IGNORECASE)
_SET = re.compile(
    r"(?:set|change|update|mark)\s+(?:the\s+|its\s+)?(?P<field>\w+)\s+(?:to|as)\s+(?P<value>[\w.-]+)\.?"
    r"|(?:将|把)?\s*(?P<field_zh>\w+?)\s*(?:设为|设置为|改为|更新为)\s*(?P<value_zh>[\w.-]+)。?",
    re.IGNORECASE,
)
_CHECK = re.compile(
    r"(?:check|require|ensure|make sure)(?:\s+that)?\s+(?:the\s+|its\s+)?(?P<field>\w+)\s+is\s+"
    r"(?P<not>not\s+)?(?P<value>[\w.-]+)\.?",
    re.IGNORECASE,
)
_REST = re.compile(r"(?:save|commit|store|return)\b.*|(?:保存|提交|返回).*", re.IGNORECASE)
_NUMBERS = ("integer", "bigint", "float")


class _Unknown(Exception):
    """A step that no rule knows."""


def build_hole(messages: Sequence[ChatMessage]) -> str:
    """The body; a line that says why there is none."""
    content = next((message.content for message in messages if message.role == "user"), "")
    request = _REQUEST.search(content)
    try:
        asked = json.loads(request.group(1)) if request else {}
        return _body(asked)
    except (ValueError, KeyError, TypeError):
        return "# not written: the rules of the offline model cannot read the request"
    except _Unknown as unknown:
        return f"# not written: the offline model has rules in place of judgement, and none for: {unknown}"


def _body(asked: Mapping[str, Any]) -> str:
    model, steps = asked["model"], [" ".join(str(step).split()) for step in asked["steps"]]
    if not model or not steps:
        raise _Unknown("a flow without a data model or without steps")
    fields = {str(field["name"]): field for field in asked["fields"]}
    if not any(_LOAD.fullmatch(step) for step in steps):
        raise _Unknown("a flow that loads no record")
    lines = [f"record = find(session, {model}, {_identifier(asked, str(model))})"]
    imports = [f"from app.models import {model}", "from app.api.records import find"]
    for step in steps:
        lines += _step(step, fields, imports)
    lines += ["session.commit()", f"return {_answer(fields)}"]
    return "\n".join([*dict.fromkeys(imports), "", *lines]) + "\n"


def _identifier(asked: Mapping[str, Any], model: str) -> str:
    """The parameter that names the record."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", model).lower()
    given = [one for call in asked["calls"] for one in call["parameters"]]
    of_path = [
        str(one["name"]) for one in given if one["in"] == "path" and one["type"] in ("integer", "bigint")
    ]
    name = of_path[0] if of_path else f"{snake}_id"
    return f'parameters["{name}"]' if of_path else f'int(parameters["{name}"])'


def _step(step: str, fields: Mapping[str, Any], imports: list[str]) -> list[str]:
    if _LOAD.fullmatch(step) or _REST.fullmatch(step):
        return []
    if found := _CHECK.fullmatch(step):
        imports.append("from fastapi import HTTPException")
        value = _literal(found["value"], _field(found["field"], fields, step), step, imports)
        sign, how = ("==", "must not be") if found["not"] else ("!=", "must be")
        detail = json.dumps(f"{found['field'].lower()} {how} {found['value']}")
        return [
            f"if record.{found['field'].lower()} {sign} {value}:",
            f"    raise HTTPException(409, {detail})",
        ]
    if found := _SET.fullmatch(step):
        name = (found["field"] or found["field_zh"]).lower()
        value = found["value"] or found["value_zh"]
        return [f"record.{name} = {_literal(value, _field(name, fields, step), step, imports)}"]
    raise _Unknown(step[:200])


def _field(name: str, fields: Mapping[str, Any], step: str) -> Mapping[str, Any]:
    if name.lower() not in fields:
        raise _Unknown(step[:200])
    found: Mapping[str, Any] = fields[name.lower()]
    return found


def _literal(value: str, field: Mapping[str, Any], step: str, imports: list[str]) -> str:
    write: Callable[[], str | None] | None = {
        "enum": lambda: json.dumps(value) if value in field.get("values", ()) else None,
        "string": lambda: json.dumps(value),
        "text": lambda: json.dumps(value),
        "boolean": lambda: value.capitalize() if value.lower() in ("true", "false") else None,
        **dict.fromkeys(_NUMBERS, lambda: value if re.fullmatch(r"-?\d{1,9}", value) else None),
    }.get(str(field["type"]))
    if field["type"] == "datetime" and value.lower() == "now":
        imports.append("from datetime import UTC, datetime")
        return "datetime.now(UTC)"
    if not write or (text := write()) is None:
        raise _Unknown(step[:200])
    return text


def _answer(fields: Mapping[str, Any]) -> str:
    """The id, and what JSON can say without a conversion."""
    plain = [
        name for name, field in fields.items() if field["type"] in ("string", "enum", "integer", "boolean")
    ]
    return "{" + ", ".join(['"id": record.id', *(f'"{name}": record.{name}' for name in plain)]) + "}"
