"""Programs in the languages that a grammar is at hand for."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from gencode.codegen.validation.file_facts import Reading, placeholder, unreadable
from gencode.codegen.validation.finding import Finding, shown
from gencode.codegen.validation.go_source import go_symbols
from gencode.codegen.validation.grammar import GaveUp, captures, line, matches, text_of
from gencode.codegen.validation.javascript_source import javascript_symbols
from gencode.codegen.validation.language import has_template_syntax
from gencode.codegen.validation.placeholder_rules import is_only_dots, placeholders, promising
from gencode.codegen.validation.stub_rules import bodies
from gencode.codegen.validation.symbols import Symbol, Symbols, signature
from gencode.codegen.validation.syntax_tree import Parsed, Unparsable, parse_source
from gencode.codegen.validation.tree_queries import BASES, COMMENTS, DEFINITIONS

_SCRIPTS = frozenset({"javascript", "typescript", "tsx"})
_WHOLE = frozenset(
    {"type_spec", "type_alias", "type_definition", "struct_specifier", "struct_item", "enum_item"}
)
"""Definitions that are all signature: their fields are what others need."""


def read_code(path: str, text: str, language: str) -> Reading:
    if language == "html" and has_template_syntax(text):
        return Reading()
    try:
        parsed = parse_source(language, text)
    except GaveUp as error:
        return unreadable(path, error.line, error.message)
    except Unparsable as error:
        return unreadable(path, error.line, error.reason)
    if parsed is None:
        return Reading()
    return Reading(
        symbols=_symbols(parsed, text),
        findings=tuple(_comment_findings(path, parsed, text)),
        stubs=tuple(bodies(path, parsed, text)),
    )


def global_definitions(language: str, text: str) -> tuple[Symbol, ...]:
    """What a classic script adds to the page it is loaded into."""
    try:
        parsed = parse_source(language, text)
    except (GaveUp, Unparsable):
        return ()
    return definitions(parsed) if parsed else ()


def _symbols(parsed: Parsed, text: str) -> Symbols:
    if parsed.language in _SCRIPTS:
        return javascript_symbols(parsed, text, _bases(parsed))
    if parsed.language == "go":
        return go_symbols(parsed, definitions(parsed))
    return Symbols(language=parsed.language, exports=definitions(parsed), bases=_bases(parsed))


def definitions(parsed: Parsed) -> tuple[Symbol, ...]:
    """In the order of the file, each name once."""
    found: dict[str, Symbol] = {}
    for match in matches(parsed.language, DEFINITIONS[parsed.language], parsed.root):
        definition, name = match["def"][0], match["name"][-1]
        head = _signature(definition, parsed.language)
        symbol = Symbol(name=text_of(name), line=line(definition), signature=head)
        found.setdefault(symbol.name, symbol)
    return tuple(sorted(found.values(), key=lambda symbol: symbol.line))


def _signature(definition: Node, language: str) -> str:
    body = definition.child_by_field_name("body")
    if language == "ruby":
        return signature(text_of(definition).partition("\n")[0])
    if body is None or definition.type in _WHOLE:
        return signature(text_of(definition))
    head = (definition.text or b"")[: body.start_byte - definition.start_byte]
    return signature(head.decode("utf-8", "replace"))


def _bases(parsed: Parsed) -> frozenset[str]:
    if parsed.language not in BASES:
        return frozenset()
    found = captures(parsed.language, BASES[parsed.language], parsed.root)
    return frozenset(text_of(base) for base in found.get("base", ()))


def _comment_findings(path: str, parsed: Parsed, text: str) -> Iterator[Finding]:
    if not (promising(text) or "..." in text or "…" in text):
        return
    found = captures(parsed.language, COMMENTS[parsed.language], parsed.root)
    for comment in found.get("comment", ()):
        words = text_of(comment)
        if is_only_dots(words) and _stands_for_markup(comment):
            yield placeholder(path, line(comment), f"The comment {shown(words)!r}")
        for row, part in placeholders(words):
            yield placeholder(path, line(comment) + row, f"The comment {shown(part)!r}")


def _stands_for_markup(comment: Node) -> bool:
    """`{/* ... */}` and `<!-- ... -->`: where elements would be."""
    parent = comment.parent
    return parent is not None and parent.type in ("jsx_expression", "element", "document", "fragment")
