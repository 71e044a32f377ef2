"""The lines of each function of a file, for whoever shows a change within the function around it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gencode.codegen.validation.languages import language_of
from gencode.codegen.validation.parse_limits import ParseError
from gencode.codegen.validation.treesitter import captures, parse

if TYPE_CHECKING:
    from tree_sitter import Node

_JAVASCRIPT = """
(function_declaration) @function (generator_function_declaration) @function (method_definition) @function
(function_expression) @function (arrow_function body: (statement_block)) @function
"""
_FUNCTIONS: Mapping[str, str] = {
    "bash": "(function_definition) @function",
    "c": "(function_definition) @function",
    "cpp": "(function_definition) @function (lambda_expression) @function",
    "csharp": """
(method_declaration) @function (constructor_declaration) @function (local_function_statement) @function
(property_declaration) @function
""",
    "go": "(function_declaration) @function (method_declaration) @function (func_literal) @function",
    "java": "(method_declaration) @function (constructor_declaration) @function",
    "javascript": _JAVASCRIPT,
    "php": "(function_definition) @function (method_declaration) @function",
    "python": "(function_definition) @function",
    "ruby": "(method) @function (singleton_method) @function",
    "rust": "(function_item) @function",
    "tsx": _JAVASCRIPT,
    "typescript": _JAVASCRIPT,
}


def function_ranges(path: str, text: str) -> list[tuple[int, int]]:
    """The first and the last line of each function, from 1, in the order of their beginnings; they may be
    nested. Empty for a language without a grammar, and for a text that is too long or cannot be parsed."""
    return [(node.start_point.row + 1, node.end_point.row + 1) for node in function_nodes(path, text)]


def function_nodes(path: str, text: str) -> list[Node]:
    """The syntax nodes of the functions, see `function_ranges`."""
    query = _FUNCTIONS.get(language_of(path))
    try:
        root = parse(language_of(path), text) if query else None
    except ParseError:
        return []
    if not query or root is None:
        return []
    return captures(language_of(path), query, root).get("function", [])
