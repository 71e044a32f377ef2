"""The exports and imports of a JavaScript or TypeScript module, as an ES module and in CommonJS."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from gencode.codegen.validation.file_analysis import Import, Symbol, Symbols, signature
from gencode.codegen.validation.grammar_workarounds import SyntaxTree
from gencode.codegen.validation.treesitter import captures, line_of, matches, text_before, text_of
from gencode.codegen.validation.treesitter_queries import JS_ASSIGNED, JS_CALLS, JS_STATEMENTS

DEFAULT = "default"
_COMMONJS_EXPORTS = re.compile(r"(?<![\w$.])(?:module\s*\.\s*)?exports\b")
_AMBIENT = re.compile(
    r"\bdeclare\s+(?:module|global)\b|\bexport\s*=|\bexport\s+as\s+namespace\b|\bdefine\s*\("
)
_DECLARATORS = frozenset({"variable_declarator"})
_PATTERNS = frozenset(
    {"object_pattern", "array_pattern", "pair_pattern", "rest_pattern", "assignment_pattern"}
)
_BODIES = frozenset({"statement_block"})
_MEMBERS = frozenset({"method_definition", "public_field_definition", "field_definition", "method_signature"})


def javascript_symbols(tree: SyntaxTree, text: str, bases: frozenset[str]) -> Symbols:
    statements = captures(tree.language, JS_STATEMENTS, tree.root)
    exported = sorted(statements.get("export", []), key=line_of)
    exports = {symbol.name: symbol for node in exported for symbol in _exports(node)}
    assigned, understood = _commonjs_exports(tree, text)
    return Symbols(
        language="javascript",
        exports=tuple(exports.values()) + tuple(s for s in assigned if s.name not in exports),
        imports=tuple(_imports(tree, statements.get("import", []), exported, "define.amd" in text)),
        bases=bases,
        # Node and every bundler give importers of a CommonJS module all of it as the default.
        reexports=frozenset({DEFAULT}) if _COMMONJS_EXPORTS.search(text) else frozenset(),
        has_unknown_exports=not understood
        or any(_is_star(node) for node in exported)
        or bool(_AMBIENT.search(text)),
    )


# --- ES exports -------------------------------------------------------------------------------------


def _exports(statement: Node) -> Iterator[Symbol]:
    def symbol(name: str) -> Symbol:
        return Symbol(name=name, line=line_of(statement), signature=_signature(statement))

    if any(child.type == "default" for child in statement.children):
        yield symbol(DEFAULT)  # its own name, if it has one, cannot be imported
        return
    for child in statement.named_children:
        if child.type == "export_clause":
            yield from (
                symbol(_exported_name(spec)) for spec in child.named_children if "specifier" in spec.type
            )
        elif child.type == "namespace_export":
            yield from (symbol(text_of(name)) for name in child.named_children)
    declaration = statement.child_by_field_name("declaration")
    if declaration is not None:
        yield from (symbol(name) for name in _bound_names(declaration))


def _exported_name(specifier: Node) -> str:
    name = specifier.child_by_field_name("alias") or specifier.child_by_field_name("name")
    return text_of(name).strip("'\"") if name else ""


def _bound_names(declaration: Node) -> Iterator[str]:
    """The names that a declaration binds, also by destructuring."""
    name = declaration.child_by_field_name("name")
    if name is not None:
        yield text_of(name)
    stack = [child for child in declaration.named_children if child.type in _DECLARATORS]
    stack += [child for child in declaration.named_children if "declaration" in child.type]  # `declare const`
    while stack:
        node = stack.pop()
        target = node.child_by_field_name("name") or node.child_by_field_name("left") or node
        if target.type in ("identifier", "type_identifier", "shorthand_property_identifier_pattern"):
            yield text_of(target)
        elif target.type in _PATTERNS or "declaration" in target.type:
            stack.extend(target.named_children)


def _is_star(statement: Node) -> bool:
    return any(child.type == "*" for child in statement.children)


def _signature(statement: Node) -> str:
    """The text up to the first body; for a class, with the heads of its members."""
    declaration = (
        statement.child_by_field_name("declaration") or statement.child_by_field_name("value") or statement
    )
    body = declaration.child_by_field_name("body")
    if body is None or body.type not in _BODIES | {"class_body"}:
        return signature(text_of(statement).partition("=> {")[0])
    head = text_before(statement, body)
    if body.type != "class_body":
        return signature(head)
    members = [_member(child) for child in body.named_children if child.type in _MEMBERS]
    return signature(f"{head} {{ {'; '.join(members)} }}")


def _member(member: Node) -> str:
    body = member.child_by_field_name("body") or member.child_by_field_name("value")
    return (text_before(member, body) if body else text_of(member)).strip(" =")


# --- CommonJS exports -------------------------------------------------------------------------------


def _commonjs_exports(tree: SyntaxTree, text: str) -> tuple[list[Symbol], bool]:
    """The names, and whether every occurrence of `exports` was understood."""
    occurrences = len(_COMMONJS_EXPORTS.findall(text))
    if not occurrences:
        return [], True
    symbols: list[Symbol] = []
    understood = 0
    for match in matches(tree.language, JS_ASSIGNED, tree.root):
        left, right = match["left"][0], match["right"][0]
        names = _assigned_names(text_of(left), right)
        if names is not None:
            understood += 1
            symbols += [Symbol(name=name, line=line_of(left), signature=_head(left, right)) for name in names]
    return symbols, understood == occurrences


def _assigned_names(left: str, right: Node) -> list[str] | None:
    """The names that one assignment exports; None when they are not known."""
    name = left.removeprefix("module.").removeprefix("exports")
    if name:
        return [name[1:]] if name[1:].isidentifier() or "$" in name else None
    if right.type != "object":
        return None
    names: list[str] = []
    for child in right.named_children:
        key = child.child_by_field_name("key") or child.child_by_field_name("name") or child
        if key.type in ("property_identifier", "shorthand_property_identifier", "string"):
            names.append(text_of(key).strip("'\""))
        elif key.type != "comment":
            return None
    return names


def _head(left: Node, right: Node) -> str:
    body = right.child_by_field_name("body")
    tail = text_before(right, body) if body else text_of(right)
    return signature(f"{text_of(left)} = {tail}")


# --- imports, of both kinds -------------------------------------------------------------------------


def _imports(
    tree: SyntaxTree, imported: list[Node], exported: list[Node], is_universal: bool
) -> Iterator[Import]:
    """`is_universal`: a UMD module, which tries several ways of loading: any of its imports may fail."""
    for node in imported:
        if source := _source(node):
            clause = next((child for child in node.named_children if child.type == "import_clause"), None)
            yield Import(module=source, line=line_of(node), names=tuple(_imported_names(clause)))
    for node in exported:
        if source := _source(node):
            yield Import(module=source, line=line_of(node), names=tuple(_reexported_names(node)))
    for match in matches(tree.language, JS_CALLS, tree.root):
        call, source = match["call"][0], _unquoted(match["from"][0])
        is_optional = is_universal or _handles_failure(call)
        yield Import(
            module=source, line=line_of(call), names=tuple(_destructured_names(call)), is_optional=is_optional
        )


def _source(statement: Node) -> str:
    """The module that the statement imports. (In `import x = require("y")` it is in a clause of its own.)"""
    node = statement.child_by_field_name("source")
    if node is None:
        clause = next((c for c in statement.named_children if c.type == "import_require_clause"), None)
        node = clause.child_by_field_name("source") if clause else None
    return _unquoted(node) if node else ""


def _unquoted(node: Node) -> str:
    return text_of(node)[1:-1]


def _imported_names(clause: Node | None) -> Iterator[str]:
    for child in clause.named_children if clause else ():
        if child.type == "identifier":
            yield DEFAULT
        elif child.type == "named_imports":
            yield from _specifier_names(child)


def _reexported_names(statement: Node) -> Iterator[str]:
    for child in statement.named_children:
        if child.type == "export_clause":
            yield from _specifier_names(child)


def _specifier_names(clause: Node) -> Iterator[str]:
    for specifier in clause.named_children:
        name = specifier.child_by_field_name("name")
        if name is not None:
            yield text_of(name).strip("'\"")


def _destructured_names(call: Node) -> Iterator[str]:
    """`a` and `b` of `const { a, b: c } = require("x")`, also of `await import("x")`."""
    parent = call.parent
    if parent is not None and parent.type == "await_expression":
        parent = parent.parent
    if parent is None or parent.type != "variable_declarator":
        return
    pattern = parent.child_by_field_name("name")
    for part in pattern.named_children if pattern and pattern.type == "object_pattern" else ():
        key = part.child_by_field_name("key") or part.child_by_field_name("left") or part
        if key.type in ("property_identifier", "shorthand_property_identifier_pattern"):
            yield text_of(key)


def _handles_failure(call: Node) -> bool:
    """Whether it is inside a `try`, or a promise with its own `catch`."""
    node = call.parent
    while node is not None:
        if node.type == "try_statement":
            return True
        if node.type == "member_expression" and text_of(node).endswith(".catch"):
            return True
        node = node.parent
    return False
