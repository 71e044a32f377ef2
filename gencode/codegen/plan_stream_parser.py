"""Parses a plan while it streams in: each file is known as soon as its entry is complete."""

from __future__ import annotations

import json
import re

from pydantic import ValidationError

from gencode.codegen.plan import Plan, PlannedFile
from gencode.domain.tree import PathSet

_FILES = re.compile(r'"files"\s*:\s*\[')
_SUMMARY = re.compile(r'"summary"\s*:\s*("(?:[^"\\]|\\.)*")')
_SEPARATOR = re.compile(r"[\s,]*")
MAX_FILES_KEY = 50
"""Characters of `"files": [` with its white space, which may be split over two chunks."""
MAX_ENTRY = 20_000
"""Characters; a longer entry is left to `parse_plan`, so that the cost of parsing stays linear."""


class PlanStreamParser:
    """Takes the answer chunk by chunk. Early entries are hints: the complete answer is parsed and validated
    by `gencode.codegen.plan_parser.parse_plan`."""

    def __init__(self, *, workflows: bool = False) -> None:
        self._paths = PathSet(workflows=workflows)
        self._decoder = json.JSONDecoder()
        self._text = ""
        self._at = -1
        self.files: dict[str, PlannedFile] = {}

    def feed(self, text: str) -> list[PlannedFile]:
        """The entries that this chunk completes. Raises UnsafePath or UnsafeTree at the first unsafe one,
        before any call is paid for it."""
        start = max(0, len(self._text) - MAX_FILES_KEY)
        self._text += text
        if self._at < 0:
            if not (found := _FILES.search(self._text, start)):
                return []
            self._at = found.end()
        return self._entries() if "}" in text else []

    def plan(self) -> Plan:
        """The plan so far; at least one entry must be complete."""
        return Plan(summary=self._summary(), files=tuple(self.files.values()))

    def _summary(self) -> str:
        """Malformed JSON is reported by `parse_plan`, not here."""
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
                self._paths.add(entry.path)
                self.files[entry.path] = entry
                new.append(entry)
        return new

    def _next(self) -> PlannedFile | None:
        """The next complete entry; None while it is incomplete, and for good after anything else."""
        separator = _SEPARATOR.match(self._text, self._at)
        start = separator.end() if separator else self._at
        if not self._text.startswith("{", start) or len(self._text) - start > MAX_ENTRY:
            return None
        try:
            value, end = self._decoder.raw_decode(self._text, start)
            entry = PlannedFile.model_validate(value)
        except (ValueError, RecursionError, ValidationError):
            return None
        self._at = end
        return entry
