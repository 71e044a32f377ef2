"""The lines of the new files that a review has seen, kept for the next review of the same subject."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from gencode.diffs import Diff, Side, display_path

MAX_BYTES = 8 * 2**20
"""Of all lines; of a longer diff none are kept, and the next review compares texts of findings only."""


@dataclass(frozen=True, kw_only=True)
class SeenFile:
    """Its lines in order: numbers, and texts without line feeds. `path`: as in the diff, not as shown."""

    path: str

    numbers: Sequence[int]
    texts: Sequence[bytes]

    @cached_property
    def positions(self) -> Mapping[int, int]:
        """By number, from 1."""
        return {number: at for at, number in enumerate(self.numbers, 1)}

    @property
    def content(self) -> bytes:
        return b"".join(text + b"\n" for text in self.texts)


SeenLines = Mapping[str, SeenFile]
"""By path as `display_path` shows it."""


def seen_lines(diff: Diff) -> SeenLines:
    raw = {display_path(file.path): file.path for file in diff.files}
    found: dict[str, tuple[list[int], list[bytes]]] = {}
    for file in diff.files:
        if file.new_path is None:
            continue
        numbers, texts = found.setdefault(display_path(file.path), ([], []))
        for hunk in file.hunks:
            for line in hunk.lines():
                if line.new is not None:
                    numbers.append(line.number(Side.NEW) or 0)
                    texts.append(line.text)
    return {
        path: SeenFile(path=raw[path], numbers=numbers, texts=texts)
        for path, (numbers, texts) in found.items()
    }


def packed(lines: SeenLines) -> bytes:
    """b"" for lines that are too long."""
    if sum(len(text) for file in lines.values() for text in file.texts) > MAX_BYTES:
        return b""
    content = {
        path: [file.numbers, [text.decode("latin-1") for text in file.texts]] for path, file in lines.items()
    }
    return zlib.compress(json.dumps(content).encode(), 6)


def unpacked(data: bytes) -> SeenLines:
    if not data:
        return {}
    content = json.loads(zlib.decompress(data))
    return {
        path: SeenFile(path=path, numbers=numbers, texts=[text.encode("latin-1") for text in texts])
        for path, (numbers, texts) in content.items()
    }
