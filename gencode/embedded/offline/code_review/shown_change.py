"""Reads the change that a prompt of `code_review` shows back into files and lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

_CHANGE = re.compile(r"<change>\n(.*)\n</change>", re.DOTALL)
_LINE = re.compile(r"(-?[0-9]{1,9}#[0-9a-f]{4}) *\|([ +-])(.*)")
_HEAD = re.compile(
    r"(.+) \((?:added|deleted|modified|renamed from .+|copied from .+|mode changed)(?:, .*)?\)"
)
_CUT = "…"
_MAX_LINE = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownLine:
    anchor: str
    is_added: bool
    text: str

    @property
    def is_whole(self) -> bool:
        """Longer lines are shown in part."""
        return not (len(self.text) > _MAX_LINE and self.text.endswith(_CUT))


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownFile:
    """`hunks`: the lines of the new file; deleted ones are left out."""

    path: str
    hunks: list[list[ShownLine]] = field(default_factory=list)

    @property
    def added(self) -> Iterator[ShownLine]:
        return (line for hunk in self.hunks for line in hunk if line.is_added)


def shown_files(prompt: str) -> Sequence[ShownFile]:
    """In the order of the change. A file that is shown in several parts is there several times."""
    found = _CHANGE.search(prompt)
    files: list[ShownFile] = []
    for text in found[1].split("\n") if found else ():
        if line := _LINE.fullmatch(text):
            if files and files[-1].hunks and line[2] != "-":
                files[-1].hunks[-1].append(ShownLine(anchor=line[1], is_added=line[2] == "+", text=line[3]))
        elif text.startswith("@@ "):
            if files:
                files[-1].hunks.append([])
        elif head := _HEAD.fullmatch(text):
            files.append(ShownFile(path=head[1]))
    return files
