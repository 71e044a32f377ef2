"""Parses the plan in a model's answer."""

from __future__ import annotations

from typing import Any

from gencode.codegen.lenient_json import find_list, find_object
from gencode.codegen.plan import Plan
from gencode.codegen.plan_decoder import read_plan
from gencode.domain.tree import check_paths
from gencode.llm.errors import LLMBadOutput, LLMTooLarge

MAX_ANSWER = 1_000_000
"""Characters; 2,000 files take half of them."""


def parse_plan(answer: str, *, workflows: bool = False) -> Plan:
    """The plan in a model's answer: bare JSON, fenced JSON, or JSON among prose.

    Raises LLMBadOutput (another attempt may help) when there is none, UnsafePath or UnsafeTree (permanent)
    when it names files that must not be written, LLMTooLarge.
    """
    if len(answer) > MAX_ANSWER:
        raise LLMTooLarge(f"the plan has {len(answer)} characters; ask for a smaller project")
    value = find_object(answer, "files") or {"files": find_list(answer)}
    if value["files"] is None:
        raise LLMBadOutput('the model\'s answer holds no JSON object with "files"')
    plan = read_plan(value, workflows=workflows)
    check_paths((file.path for file in plan.files), workflows=workflows)
    return plan


def json_object(answer: str, key: str) -> dict[str, Any]:
    """The first JSON object in an answer that has this key. Raises LLMBadOutput."""
    if len(answer) <= MAX_ANSWER and (found := find_object(answer, key)):
        return found
    raise LLMBadOutput(f'the model\'s answer holds no JSON object with "{key}"')
