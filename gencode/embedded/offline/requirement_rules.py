"""Requirements by rules, in English and Chinese: what the words say, without understanding them.

a sentence with must, shall, should, 必须, 应, 需要 ...     is a requirement
a number with its unit                                    is an acceptance criterion
a vague word (fast, user-friendly, 尽快, 友好)              is an open question
the same sentence with and without "not", or with
another number                                            is a contradiction
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gencode.embedded.offline.openai_protocol import ChatMessage

MAX_LINE = 4000
"""Characters; the rest of a longer line is another line."""
_MARKED = re.compile(r"<<<(\w+)\n(.*)\n\1>>>", re.DOTALL)
_MARKER = re.compile(
    r"^\s*(?:[-*+•]\s+|\d+(?:\.\d+)+[.)、]?\s+|\d+(?:[.)]\s+|、\s*)|[（(]\d+[)）]\s*|>\s*|\|\s*)"
)
_SENTENCE = re.compile(r"(?:\b(?:e\.g|i\.e|approx)\.|[^.!?。！？；;|]|\.(?=\S))+[.!?。！？；;]?")
_MUST = re.compile(
    r"\b(?:must|shall|should|has to|have to|needs? to|(?:is|are) required to|(?:is|are) not allowed)\b"
    r"|(?<![无胡])须(?!知)|应当|应该|需要|不得|禁止|不允许|不能|不可(?![避思否或])|务必|(?<![反响适相供对回])应(?![用急答对变聘征])|(?<![必仅只])需(?!求|要)",
    re.IGNORECASE,
)
_NO_UNIT = "and|or|for|of|in|at|to|with|within|on|by|if|when|after|before|is|are|must|shall|should|the|than"
_UNIT = rf"(?!(?:{_NO_UNIT})\b)[A-Za-z]+"
_VALUE = re.compile(
    rf"(?<![A-Za-z0-9_.])\d+(?:[.,]\d+)*\s*(?:%|％|{_UNIT}(?:[ /-]{_UNIT})?"
    r"|毫秒|秒|分钟|小时|天|日|周|个月|月|年|次|个|人|条|位|字|万|元|页|倍|台|种|级|[KMGT]?B)"
)
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_VAGUE = re.compile(
    r"\b(?:fast|quick(?:ly)?|user[- ]friendly|easy|easily|simple|intuitive|efficient(?:ly)?|flexible|robust"
    r"|reliable|as soon as possible|appropriate(?:ly)?|adequate|reasonable|modern|etc|and so on|TBD)\b"
    r"|尽快|友好|快速|方便|便捷|简单|灵活|稳定|高效|合理|适当|适量|等等|美观|易用|及时|大量|若干|待定|尽可能|良好",
    re.IGNORECASE,
)
_CONSTRAINT = re.compile(
    r"\b(?:comply|complies|standard|licen[cs]e|compatible|only|budget|deadline|must not use|based on)\b"
    r"|只能|仅能|不得使用|遵循|遵守|符合|兼容|标准|预算|基于|截止",
    re.IGNORECASE,
)
_QUALITY = re.compile(
    r"\b(?:ms|milliseconds?|seconds?|performance|availab\w+|uptime|secur\w+|encrypt\w+|concurrent\w*|latency"
    r"|throughput|response time|usab\w+|accessib\w+|backup)\b"
    r"|性能|并发|可用性|安全|加密|毫秒|秒|延迟|吞吐|响应时间|备份|易用|友好|可靠",
    re.IGNORECASE,
)
_NOT = re.compile(
    r"\b(?:must|shall|should|may|can|do|does|is|are) not\b|\bcannot\b|\bnever\b"
    r"|不得|禁止|不允许|不能|不应该|不应当|不应|不可以|不可|不需要|无需",
    re.IGNORECASE,
)
_MODAL = re.compile(
    r"\b(?:must|shall|should|may|can|has to|have to|needs? to|not|cannot|never|allowed|be|is|are|the|an?)\b"
    r"|必须|应当|应该|需要|不得|禁止|不允许|不能|不应该|不应当|不应|不可以|不可|不需要|无需|应|须|允许|可以|需|能",
    re.IGNORECASE,
)
_HAN = re.compile("[\u4e00-\u9fff]")
_FORBIDS = ("one demands what the other forbids", "一条要求的内容被另一条禁止")
_OTHER_NUMBERS = ("the same with other numbers", "同一要求的数值不同")


def analysis(messages: Sequence[ChatMessage]) -> str:
    """The requirements of a part of a document."""
    found = [_requirement(sentence) for sentence in _sentences(_given(messages)) if _MUST.search(sentence)]
    return json.dumps(
        {"made_by": "rules", "requirements": found, "open_questions": []}, ensure_ascii=False, indent=1
    )


def contradictions(messages: Sequence[ChatMessage]) -> str:
    """Pairs of a list of requirements."""
    listed = [line.partition(": ") for line in _given(messages).split("\n")]
    numbered = [(int(number), text) for number, _, text in listed if number.isdecimal() and text]
    return json.dumps(
        {"made_by": "rules", "contradictions": list(_pairs(numbered))}, ensure_ascii=False, indent=1
    )


def _given(messages: Sequence[ChatMessage]) -> str:
    found = _MARKED.search(messages[-1].content)
    return found[2] if found else ""


def _sentences(text: str) -> Iterator[str]:
    """As they stand in the text, without marks of lists; headings are left out."""
    for whole in text.split("\n"):
        if whole.lstrip().startswith("#"):
            continue
        for start in range(0, len(whole), MAX_LINE):
            line = _MARKER.sub("", whole[start : start + MAX_LINE])
            yield from filter(None, (found[0].strip(" \t*_`") for found in _SENTENCE.finditer(line)))


def _requirement(sentence: str) -> Mapping[str, Any]:
    chinese = bool(_HAN.search(sentence))
    statement = " ".join(sentence.split()).rstrip("；;")
    values = list(dict.fromkeys(" ".join(found[0].split()) for found in _VALUE.finditer(sentence)))
    vague = list(dict.fromkeys(found[0] for found in _VAGUE.finditer(sentence)))
    return {
        "type": _type(sentence),
        "statement": statement,
        "quote": sentence,
        "acceptance_criteria": [f"满足“{value}”" if chinese else f'"{value}" is met' for value in values],
        "open_questions": [_question(word, chinese=chinese) for word in vague],
        "test_points": _test_points(statement, values, chinese=chinese),
    }


def _type(sentence: str) -> str:
    if _CONSTRAINT.search(sentence):
        return "constraint"
    return "non_functional" if _QUALITY.search(sentence) else "functional"


def _question(word: str, *, chinese: bool) -> str:
    if chinese:
        return f"“{word}”具体指什么？请给出可验证的数值。"
    return f'What does "{word}" mean here, in numbers that can be checked?'


def _test_points(statement: str, values: Sequence[str], *, chinese: bool) -> list[str]:
    if chinese:
        return [f"验证：{statement}", *(f"验证边界：{value} 之下、恰好、之上" for value in values)]
    return [f"Check: {statement}", *(f"Check just below, at and above {value}" for value in values)]


def _pairs(requirements: Sequence[tuple[int, str]]) -> Iterator[Mapping[str, Any]]:
    """With the first one about the same thing."""
    positive: dict[str, tuple[int, str]] = {}
    negative: dict[str, tuple[int, str]] = {}
    values: dict[str, tuple[int, str]] = {}
    for number, text in requirements:
        about, is_not = _about(text), bool(_NOT.search(text))
        same, opposite = (negative, positive) if is_not else (positive, negative)
        if about and about in opposite:
            yield _pair(opposite[about][0], number, text, _FORBIDS)
        same.setdefault(about, (number, text))
        skeleton = f"{is_not} {_about(_VALUE.sub(_without_number, text))}"
        if skeleton in values and _NUMBER.findall(values[skeleton][1]) != _NUMBER.findall(text):
            yield _pair(values[skeleton][0], number, text, _OTHER_NUMBERS)
        values.setdefault(skeleton, (number, text))


def _without_number(value: re.Match[str]) -> str:
    """The unit alone: other numbers name things, such as "report 3"."""
    return _NUMBER.sub("0", value[0])


def _about(text: str) -> str:
    """What is left without modal verbs and negations."""
    return " ".join(re.findall(r"\w+", _MODAL.sub(" ", text).casefold()))


def _pair(first: int, second: int, text: str, reason: tuple[str, str]) -> Mapping[str, Any]:
    return {"first": first, "second": second, "reason": reason[bool(_HAN.search(text))]}
