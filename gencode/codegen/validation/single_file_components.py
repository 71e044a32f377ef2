"""Analyses single-file components: the scripts of Vue and Svelte files, as modules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gencode.codegen.validation.file_analysis import FileAnalysis, Symbols
from gencode.codegen.validation.parse_limits import MAX_BYTES
from gencode.codegen.validation.treesitter_analysis import analyze_source

_SCRIPT_TAG = re.compile(r"<script\b[^<>]{0,500}>")
_LANGUAGES = (("tsx", "tsx"), ("jsx", "javascript"), ("ts", "typescript"))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Script:
    text: str
    language: str


def analyze_component(path: str, text: str) -> FileAnalysis:
    """The analysis of the scripts. The exports are unknown, because the component's compiler makes them."""
    analyses = [analyze_source(path, script.text, script.language) for script in _scripts(text[:MAX_BYTES])]
    imports = tuple(imported for analysis in analyses for imported in analysis.symbols.imports)
    return FileAnalysis(
        symbols=Symbols(language="component", imports=imports),
        findings=tuple(finding for analysis in analyses for finding in analysis.findings),
        stubs=tuple(stub for analysis in analyses for stub in analysis.stubs),
    )


def _scripts(text: str) -> Iterator[_Script]:
    """The scripts, each padded with empty lines so that its line numbers are those of the file."""
    position = 0
    while opening := _SCRIPT_TAG.search(text, position):
        end = text.find("</script", opening.end())
        if end < 0:
            return
        above = "\n" * text.count("\n", 0, opening.end())
        yield _Script(text=above + text[opening.end() : end], language=_language(opening[0]))
        position = end


def _language(opening: str) -> str:
    return next((name for mark, name in _LANGUAGES if f'"{mark}"' in opening), "javascript")
