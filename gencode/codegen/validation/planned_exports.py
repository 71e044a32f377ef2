"""Checks that each file defines the exports that the plan lists for it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from gencode.codegen.validation.expectation import Expectations
from gencode.codegen.validation.findings import Finding, Rule
from gencode.codegen.validation.languages import is_test_file
from gencode.codegen.validation.project import Project

_DEFINITION_LANGUAGES = frozenset({"python", "javascript", "go"})
"""Languages in which a pattern can distinguish a definition from a use; in others any occurrence counts."""
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
_WORD = re.compile(r"[\w$]++")
_AFTER_KEYWORD = re.compile(rf"\b(?:{_KEYWORDS})\s++(?=([\w$]++))")
_BEFORE_SIGN = re.compile(r"(?<![\w$])([\w$]++)(?=\s*+(?::(?!:)|=(?!=)|\([^()\n]*+\)\s*+\{))")
_GO_FIELD = re.compile(r"(?:^|[{;])[ \t]*+([\w$]++)(?=[ \t]++[\w*\[])", re.MULTILINE)


def export_findings(project: Project, expectations: Expectations) -> Iterator[Finding]:
    for path, expectation in expectations.items():
        symbols = project.symbols(path)
        if symbols.language and path in project.files and not is_test_file(path):
            yield from _missing_export_findings(project, path, expectation.exports)


def _missing_export_findings(project: Project, path: str, exports: Sequence[str]) -> Iterator[Finding]:
    symbols = project.symbols(path)
    names = filter(None, map(exported_name, exports))
    missing = [name for name in dict.fromkeys(names) if name not in symbols.names]
    defined = _defined_names(symbols.language, project.files[path]) if missing else frozenset()
    for name in missing:
        if name not in defined:
            message = f"the plan promises that {path} defines {name!r}, and it does not"
            yield Finding(
                path=path, line=0, rule=Rule.BROKEN_PROMISE, message=message, instruction="Define it."
            )


def exported_name(export: str) -> str:
    """The identifier in a plan's description of an export ("class User", "create_app() -> Flask"); "" for a
    route, a sentence or a default export."""
    export = re.sub(r"^\s*(?:func\s*)?\([^()]*\)\s*", "", export)  # a receiver in Go
    name = re.split(r"[(:=<\[{,]|->|=>| - | – |（|：", export.replace("::", "."), maxsplit=1)[0].strip()
    if not _NAME.fullmatch(name):
        name = " ".join(_KIND_WORDS.sub(" ", name).split())
    return name.rpartition(".")[2] if _NAME.fullmatch(name) and not _KIND_WORDS.fullmatch(name) else ""


def _defined_names(language: str, text: str) -> frozenset[str]:
    """Which names the text defines, in one pass. Nested definitions count: methods, attributes, members of
    objects."""
    if language not in _DEFINITION_LANGUAGES:
        return frozenset(_WORD.findall(text))
    patterns = (_AFTER_KEYWORD, _BEFORE_SIGN, *((_GO_FIELD,) if language == "go" else ()))
    return frozenset(name for pattern in patterns for name in pattern.findall(text))
