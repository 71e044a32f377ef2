"""Tells of each element as soon as it is complete in the text of an answer that is still being written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from gencode.blueprints.drafting import Entry, EntryKind, said_entries
from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.pipelines.blueprint.names import ELEMENT

MAX_OBJECT = 100_000
"""Characters of an object that is told while it is written."""
MAX_TOLD = 3000
"""Elements that a run of a stage tells of."""
_TOLD_KINDS = frozenset({EntryKind.ENTITY, EntryKind.PAGE, EntryKind.API, EntryKind.FLOW})


class ObjectScanner:
    """Finds JSON objects in text that arrives in pieces: those that begin at the outermost bracket. A string
    does not reach over the end of a line: what seems so is a mistake, and scanning begins anew."""

    _text: list[str]
    _depth: int
    _in_string: bool
    _escaped: bool

    def __init__(self) -> None:
        self._begin_anew()

    def feed(self, text: str) -> Iterator[str]:
        for mark in text:
            if self._depth or mark == "{":
                self._text.append(mark)
            if self._in_string:
                self._within_string(mark)
            elif mark == '"':
                self._in_string = self._depth > 0
            elif mark == "{":
                self._depth += 1
            elif mark == "}" and self._depth:
                self._depth -= 1
                if not self._depth:
                    found = "".join(self._text)
                    self._begin_anew()
                    yield found
            if len(self._text) > MAX_OBJECT:
                self._begin_anew()

    def _within_string(self, mark: str) -> None:
        if mark == "\n":
            self._begin_anew()
        elif self._escaped:
            self._escaped = False
        elif mark == "\\":
            self._escaped = True
        elif mark == '"':
            self._in_string = False

    def _begin_anew(self) -> None:
        self._text = []
        self._depth = 0
        self._in_string = self._escaped = False


class LiveElements:
    """Implements Emit, for the session of the model: live text of calls passes through it.

    part  where the elements are said: `outline` or `details`
    """

    def __init__(self, emit: Emit, part: str) -> None:
        self._emit = emit
        self._part = part
        self._scanners: dict[str, ObjectScanner] = {}
        self._told: set[tuple[str, str]] = set()

    async def __call__(self, *updates: StageUpdate) -> None:
        await self._emit(*updates)
        for update in updates:
            if update.live and update.kind == "delta":
                await self._text(update.data)

    async def _text(self, data: Any) -> None:
        about = str(data["about"])
        if data["offset"] == 0:
            self._scanners[about] = ObjectScanner()
        for found in self._scanners.setdefault(about, ObjectScanner()).feed(data["text"]):
            if "\\u" not in found:  # an escape can hide a secret, which is looked for in whole answers
                await self.tell(_read(found))

    async def tell(self, entries: Sequence[Entry]) -> None:
        """Those that were not told yet."""
        updates = [update for entry in entries if (update := self._update(entry))]
        if updates:
            await self._emit(*updates)

    def _update(self, entry: Entry) -> StageUpdate | None:
        identity = (entry.kind.value, entry.name)
        if entry.kind not in _TOLD_KINDS or identity in self._told or len(self._told) >= MAX_TOLD:
            return None
        self._told.add(identity)
        data: dict[str, Any] = {
            "kind": entry.kind.value,
            "id": str(entry.values.get("id") or entry.name),
            "name": entry.name,
            "label": entry.label,
            "part": self._part,
        }
        for name in ("fields", "relations", "components", "steps"):
            if isinstance(said := entry.values.get(name), list):
                data[name] = len(said)
        return StageUpdate(kind=ELEMENT, data=data)


def _read(text: str) -> list[Entry]:
    try:
        return said_entries(json.loads(text))
    except (ValueError, RecursionError):
        return []
