"""From a model's words to values: a plan, a file's text."""

from __future__ import annotations

import json
import re
from typing import Any

from pydantic import ValidationError

from gencode.errors import LLMBadOutput
from gencode.pipelines.generate.artifacts import Plan
from gencode.tree import check_paths

_FENCE = re.compile(r"\A\s*(?P<mark>```+|~~~+)[^\n`]*\n(?P<body>.*?)\n?(?P=mark)\s*\Z", re.DOTALL)


def parse_plan(answer: str, *, workflows: bool = False) -> Plan:
    """The plan in a model's answer: bare JSON, fenced JSON, or JSON among prose.

    Raises LLMBadOutput (worth another attempt) when there is none, UnsafePath or UnsafeTree (not worth
    one) when it names files that must not be written.
    """
    plan = _plan(_json_object(answer))
    check_paths((file.path for file in plan.files), workflows=workflows)
    return plan


def unfence(text: str) -> str:
    """The text without one code fence that wraps all of it; fences inside a file stay."""
    match = _FENCE.match(text)
    if not match or _closes_early(match["body"], match["mark"]):
        return text
    return match["body"] + "\n"


def _json_object(answer: str) -> dict[str, Any]:
    decoder = json.JSONDecoder(parse_constant=_no_constant)
    for start in (m.start() for m in re.finditer(r"\{", answer)):
        try:
            value, _ = decoder.raw_decode(answer, start)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) and "files" in value:
            return value
    raise LLMBadOutput('the model\'s answer holds no plan (a JSON object with "files")')


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _plan(value: dict[str, Any]) -> Plan:
    try:
        plan = Plan.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise LLMBadOutput(f"the model's plan is malformed at {where}: {first['msg']}") from None
    return plan.model_copy(update={"files": tuple({file.path: file for file in plan.files}.values())})


def _closes_early(body: str, mark: str) -> bool:
    """Whether the fence ends before the end, so that what follows is the file's own (Markdown)."""
    fences = [line.strip() for line in body.splitlines() if line.lstrip().startswith(mark[:3])]
    opened = 0
    for fence in fences:
        if fence.strip(mark[0]):
            opened += 1
        elif opened:
            opened -= 1
        else:
            return True
    return False
