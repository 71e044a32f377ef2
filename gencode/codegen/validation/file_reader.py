"""One file: which reader it gets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from gencode.codegen.validation.data_files import read_data
from gencode.codegen.validation.file_facts import Reading, placeholder
from gencode.codegen.validation.finding import Finding, shown
from gencode.codegen.validation.grammar import LANGUAGES
from gencode.codegen.validation.grammar_files import global_definitions, read_code
from gencode.codegen.validation.language import language_of, line_comments
from gencode.codegen.validation.placeholder_rules import placeholders, promising
from gencode.codegen.validation.python_source import read_python
from gencode.codegen.validation.single_file_components import read_component
from gencode.codegen.validation.symbols import Symbols

_MODULES = frozenset({"javascript", "typescript", "tsx"})
"""Of an empty one it is known that it exports nothing."""
_DATA = frozenset({"json", "jsonc", "toml", "xml", "yaml"})


def symbols(path: str, text: str) -> Symbols:
    """What a file offers to others, with one-line signatures, and what it imports.

    A file that cannot be read has none, and is `open`: it may have any. A script that is no module offers its
    top-level definitions, as globals.
    """
    found = read(path, text).symbols
    if found.language != "javascript" or found.exports or found.imports:
        return found
    return replace(found, exports=global_definitions(language_of(path), text))


def signatures(path: str, text: str) -> tuple[str, ...]:
    """What a file defines, one line each: the ledger that files still to come are told from."""
    return tuple(dict.fromkeys(symbol.signature for symbol in symbols(path, text).exports))


def read(path: str, text: str) -> Reading:
    """What the file says of itself. Never raises; a text of no known language says nothing."""
    language = language_of(path)
    if not language or language == "prose":
        return Reading()
    if language == "python":
        return read_python(path, text)
    if language in ("vue", "svelte"):
        return read_component(path, text)
    if language in LANGUAGES and (text.strip() or language in _MODULES):
        return read_code(path, text, language)
    if not text.strip():
        return Reading()
    reading = read_data(path, text, language) if language in _DATA else Reading()
    return Reading(findings=(*reading.findings, *_line_findings(path, text, language)))


def _line_findings(path: str, text: str, language: str) -> Iterator[Finding]:
    """Placeholders in comments that fill a line, where no grammar tells what a comment is."""
    marks = line_comments(language)
    if not marks or not promising(text):
        return
    for row, line in enumerate(text.split("\n"), start=1):
        if line.lstrip().startswith(marks):
            for _, words in placeholders(line):
                yield placeholder(path, row, f"The comment {shown(words)!r}")
