"""Rules about single lines of any language, and of JavaScript."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from gencode.codegen.secrets_scan import rule_findings
from gencode.embedded.offline.code_review.python_rules import Match
from gencode.embedded.offline.code_review.shown_change import ShownLine

_CONFLICT = re.compile(r"(?:<{7}|>{7}) \S.*")
_TODO = re.compile(r"(?:#|//|/\*|--|<!--|\*)\s*(?:TODO|FIXME|XXX|HACK)\b")
_PROSE = (".md", ".rst", ".txt", ".adoc")
_JAVASCRIPT = (".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts", ".vue", ".svelte")
_JS_TEXT = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`|//.*|/\*.*?\*/""")
_JS_COMMENT = re.compile(r"\s*(?:\*|//|/\*)")
_LOOSE = re.compile(r"(?<![=!<>])(?:==|!=)(?!=)\s*(?P<value>[\w$.]*)")
_NULLS = ("null", "undefined")
_NULL_BEFORE = re.compile(r"\b(?:null|undefined)\s*\Z")


def line_matches(path: str, lines: Sequence[ShownLine]) -> list[Match]:
    """Of the added lines of a hunk."""
    found = [(rule, at) for at, line in enumerate(lines) if line.is_added for rule in _rules(path, line.text)]
    return found + _secrets(path, lines)


def _rules(path: str, text: str) -> Iterator[str]:
    if _CONFLICT.fullmatch(text):
        yield "conflict-marker"
    if not path.lower().endswith(_PROSE) and _TODO.search(text):
        yield "todo"
    if path.lower().endswith(_JAVASCRIPT) and not _JS_COMMENT.match(text):
        yield from _javascript(_JS_TEXT.sub('""', text))


def _javascript(code: str) -> Iterator[str]:
    """`code`: without texts and comments."""
    if re.search(r"(?<![\w.$])console\.log\(", code):
        yield "console-log"
    if re.fullmatch(r"\s*debugger\s*;?\s*", code):
        yield "debugger"
    if "`" not in code and any(map(_is_loose, _LOOSE.finditer(code))):
        yield "loose-equality"


def _is_loose(found: re.Match[str]) -> bool:
    return found["value"] not in _NULLS and not _NULL_BEFORE.search(found.string[: found.start()])


def _secrets(path: str, lines: Sequence[ShownLine]) -> list[Match]:
    text = "\n".join(line.text if line.is_added else "" for line in lines)
    return [("secret", finding.line - 1) for finding in rule_findings({path: text})]
