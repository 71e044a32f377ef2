"""The offline model's answers to the prompts of `code_review`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from gencode.embedded.offline.code_review.line_rules import line_matches
from gencode.embedded.offline.code_review.python_rules import Match, python_matches
from gencode.embedded.offline.code_review.rule_texts import NOTE, RULES
from gencode.embedded.offline.code_review.shown_change import ShownFile, ShownLine, shown_files
from gencode.embedded.offline.openai_protocol import ChatMessage

MOST = 50
_CHINESE = "Write title and body in Chinese"


def review_answer(messages: Sequence[ChatMessage]) -> str:
    """The findings of the rules about the change in the last message."""
    prompt = messages[-1].content
    before_change = prompt.partition("<change>\n")[0]
    language = "zh" if _CHINESE in before_change else "en"
    found = [_finding(*match, language) for file in shown_files(prompt) for match in _matches(file)]
    listed = ",\n".join(json.dumps(one, ensure_ascii=False) for one in found[:MOST])  # a chunk for each
    return f'{{"findings": [{listed}]}}'


def check_answer(messages: Sequence[ChatMessage]) -> str:
    """Rules do not doubt themselves: no score is given, so that all findings stay."""
    return json.dumps({"scores": []})


def _matches(file: ShownFile) -> Iterator[tuple[ShownFile, ShownLine, str]]:
    for lines in file.hunks:
        found: list[Match] = line_matches(file.path, lines)
        if file.path.endswith((".py", ".pyi")):
            found += python_matches(file.path, lines)
        for rule, at in sorted(set(found), key=lambda match: (match[1], match[0])):
            if 0 <= at < len(lines) and lines[at].is_added:
                yield file, lines[at], rule


def _finding(file: ShownFile, line: ShownLine, rule: str, language: str) -> dict[str, Any]:
    text = RULES[rule]
    return {
        "path": file.path,
        "anchor": line.anchor,
        "end_anchor": None,
        "quote": line.text[:200],
        "severity": text.severity,
        "category": text.category,
        "title": text.title[language],
        "body": f"{text.body[language]}\n\n{NOTE[language].format(rule=rule)}",
        "suggestion": _suggestion(line, rule),
        "confidence": 0.9,
    }


def _suggestion(line: ShownLine, rule: str) -> str | None:
    """Where the right text is certain."""
    text = line.text
    if rule != "none-comparison" or text.count("None") != 1 or not line.is_whole:
        return None
    return text.replace("== None", "is None").replace("!= None", "is not None")
