"""Functions that read what a model answered: plans, files, continuations, parts, remarks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

from gencode.codegen.answer_checks import check_file, check_remark
from gencode.codegen.code_blocks import holds_only_remarks
from gencode.codegen.continuation_merge import continuation, file_text, resume_point
from gencode.codegen.file_checkpoints import Piece
from gencode.codegen.multipart_file_generator import join_parts
from gencode.codegen.plan_parser import parse_plan
from gencode.codegen.plan_stream_parser import PlanStreamParser
from gencode.domain.errors import GencodeError
from gencode.llm.session import Answer

_PATHS = ("src/app.py", "README.md", "page.html")
_BLOCK = 16
"""Characters of a plan that arrive at once."""
_WRITTEN = "import os\n\n\ndef first_function():\n    return os.name\n\n\ndef second_function():\n    ret"
_REST = "urn first_function() * 2\n"
_NEWEST = 2000
"""Characters of the answer before the continuation."""


def _plan(text: str) -> None:
    parse_plan(text)


def _plan_in_blocks(text: str) -> None:
    parser = PlanStreamParser()
    for at in range(0, len(text), _BLOCK):
        if parser.feed(text[at : at + _BLOCK]):
            parser.plan()


def _plan_entries(text: str) -> None:
    """Valid JSON with the text in every field, and with its beginnings in many."""
    entry = {"path": "a.py", "purpose": text, "exports": text, "needs": [text, text[:250]], "lines": text}
    named = {text[:at]: {"purpose": text[:at], "needs": [text[:200]]} for at in range(1, 300)}
    for files in ([entry], {**entry, "path": text}, named, [f"{text[:n]}{n}" for n in range(2000)]):
        with suppress(GencodeError):
            parse_plan(json.dumps({"summary": text, "files": files}))


def _file(text: str) -> None:
    for path in _PATHS:
        for answer in (text, f"Here is the file:\n\n```python\n{text}\n```\nRun it.\n"):
            with suppress(GencodeError):
                check_file(path, answer)
    holds_only_remarks(text, "a.py")
    check_remark("a.py", Answer(text=text, truncated=False))


def _continuations(written: str, answers: Iterable[str], path: str = "a.py") -> None:
    for newest in (_NEWEST, len(written)):
        point = resume_point(written, newest)
        for answer in answers:
            with suppress(GencodeError):
                continuation(written, point, answer, path, whole=True)


def _hostile_written(text: str) -> None:
    tail = text[-200:]
    _continuations(text, [_REST, tail + _REST])
    _continuations(_WRITTEN + text, [_REST, _WRITTEN[-60:] + tail])
    _continuations(text + _WRITTEN, [_WRITTEN + _REST])


def _hostile_continuation(text: str) -> None:
    _continuations(_WRITTEN, [text, f"{_WRITTEN}{text}", f"Here is the rest:\n\n```python\n{text}\n```\n"])


def _both_hostile(text: str) -> None:
    _continuations(text, [text, text[len(text) // 2 :]])
    _continuations(text, [text], "README.md")


def _pieces(text: str) -> None:
    size = len(text) // 12 + 1
    cut = [text[at : at + size] for at in range(0, len(text), size)]
    pieces = [Piece(text=part, follows=n * size, whole=False) for n, part in enumerate(cut)]
    file_text(pieces, "a.py")
    join_parts([[piece] for piece in pieces], "a.py")


FUNCTIONS: Mapping[str, Callable[[str], object]] = {
    "whole plan": _plan,
    "plan in blocks": _plan_in_blocks,
    "plan entries": _plan_entries,
    "answered file": _file,
    "written text": _hostile_written,
    "continuation": _hostile_continuation,
    "written text and continuation": _both_hostile,
    "pieces": _pieces,
}
