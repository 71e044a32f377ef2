"""Parses the plan in a model's answer."""

from __future__ import annotations

import json
import re
from itertools import islice
from typing import Any

from pydantic import ValidationError

from gencode.codegen.plan import Plan
from gencode.domain.errors import UnsafeTree
from gencode.domain.tree import MAX_FILES, check_paths
from gencode.llm.errors import LLMBadOutput

MAX_STARTS = 200
"""Braces that are tried as the start of the plan; it bounds the cost of an answer of nothing but braces."""


def parse_plan(answer: str, *, workflows: bool = False) -> Plan:
    """The plan in a model's answer: bare JSON, fenced JSON, or JSON among prose.

    Raises LLMBadOutput (another attempt may help) when there is none, UnsafePath or UnsafeTree (permanent)
    when it names files that must not be written.
    """
    plan = _validated(json_object(answer, "files"))
    check_paths((file.path for file in plan.files), workflows=workflows)
    return plan


def json_object(answer: str, key: str) -> dict[str, Any]:
    """The first JSON object in an answer that has this key. Raises LLMBadOutput."""
    decoder = json.JSONDecoder(parse_constant=_reject_constant)
    for start in (m.start() for m in islice(re.finditer(r"\{", answer), MAX_STARTS)):
        try:
            value, _ = decoder.raw_decode(answer, start)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) and key in value:
            return value
    raise LLMBadOutput(f'the model\'s answer holds no JSON object with "{key}"')


def _reject_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _validated(value: dict[str, Any]) -> Plan:
    if isinstance(value["files"], list) and len(value["files"]) > MAX_FILES:
        raise UnsafeTree(f"the plan has more than {MAX_FILES} files; ask for a smaller project")
    try:
        plan = Plan.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise LLMBadOutput(f"the model's plan is malformed at {where}: {first['msg']}") from None
    return plan.model_copy(update={"files": tuple({file.path: file for file in plan.files}.values())})
