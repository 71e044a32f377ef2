"""What the model answers: one JSON object a line, which is read leniently. Objects may also stand in a code
fence, in a list, or in a whole blueprint; reasoning before them is passed over."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict

from gencode.blueprints.drafting import Entry, said_entries
from gencode.codegen.lenient_json import NotJson, read_value
from gencode.llm.errors import LLMBadOutput
from gencode.llm.session import Answer

MAX_TEXT = 400_000
"""Characters of an answer."""
MAX_ENTRIES = 1000
_MAX_FAILURES = 200
_MAX_STRICT = 20
_WORK_PER_CHARACTER = 8
_BRACKET = re.compile(r"[\[{]")


class Said(BaseModel):
    """is_cut    the answer ended before the model was done: what is here is whole
    by_rules  the offline model made it
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    entries: list[Entry]
    is_cut: bool = False
    by_rules: bool = False


def read_said(answer: Answer) -> Said:
    """Raises LLMBadOutput for an answer that says nothing, not even {"kind": "none"}."""
    entries: list[Entry] = []
    says_none = by_rules = False
    for value in _values(answer.text):
        if isinstance(value, dict):
            says_none = says_none or value.get("kind") == "none"
            by_rules = by_rules or value.get("made_by") == "rules"
        entries.extend(said_entries(value)[: MAX_ENTRIES - len(entries)])
        if len(entries) >= MAX_ENTRIES:
            break
    if not entries and not says_none:
        raise LLMBadOutput(
            "the answer has no element of a blueprint",
            for_model='Answer with JSON objects only, one on each line, such as {"kind": "entity", "name": '
            '"Order", ...}, and nothing else.',
        )
    return Said(entries=entries, is_cut=answer.truncated, by_rules=by_rules)


def _values(text: str) -> Iterator[Any]:
    """Every object and list, apart from those within another one that could be read."""
    found, failures, work = _BRACKET.search(text), 0, _WORK_PER_CHARACTER * len(text)
    while found and work > 0 and failures < _MAX_FAILURES:
        at = found.start()
        try:
            value, end = read_value(text, at, strict_first=failures < _MAX_STRICT)
        except NotJson as error:
            failures, work, end = failures + 1, work - (error.position - at), at + 1
        else:
            yield value
        found = _BRACKET.search(text, end)
