"""Parses a plan while it streams in: each file is known as soon as its entry is complete."""

from __future__ import annotations

import json
import re
from typing import Any

from gencode.codegen.lenient_json import NotJson, read_value
from gencode.codegen.plan import Plan, PlannedFile
from gencode.codegen.plan_decoder import left_out, read_entry
from gencode.domain.tree import PathSet
from gencode.llm.errors import LLMBadOutput

_FILES = re.compile(r'"files"\s*:\s*\[')
_SUMMARY = re.compile(r'"summary"\s*:\s*("(?:[^"\\]|\\.)*")')
_SEPARATOR = re.compile(r"[\s,]*")
_TOKEN = re.compile(r'[{}\\"]')
MAX_FILES_KEY = 50
"""Characters of `"files": [` with its white space, which may be split over two chunks."""
MAX_ENTRY = 20_000
"""Characters of an entry, and of the text before the first one; what is longer is left to `parse_plan`."""


class PlanStreamParser:
    """Takes the answer chunk by chunk. Early entries are hints: the complete answer is parsed and validated
    by `gencode.codegen.plan_parser.parse_plan`. Reads each character once, and keeps no more than MAX_ENTRY
    characters and a chunk."""

    def __init__(self, *, workflows: bool = False) -> None:
        self._paths = PathSet(workflows=workflows)
        self._workflows = workflows
        self._text = ""
        self._at = 0
        self._summary = ""
        self._is_in_list = False
        self._has_given_up = False
        self._entry = _EntryEnd()
        self.files: dict[str, PlannedFile] = {}

    def feed(self, text: str) -> list[PlannedFile]:
        """The entries that this chunk completes. Raises UnsafePath or UnsafeTree at the first unsafe one,
        before any call is paid for it."""
        if self._has_given_up:
            return []
        start = max(0, len(self._text) - MAX_FILES_KEY)
        self._text += text
        if not self._is_in_list:
            self._find_list(start)
        new = self._entries() if self._is_in_list else []
        self._text, self._at = self._text[self._at :], 0
        if len(self._text) > MAX_ENTRY:
            self._give_up()
        return new

    def plan(self) -> Plan:
        """The plan so far; at least one entry must be complete."""
        return Plan(summary=self._summary, files=tuple(self.files.values()))

    def _find_list(self, start: int) -> None:
        if found := _FILES.search(self._text, start):
            self._summary = _summary_in(self._text[: found.start()])
            self._at = found.end()
            self._is_in_list = True

    def _entries(self) -> list[PlannedFile]:
        new: list[PlannedFile] = []
        while not self._has_given_up and (value := self._next()) is not None:
            entry = self._read(value)
            if entry and entry.path not in self.files:
                self._paths.add(entry.path)
                self.files[entry.path] = entry
                new.append(entry)
        return new

    def _next(self) -> Any:
        """The next complete entry; None while it is incomplete."""
        if self._entry.length == 0:
            separator = _SEPARATOR.match(self._text, self._at)
            self._at = separator.end() if separator else self._at
            if self._at < len(self._text) and self._text[self._at] != "{":
                self._give_up()
        if not (length := self._entry.find(self._text, self._at)):
            return None
        start, self._at = self._at, self._at + length
        self._entry = _EntryEnd()
        try:
            return read_value(self._text[start : self._at], 0)[0]
        except NotJson:
            self._give_up()
            return None

    def _read(self, value: Any) -> PlannedFile | None:
        """The entry as parse_plan would read it; None for one that it leaves out or refuses."""
        try:
            entry = read_entry(value)
        except LLMBadOutput:
            self._give_up()
            return None
        return None if left_out(entry.path, workflows=self._workflows) else entry

    def _give_up(self) -> None:
        self._has_given_up, self._text, self._at = True, "", 0


class _EntryEnd:
    """Finds the end of an object that arrives in chunks. `length`: how much of it has been searched."""

    def __init__(self) -> None:
        self.length = 0
        self._depth = 0
        self._in_string = False

    def find(self, text: str, start: int) -> int:
        """The length of the object that begins at `start`; 0 while it is incomplete."""
        while found := _TOKEN.search(text, start + self.length):
            if found[0] == "\\" and found.end() == len(text):
                self.length = found.start() - start  # what it escapes is in the next chunk
                return 0
            self.length = found.end() - start + (found[0] == "\\")
            if found[0] == '"':
                self._in_string = not self._in_string
            elif found[0] != "\\" and not self._in_string:
                self._depth += 1 if found[0] == "{" else -1
                if not self._depth:
                    return self.length
        self.length = len(text) - start
        return 0


def _summary_in(text: str) -> str:
    """Malformed JSON is reported by `parse_plan`, not here."""
    found = _SUMMARY.search(text)
    try:
        summary = str(json.loads(found[1], strict=False)) if found else ""
    except ValueError:
        return ""
    return summary.encode("utf-8", "replace").decode()[:2000]
