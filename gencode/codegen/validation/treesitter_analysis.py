"""Analysis of source code in the languages that have a tree-sitter grammar, all but Python."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from gencode.codegen.validation.file_analysis import FileAnalysis, Symbol, Symbols, signature, unparsable
from gencode.codegen.validation.findings import Finding, excerpt, placeholder
from gencode.codegen.validation.go_symbols import go_symbols
from gencode.codegen.validation.grammar_workarounds import SyntaxTree, parse_source
from gencode.codegen.validation.javascript_symbols import javascript_symbols
from gencode.codegen.validation.languages import has_template_syntax
from gencode.codegen.validation.parse_limits import ParseError
from gencode.codegen.validation.placeholder_rules import (
    is_ellipsis_comment,
    may_contain_placeholder,
    placeholder_lines,
)
from gencode.codegen.validation.treesitter import captures, line_of, matches, text_before, text_of
from gencode.codegen.validation.treesitter_queries import BASES, COMMENTS, DEFINITIONS
from gencode.codegen.validation.treesitter_stub_rules import stub_bodies

_JAVASCRIPT = frozenset({"javascript", "typescript", "tsx"})
_SIGNATURE_WITH_BODY = frozenset(
    {"type_spec", "type_alias", "type_definition", "struct_specifier", "struct_item", "enum_item"}
)
"""Kinds of definitions whose body is part of the signature, because other files need the fields."""


def analyze_source(path: str, text: str, language: str) -> FileAnalysis:
    if language == "html" and has_template_syntax(text):
        return FileAnalysis()
    try:
        tree = parse_source(language, text)
    except ParseError as error:
        return unparsable(path, error.line, error.reason)
    if tree is None:
        return FileAnalysis()
    return FileAnalysis(
        symbols=_symbols(tree, text),
        findings=tuple(_comment_findings(path, tree, text)),
        stubs=tuple(stub_bodies(path, tree, text)),
    )


def global_definitions(language: str, text: str) -> tuple[Symbol, ...]:
    """The global names that a classic script defines in the page that loads it."""
    try:
        tree = parse_source(language, text)
    except ParseError:
        return ()
    return _definitions(tree) if tree else ()


def _symbols(tree: SyntaxTree, text: str) -> Symbols:
    if tree.language in _JAVASCRIPT:
        return javascript_symbols(tree, text, _bases(tree))
    if tree.language == "go":
        return go_symbols(tree, _definitions(tree))
    return Symbols(language=tree.language, exports=_definitions(tree), bases=_bases(tree))


def _definitions(tree: SyntaxTree) -> tuple[Symbol, ...]:
    """The definitions in the order of the file, each name once."""
    found: dict[str, Symbol] = {}
    for match in matches(tree.language, DEFINITIONS[tree.language], tree.root):
        definition, name = match["def"][0], text_of(match["name"][-1])
        head = _signature(definition, tree.language)
        found.setdefault(name, Symbol(name=name, line=line_of(definition), signature=head))
    return tuple(sorted(found.values(), key=lambda symbol: symbol.line))


def _signature(definition: Node, language: str) -> str:
    body = definition.child_by_field_name("body")
    if language == "ruby":
        return signature(text_of(definition).partition("\n")[0])
    if body is None or definition.type in _SIGNATURE_WITH_BODY:
        return signature(text_of(definition))
    return signature(text_before(definition, body))


def _bases(tree: SyntaxTree) -> frozenset[str]:
    if tree.language not in BASES:
        return frozenset()
    found = captures(tree.language, BASES[tree.language], tree.root)
    return frozenset(text_of(base) for base in found.get("base", ()))


def _comment_findings(path: str, tree: SyntaxTree, text: str) -> Iterator[Finding]:
    if not (may_contain_placeholder(text) or "..." in text or "…" in text):
        return
    for comment in captures(tree.language, COMMENTS[tree.language], tree.root).get("comment", ()):
        words, line = text_of(comment), line_of(comment)
        if is_ellipsis_comment(words) and _is_among_elements(comment):
            yield placeholder(path, line, f"The comment {excerpt(words)!r}")
        for row, part in placeholder_lines(words):
            yield placeholder(path, line + row, f"The comment {excerpt(part)!r}")


def _is_among_elements(comment: Node) -> bool:
    """`{/* ... */}` and `<!-- ... -->`, which stand where elements would."""
    parent = comment.parent
    return parent is not None and parent.type in ("jsx_expression", "element", "document", "fragment")
