"""Finds text in an answer that does not belong to the file but was put around it: tokens of a chat template,
delimiters, labels, the message of an error, a second answer.

    [/INST]CREATE TABLE t (id INTEGER);        CREATE TABLE t (id INTEGER); [EOS]        --- a.sql ---

Such marks can also be content of the file: what the request mentions, what occurs in the file a second time,
the counterpart of another mark of the file, and what the file's own syntax may begin or end with.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from gencode.codegen.error_answers import error_message
from gencode.codegen.file_delimiters import first_line, last_line, rules_around
from gencode.codegen.inspected_file import FREE_FORM, MARKUP, PLAIN, SECTIONS, InspectedFile
from gencode.codegen.reasoning_in_files import MAX_LINE, thoughts, unquoted
from gencode.codegen.repeated_answers import copied, restarted
from gencode.codegen.special_token_patterns import ENDS, PIPED, STARTS

_BLANK = " \t\r\n\ufeff"
_END_REACH = 300
_LABEL = re.compile(
    r"(?:#{2,6} *|\*\*)?(?:gpt\d? (?:correct )?)?"
    r"(?:assistant|response|answer|output|model|bot|ai|gpt|回答|答|助手)"
    r"(?P<colon> *[:：])?(?:\*\*)?(?P<rest>.*)",
    re.IGNORECASE,
)
_WITH_LABELS = frozenset({"yaml", "toml", "ini", "json", "jsonc", "graphql", "make"})
"""Languages in which a word with a colon may be the first line."""
_WITH_TYPES = frozenset(
    {"python", "typescript", "tsx", "javascript", "kotlin", "swift", "dart", "scala", "rust"}
)
"""Languages in which a name, a colon and a type are a declaration, and whose grammar finds other labels."""
_NO_OPERATION = frozenset({"bash", "make", ""})
"""Languages in which a colon is a command."""
_CHAT = re.compile(
    r"(?:sure|certainly|of course|here is|here's|here are|below is|以下是).{0,200}[:：!.。]", re.IGNORECASE
)
_VALUE = re.compile(r"[=:,|(\[{<\\&+]\s*\Z|[\"'`#]|//|--|\*")
"""What precedes a token that is a value, or in a string or comment."""


def extraneous_text(path: str, text: str, asked: str = "") -> str:
    """Why the text is not the file alone; "" if nothing shows it. `asked`: the request, which may mention a
    mark."""
    file = InspectedFile(path, text, asked)
    bare = text.strip(_BLANK)
    if not bare:
        return ""
    if error := error_message(file, bare):
        return f"it is the message of an error, {error[:80]!r}"
    mark = next(_marks(file, bare), "")
    return f"{mark.strip()[:80]!r} is no part of the file" if mark else ""


def _marks(file: InspectedFile, text: str) -> Iterator[str]:
    """The marks that do not belong to the file, the surest first."""
    lines = text.split("\n")
    first, last = lines[0].strip()[:MAX_LINE], lines[-1].strip()[-MAX_LINE:]
    outside = list(unquoted(file, lines))
    candidates = [_leading(file, text, first), _trailing(file, text), *_within(file, outside)]
    yield from (mark for mark in candidates if mark and not file.mentions(mark))
    yield from filter(None, [*thoughts(file, outside), copied(text) or restarted(file, lines)])
    if len(lines) > 1:
        yield from filter(
            None, [first_line(file, first), last_line(file, last), rules_around(file, first, lines)]
        )


def _leading(file: InspectedFile, text: str, first: str) -> str:
    if found := STARTS.match(text):
        is_section = first == found[0] and first.startswith("[") and file.language in SECTIONS
        is_tag = file.language in MARKUP and (f"</{found[0][1:]}" in text or "![" in found[0])
        return "" if is_section or is_tag else found[0]
    if first[:1] in ":：" and first[1:2] in ("", " ") and file.language not in _NO_OPERATION:
        return first[:2]
    if first.startswith("analysis") and "assistantfinal" in text:
        return "assistantfinal"
    if not file.is_document and _CHAT.fullmatch(first):
        return first
    if first.startswith("{") and file.language not in ("json", "jsonc", "") and _names_path(file, first):
        return first
    return _label(file, first)


def _label(file: InspectedFile, line: str) -> str:
    """The line, if it begins with a word for who answers: "### Response:", "Assistant: ..."."""
    label = _LABEL.fullmatch(line)
    if not label or (file.language in _WITH_LABELS and line[0] not in "#*"):
        return ""
    rest = label["rest"]
    if label["colon"]:
        is_label = not rest or (rest[0] == " " and file.language not in _WITH_TYPES)
        return line if is_label and (not file.is_document or rest.lstrip()[:1] in ("", "#")) else ""
    if file.is_document:
        return line if line in ("assistant", "model") else ""
    return line if not rest else ""


def _names_path(file: InspectedFile, line: str) -> bool:
    """Whether the line is JSON with the path of the file."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and file.path in value.values()


def _trailing(file: InspectedFile, text: str) -> str:
    found = ENDS.search(text, max(0, len(text) - _END_REACH))
    if not found:
        return ""
    before = text[: found.start()]
    line = before[before.rfind("\n") + 1 :]
    if not line.strip():
        is_section = found[0].startswith("[") and file.language in SECTIONS
        return "" if is_section else found[0]
    if line.rstrip()[-1] in "=:,|([{<\\\"'`&+" or line.lstrip().startswith(("#", "//", "*", "-")):
        return ""
    if file.language in ("html", "xml", "vue", "svelte") and found[0].startswith("</"):
        return ""
    is_sentence = line[-1:] == " " and line.rstrip()[-1].isalnum()
    return "" if file.is_document and is_sentence else found[0]


def _within(file: InspectedFile, outside: Sequence[str]) -> Iterator[str]:
    """Tokens at the beginning or end of a line that is in no string or comment of several lines."""
    for line in outside:
        if line and (line[0] in "<[" or line.rstrip()[-1:] == ">") and (found := _token_of(file, line)):
            yield found[0]


def _token_of(file: InspectedFile, line: str) -> re.Match[str] | None:
    """A special token with which the line begins or ends."""
    found = PIPED.match(line) or (STARTS.match(line) if file.language in PLAIN else None)
    if found:
        return found
    if file.language in FREE_FORM or "|>" not in line[-4:]:
        return None
    last = next((found for found in PIPED.finditer(line) if found.end() == len(line.rstrip())), None)
    return None if last is None or _VALUE.search(line[: last.start()]) else last
