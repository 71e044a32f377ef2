"""Whether a file defines what its plan promises to others."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gencode.codegen.plan import Plan, PlannedFile
from gencode.codegen.validation.finding import Finding, Rule
from gencode.codegen.validation.language import is_test
from gencode.codegen.validation.project import Project

# Languages in which a definition can be told from a use; in the others the bare word will do.
_KNOWN = frozenset({"python", "javascript", "go"})
_KINDS = re.compile(
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


def promise_findings(project: Project, plan: Plan) -> Iterator[Finding]:
    for file in plan.files:
        symbols = project.symbols(file.path)
        if symbols.language and file.path in project.files and not is_test(file.path):
            yield from _broken(project, file)


def _broken(project: Project, file: PlannedFile) -> Iterator[Finding]:
    symbols, text = project.symbols(file.path), project.files[file.path]
    for promise in file.exports:
        name = promised_name(promise)
        if name and name not in symbols.names and not _defines(symbols.language, text, name):
            message = f"the plan promises that {file.path} defines {name!r}, and it does not: define it"
            yield Finding(path=file.path, line=0, rule=Rule.BROKEN_PROMISE, message=message)


def promised_name(promise: str) -> str:
    """The identifier that a promise is about; "" for a route, a sentence, a default export."""
    promise = re.sub(r"^\s*(?:func\s*)?\([^()]*\)\s*", "", promise)  # a receiver in Go
    bare = re.split(r"[(:=<\[{,]|->|=>| - | – |（|：", promise.replace("::", "."), maxsplit=1)[0].strip()
    if not _NAME.fullmatch(bare):
        bare = " ".join(_KINDS.sub(" ", bare).split())
    return bare.rpartition(".")[2] if _NAME.fullmatch(bare) and not _KINDS.fullmatch(bare) else ""


def _defines(language: str, text: str, name: str) -> bool:
    """Nested definitions count: methods, attributes, members of an object."""
    word = rf"(?<![\w$]){re.escape(name)}(?![\w$])"
    if language not in _KNOWN:
        return re.search(word, text) is not None
    field = rf"|^[ \t]*{word}[ \t]+[\w*\[]|[{{;][ \t]*{word}[ \t]+[\w*\[]" if language == "go" else ""
    definition = rf"\b(?:{_KEYWORDS})\s+{word}{field}|{word}\s*(?::(?!:)|=(?!=)|\([^()\n]*\)\s*\{{)"
    return re.search(definition, text, re.MULTILINE) is not None
