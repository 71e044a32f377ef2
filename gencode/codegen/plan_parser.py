"""Parses the plan in a model's answer."""

from __future__ import annotations

import json
import re
from typing import Any

from gencode.codegen.lenient_json import find_list, find_object, find_objects
from gencode.codegen.plan import Plan
from gencode.codegen.plan_decoder import ELIDED, read_plan
from gencode.domain.tree import check_paths
from gencode.llm.errors import LLMBadOutput, LLMTooLarge

_ELISION = re.compile(
    r"^[^\S\n]*(?://|#|/\*)[^\S\n]*(?:\.{3}|…|(?:and )?(?:more|other) files\b)", re.MULTILINE
)
MAX_ANSWER = 1_000_000
"""Characters; 2,000 files take half of them."""


def parse_plan(answer: str, *, workflows: bool = False) -> Plan:
    """The plan in a model's answer: bare JSON, fenced JSON, or JSON among prose.

    Raises LLMBadOutput (another attempt may help) when there is none, UnsafePath or UnsafeTree (permanent)
    when it names files that must not be written, LLMTooLarge.
    """
    if len(answer) > MAX_ANSWER:
        raise LLMTooLarge(f"the plan has {len(answer)} characters; ask for a smaller project")
    value = _only_plan(answer) or {"files": find_list(answer)}
    if value["files"] is None:
        raise LLMBadOutput('the model\'s answer holds no JSON object with "files"')
    if _is_elided(answer):
        raise LLMBadOutput("the model's plan leaves out files with a comment", for_model=ELIDED)
    plan = read_plan(value, workflows=workflows)
    check_paths((file.path for file in plan.files), workflows=workflows)
    return plan


def _only_plan(answer: str) -> dict[str, Any] | None:
    """The object with "files". Raises LLMBadOutput for several that differ: the first may be a draft, and the
    last a correction of a part."""
    found = list(find_objects(answer, "files"))
    if any(other != found[0] for other in found):
        raise LLMBadOutput(
            "the model's answer holds several plans that differ",
            for_model="it held several JSON objects that differ. Answer with one, the whole plan.",
        )
    return found[0] if found else None


def _is_elided(answer: str) -> bool:
    """Whether a comment in JSON stands for entries: "// ... more files"."""
    if not _ELISION.search(answer):
        return False
    try:
        json.loads(answer)
    except (ValueError, RecursionError):
        return True
    return False


def json_object(answer: str, key: str) -> dict[str, Any]:
    """The first JSON object in an answer that has this key. Raises LLMBadOutput."""
    if len(answer) <= MAX_ANSWER and (found := find_object(answer, key)):
        return found
    raise LLMBadOutput(f'the model\'s answer holds no JSON object with "{key}"')
