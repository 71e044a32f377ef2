"""Analyses one file with the parser for its language."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from gencode.codegen.validation.data_formats import FORMATS, analyze_data
from gencode.codegen.validation.file_analysis import FileAnalysis, Symbols
from gencode.codegen.validation.findings import Finding, excerpt, placeholder
from gencode.codegen.validation.languages import comment_marks, language_of, line_comment_marks
from gencode.codegen.validation.placeholder_rules import may_contain_placeholder, placeholder_lines
from gencode.codegen.validation.python_analysis import analyze_python
from gencode.codegen.validation.single_file_components import analyze_component
from gencode.codegen.validation.treesitter import LANGUAGES
from gencode.codegen.validation.treesitter_analysis import analyze_source, global_definitions

_MODULES = frozenset({"javascript", "typescript", "tsx"})
"""Languages in which an empty file is analysed, too, because it certainly exports nothing."""


def symbols(path: str, text: str) -> Symbols:
    """The exports of a file, with one-line signatures, and its imports.

    A file that cannot be parsed has no symbols and `has_unknown_exports`. A JavaScript file that is no module
    exports its top-level definitions, as globals.
    """
    found = analyze(path, text).symbols
    if found.language != "javascript" or found.exports or found.imports:
        return found
    return replace(found, exports=global_definitions(language_of(path), text))


def signatures(path: str, text: str) -> tuple[str, ...]:
    """The signatures of a file's definitions, one line each, for the prompts of the files that use it."""
    return tuple(dict.fromkeys(symbol.signature for symbol in symbols(path, text).exports))


def analyze(path: str, text: str) -> FileAnalysis:
    """The analysis of a file, which is empty for an unknown language. Never raises."""
    language = language_of(path)
    if not language or language == "prose":
        return FileAnalysis(findings=tuple(_placeholder_comments(path, text, comment_marks(path))))
    if language == "python":
        return analyze_python(path, text)
    if language in ("vue", "svelte"):
        return analyze_component(path, text)
    if language in LANGUAGES and (text.strip() or language in _MODULES):
        return analyze_source(path, text, language)
    if not text.strip():
        return FileAnalysis()
    analysis = analyze_data(path, text, language) if language in FORMATS else FileAnalysis()
    marks = line_comment_marks(language)
    return FileAnalysis(findings=(*analysis.findings, *_placeholder_comments(path, text, marks)))


def _placeholder_comments(path: str, text: str, marks: tuple[str, ...]) -> Iterator[Finding]:
    """Placeholders in comments that fill a line, for languages without a grammar."""
    if not marks or not may_contain_placeholder(text):
        return
    for row, line in enumerate(text.split("\n"), start=1):
        if line.lstrip().startswith(marks):
            for _, words in placeholder_lines(line):
                yield placeholder(path, row, f"The comment {excerpt(words)!r}")
