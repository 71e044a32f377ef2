"""Answers to the prompts of tasks that ask for judgement: by rules, which say that they are rules.

The system message of such a prompt begins with a line that names its purpose:

    Task: code_review
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from gencode.embedded.offline import requirement_rules
from gencode.embedded.offline.blueprint_rules import answers as blueprint_rules
from gencode.embedded.offline.chat_rules import chat_answer
from gencode.embedded.offline.code_review.answer import check_answer, review_answer
from gencode.embedded.offline.hole_rules import build_hole
from gencode.embedded.offline.openai_protocol import ChatMessage
from gencode.embedded.offline.test_rules import test_generation

RuleAnswer = Callable[[Sequence[ChatMessage]], str]
"""From the messages of a prompt to the answer. Deterministic, and quick: it runs on the event loop."""

RULE_ANSWERS: Mapping[str, RuleAnswer] = {
    "blueprint_outline": blueprint_rules.outline,
    "blueprint_elements": blueprint_rules.elements,
    "blueprint_repair": blueprint_rules.repair,
    "chat": chat_answer,
    "requirement_analysis": requirement_rules.analysis,
    "requirement_contradictions": requirement_rules.contradictions,
    "code_review": review_answer,
    "code_review_check": check_answer,
    "test_generation": test_generation,
    "build_hole": build_hole,
}
"""By purpose."""

_LINE = "Task: "


def rule_answer(messages: Sequence[ChatMessage]) -> str | None:
    """The answer to a prompt of a known purpose, else None."""
    first = messages[0]
    line, _, _ = first.content.partition("\n")
    if first.role not in ("system", "developer") or not line.startswith(_LINE):
        return None
    answer = RULE_ANSWERS.get(line.removeprefix(_LINE).strip())
    return answer(messages) if answer else None
