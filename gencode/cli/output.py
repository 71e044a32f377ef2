"""The output of commands: lines of text, or the service's own JSON for scripts."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from typing import Any


def write(args: argparse.Namespace, document: Any, lines: Iterable[str]) -> None:
    """Print the document with --json, else the lines."""
    if args.json:
        print(as_json(document), flush=True)
    else:
        for line in lines:
            print(printable(line), flush=True)


def printable(text: str) -> str:
    """`text` without terminal control: a model or another server may have written parts of it."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)


def counted(count: int, word: str) -> str:
    """Such as "1 file" and "2 files"."""
    return f"{count} {word}{'' if count == 1 else 's'}"


def as_json(document: Any) -> str:
    """One line of JSON that holds printable characters only. JSON allows 8-bit control characters in a
    string, and U+009B begins a terminal's control sequence: such characters are escaped."""
    text = json.dumps(document, ensure_ascii=False)
    return text if text.isprintable() else "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    return character if character.isprintable() else json.dumps(character)[1:-1]
