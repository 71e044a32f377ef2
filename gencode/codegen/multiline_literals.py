"""Tracks whether a line of a source file may be inside a multi-line string or comment.

Only there can a line of source code begin with a code fence. Marks are counted, not parsed: a line may be in
a literal unless every mark before it is closed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_JAVASCRIPT = (".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts", ".vue", ".svelte")
_C_LIKE = (
    *(
        ".c",
        ".h",
        ".cc",
        ".cpp",
        ".cxx",
        ".hpp",
        ".cs",
        ".css",
        ".scss",
        ".less",
        ".go",
        ".java",
        ".kt",
        ".kts",
    ),
    *(".php", ".proto", ".rs", ".scala", ".sql", ".swift", ".dart", ".tf", *_JAVASCRIPT),
)
_BACKTICKS = (".go", ".d", *_JAVASCRIPT)
_HEREDOC = re.compile(r"<<[-~]?\s*[\"']?[A-Za-z_]")
_HEREDOC_FILES = (".sh", ".bash", ".zsh", ".rb", ".pl", ".pm", ".php", ".tf", ".ps1", "makefile")
_OTHER_OPENINGS = (
    ((".html", ".htm", ".xml", ".svg", ".vue", ".svelte"), ("<!--", "<![CDATA[")),
    ((".rb",), ("=begin", "%{", "%q", "%Q")),
    ((".pl", ".pm"), ("=pod", "=head", "q{")),
    ((".cpp", ".cc", ".cxx", ".hpp", ".h"), ('R"',)),
    ((".rs", ".swift"), ('#"',)),
    ((".cs",), ('@"', '$"')),
    ((".ps1",), ('@"', "@'", "<#")),
    ((".lua",), ("[[", "[=")),
    ((".hs", ".elm"), ("{-",)),
    ((".ml", ".fs", ".pas"), ("(*",)),
)
"""What may begin a text of several lines and is not counted, by the suffixes of files."""


class LiteralState:
    """The state after the lines that were added so far."""

    def __init__(self, path: str) -> None:
        name = path.lower()
        self._has_c_comments = name.endswith(_C_LIKE)
        self._has_backticks = name.endswith(_BACKTICKS)
        self._has_heredocs = name.endswith(_HEREDOC_FILES) or "dockerfile" in name
        self._openings = next((found for suffixes, found in _OTHER_OPENINGS if name.endswith(suffixes)), ())
        self._triple = {'"""': 0, "'''": 0}
        self._comments = 0
        self._backticks = 0
        self._is_unknown = False

    @classmethod
    def after(cls, lines: Iterable[str], path: str) -> LiteralState:
        """The state after these lines of a file."""
        state = cls(path)
        for line in lines:
            state.add(line)
        return state

    @property
    def may_be_open(self) -> bool:
        return (
            self._is_unknown
            or self._comments != 0
            or self._backticks % 2 == 1
            or any(count % 2 for count in self._triple.values())
        )

    def add(self, line: str) -> None:
        for mark in self._triple:
            if mark in line:
                self._triple[mark] += line.count(mark)
        if self._has_c_comments:
            self._comments += line.count("/*") - line.count("*/")
        if self._has_backticks:
            self._backticks += line.count("`") - line.count("\\`")
        if (self._has_heredocs and _HEREDOC.search(line)) or any(mark in line for mark in self._openings):
            self._is_unknown = True
