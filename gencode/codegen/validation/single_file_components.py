"""Single-file components: the scripts of Vue and Svelte files, read as modules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from gencode.codegen.validation.file_facts import Reading
from gencode.codegen.validation.grammar import LONGEST
from gencode.codegen.validation.grammar_files import read_code
from gencode.codegen.validation.symbols import Symbols

_OPENING = re.compile(r"<script\b[^<>]{0,500}>")
_LANGUAGES = (("tsx", "tsx"), ("jsx", "javascript"), ("ts", "typescript"))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Script:
    text: str
    language: str


def read_component(path: str, text: str) -> Reading:
    """What it exports is made by its compiler, so any name may be asked of it."""
    readings = [read_code(path, script.text, script.language) for script in _scripts(text[:LONGEST])]
    imports = tuple(imported for reading in readings for imported in reading.symbols.imports)
    findings = tuple(finding for reading in readings for finding in reading.findings)
    return Reading(
        symbols=replace(Symbols(), language="component", imports=imports),
        findings=findings,
        stubs=tuple(stub for reading in readings for stub in reading.stubs),
    )


def _scripts(text: str) -> Iterator[_Script]:
    """Each with as many empty lines before it as keep its line numbers."""
    position = 0
    while opening := _OPENING.search(text, position):
        end = text.find("</script", opening.end())
        if end < 0:
            return
        above = "\n" * text.count("\n", 0, opening.end())
        yield _Script(text=above + text[opening.end() : end], language=_language(opening[0]))
        position = end


def _language(opening: str) -> str:
    return next((name for mark, name in _LANGUAGES if f'"{mark}"' in opening), "javascript")
