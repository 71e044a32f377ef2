"""Reads a plan while it is still being said: each file is known as soon as its entry is whole."""

from __future__ import annotations

import json
import re

from pydantic import ValidationError

from gencode.domain.tree import Paths
from gencode.pipelines.generate.artifacts import Plan, PlannedFile

_FILES = re.compile(r'"files"\s*:\s*\[')
_SUMMARY = re.compile(r'"summary"\s*:\s*("(?:[^"\\]|\\.)*")')
_BETWEEN = re.compile(r"[\s,]*")
LONGEST_MARK = 50
"""Characters of `"files": [`, white space and all, that may come in two parts."""
LONGEST_ENTRY = 20_000
"""Characters; a longer one is left to the parser of the whole, so that reading stays linear."""


class PlanStreamParser:
    """Fed with the answer as it streams. What it finds early is a hint: the whole answer is parsed, and
    judged, once it is there (`parsing.parse_plan`)."""

    def __init__(self, *, workflows: bool = False) -> None:
        self._paths = Paths(workflows=workflows)
        self._decoder = json.JSONDecoder()
        self._text = ""
        self._at = -1
        self.files: dict[str, PlannedFile] = {}

    def feed(self, text: str) -> list[PlannedFile]:
        """The entries that this text completes. Raises UnsafePath or UnsafeTree at the first hostile one,
        before anything is paid for it."""
        begin = max(0, len(self._text) - LONGEST_MARK)
        self._text += text
        if self._at < 0:
            if not (found := _FILES.search(self._text, begin)):
                return []
            self._at = found.end()
        return self._entries() if "}" in text else []

    def plan(self) -> Plan:
        """The plan so far; there must be an entry."""
        return Plan(summary=self._summary(), files=tuple(self.files.values()))

    def _summary(self) -> str:
        """Whether it is proper JSON is for the parser of the whole to say."""
        found = _SUMMARY.search(self._text)
        try:
            text = str(json.loads(found[1], strict=False)) if found else ""
        except ValueError:
            return ""
        return text.encode("utf-8", "replace").decode()[:2000]

    def _entries(self) -> list[PlannedFile]:
        new: list[PlannedFile] = []
        while (entry := self._next()) is not None:
            if entry.path not in self.files:
                self._paths.enter(entry.path)
                self.files[entry.path] = entry
                new.append(entry)
        return new

    def _next(self) -> PlannedFile | None:
        """The next whole entry; None while it is not there, and for good after what is no entry."""
        between = _BETWEEN.match(self._text, self._at)
        start = between.end() if between else self._at
        if not self._text.startswith("{", start) or len(self._text) - start > LONGEST_ENTRY:
            return None
        try:
            value, end = self._decoder.raw_decode(self._text, start)
            entry = PlannedFile.model_validate(value)
        except (ValueError, RecursionError, ValidationError):
            return None
        self._at = end
        return entry
