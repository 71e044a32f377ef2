"""Checks that each file defines the exports that the plan lists for it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gencode.codegen.plan import Plan, PlannedFile
from gencode.codegen.validation.findings import Finding, Rule
from gencode.codegen.validation.languages import is_test_file
from gencode.codegen.validation.project import Project

_DEFINITION_LANGUAGES = frozenset({"python", "javascript", "go"})
"""Where a pattern can tell a definition from a use; elsewhere any occurrence of the name counts."""
_KIND_WORDS = re.compile(
    r"\b(?:abstract|async|class|classes|component|components|const|constant|data|dataclass|decorator|def|default|enum"
    r"|exception|export|exports|factory|fixture|fn|func|function|functions|handler|helper|hook|instance|interface"
    r"|let|method|middleware|mod|model|module|namespace|object|package|pub|public|record|router|schema|singleton"
    r"|static|struct|trait|type|types|util|utility|var|variable)\b",
    re.IGNORECASE,
)
_NAME = re.compile(r"[A-Za-z_$][\w$]*(?:(?:\.|::)[A-Za-z_$][\w$]*)*")
_KEYWORDS = (
    r"def|class|function\*?|func|fn|struct|enum|interface|trait|type|const|let|var|get|set|static|async"
)


def export_findings(project: Project, plan: Plan) -> Iterator[Finding]:
    for file in plan.files:
        symbols = project.symbols(file.path)
        if symbols.language and file.path in project.files and not is_test_file(file.path):
            yield from _missing_export_findings(project, file)


def _missing_export_findings(project: Project, file: PlannedFile) -> Iterator[Finding]:
    symbols, text = project.symbols(file.path), project.files[file.path]
    for export in file.exports:
        name = exported_name(export)
        if name and name not in symbols.names and not _defines(symbols.language, text, name):
            message = f"the plan promises that {file.path} defines {name!r}, and it does not: define it"
            yield Finding(path=file.path, line=0, rule=Rule.BROKEN_PROMISE, message=message)


def exported_name(export: str) -> str:
    """The identifier in a plan's description of an export ("class User", "create_app() -> Flask"); "" for a
    route, a sentence or a default export."""
    export = re.sub(r"^\s*(?:func\s*)?\([^()]*\)\s*", "", export)  # a receiver in Go
    name = re.split(r"[(:=<\[{,]|->|=>| - | – |（|：", export.replace("::", "."), maxsplit=1)[0].strip()
    if not _NAME.fullmatch(name):
        name = " ".join(_KIND_WORDS.sub(" ", name).split())
    return name.rpartition(".")[2] if _NAME.fullmatch(name) and not _KIND_WORDS.fullmatch(name) else ""


def _defines(language: str, text: str, name: str) -> bool:
    """Nested definitions count: methods, attributes, members of an object."""
    word = rf"(?<![\w$]){re.escape(name)}(?![\w$])"
    if language not in _DEFINITION_LANGUAGES:
        return re.search(word, text) is not None
    field = rf"|^[ \t]*{word}[ \t]+[\w*\[]|[{{;][ \t]*{word}[ \t]+[\w*\[]" if language == "go" else ""
    definition = rf"\b(?:{_KEYWORDS})\s+{word}{field}|{word}\s*(?::(?!:)|=(?!=)|\([^()\n]*\)\s*\{{)"
    return re.search(definition, text, re.MULTILINE) is not None
