"""Python files: read with the interpreter's own parser.

Syntax newer than this interpreter (3.12's type parameters and nested quotes in f-strings) is what models
write today, so a file that `ast` refuses for such a construct is read by tree-sitter instead.
"""

from __future__ import annotations

import ast
import threading
import warnings
from collections.abc import Iterator

from gencode.codegen.validation.file_facts import Reading, unreadable
from gencode.codegen.validation.grammar import (
    LONGEST,
    GaveUp,
    captures,
    first_error,
    line,
    parse,
    text_of,
)
from gencode.codegen.validation.language import is_test
from gencode.codegen.validation.python_statements import Place, bound_names, places
from gencode.codegen.validation.python_stubs import comment_findings, stubs
from gencode.codegen.validation.symbols import Import, Symbol, Symbols, signature

_NAME = "<generated>"
_PARSER = threading.Lock()
"""CPython 3.11 counts the depth of all trees that it builds in one variable: two threads at once can end in
"SystemError: AST constructor recursion depth mismatch"."""
_NEWER = "(type_parameter) @new (type_alias_statement) @new (interpolation) @new"
_OLDER = "(print_statement) @old (exec_statement) @old"
_DEFINITIONS = """
(module (function_definition name: (identifier) @name) @def)
(module (class_definition name: (identifier) @name) @def)
(module (decorated_definition definition: (_ name: (identifier) @name)) @def)
(module (expression_statement (assignment left: (identifier) @name) @def))
(module (type_alias_statement . (type (identifier) @name)) @def)
"""
_DYNAMIC = ("globals()", "sys.modules", "exec(", "vars()")


def read_python(path: str, text: str) -> Reading:
    if len(text) > LONGEST:
        return Reading()
    try:
        tree = _parse(text)
    except SyntaxError as error:
        return _read_newer(path, text) or unreadable(path, error.lineno or 0, error.msg)
    except (ValueError, RecursionError, MemoryError) as error:
        return unreadable(
            path, 0, f"it is nested too deeply or has impossible characters ({type(error).__name__})"
        )
    return _reading(path, text, tree)


def _parse(text: str) -> ast.Module:
    # "\d" in a string is a warning, which strict filters make an error and lax ones print. A filter for this
    # one invented file name is safe from any thread, as `catch_warnings` is not; repeating it adds nothing.
    warnings.filterwarnings("ignore", module=_NAME)
    with _PARSER:
        return ast.parse(text.removeprefix("\ufeff"), filename=_NAME)


def _reading(path: str, text: str, tree: ast.Module) -> Reading:
    lines = text.split("\n")
    found = list(places(tree))
    symbols = Symbols(
        language="python",
        exports=tuple(_exports(tree, found, lines)),
        imports=tuple(_imports(found, is_test(path))),
        bases=frozenset(_bases(found)),
        also=frozenset(_also(found)),
        open=_is_open(found, text),
    )
    return Reading(
        symbols=symbols,
        findings=tuple(comment_findings(path, text)),
        stubs=tuple(stubs(path, found, lines)),
    )


# --- what a module offers ---------------------------------------------------------------------------


def _exports(tree: ast.Module, found: list[Place], lines: list[str]) -> Iterator[Symbol]:
    seen: set[str] = set()
    for place in found:
        if place.owner or place.nested:
            continue
        for name in bound_names(place.node):
            if name not in seen:
                seen.add(name)
                yield Symbol(name=name, line=place.node.lineno, signature=_signature(place.node, lines))


def _signature(node: ast.stmt, lines: list[str]) -> str:
    if isinstance(node, ast.ClassDef):
        members = "; ".join(_member(member, lines) for member in node.body if _is_public(member))
        return signature(f"{_head(node, lines)} {members}")
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return signature(_head(node, lines).removesuffix(":"))
    return signature(lines[node.lineno - 1])


def _member(node: ast.stmt, lines: list[str]) -> str:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return _head(node, lines).removesuffix(":")
    return lines[node.lineno - 1].strip()


def _is_public(node: ast.stmt) -> bool:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return node.name == "__init__" or not node.name.startswith("_")
    return isinstance(node, ast.AnnAssign | ast.Assign)


def _head(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, lines: list[str]) -> str:
    """From the first decorator to the colon."""
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    body = node.body[0]
    decorated = getattr(body, "decorator_list", [])
    last = min([body.lineno, *(decorator.lineno for decorator in decorated)])
    if last == node.lineno:
        return " ".join([*lines[first - 1 : last - 1], lines[last - 1][: body.col_offset]]).strip()
    checkpoints = (text for text in lines[first - 1 : last - 1] if not text.lstrip().startswith("#"))
    return " ".join(" ".join(checkpoints).split())


def _also(found: list[Place]) -> Iterator[str]:
    """Names that can be imported from here though they are not defined here."""
    for place in found:
        node = place.node
        if isinstance(node, ast.Global):
            yield from node.names
        elif not place.nested and isinstance(node, ast.Import | ast.ImportFrom):
            yield from ((alias.asname or alias.name).partition(".")[0] for alias in node.names)
        elif not place.nested and isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Expr):
            yield from _listed(node)


def _listed(node: ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Expr) -> Iterator[str]:
    """The strings of `__all__`."""
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
        yield from (
            item.value
            for item in getattr(node.value, "elts", ())
            if isinstance(item, ast.Constant) and isinstance(item.value, str)
        )


def _is_open(found: list[Place], text: str) -> bool:
    star = any(
        isinstance(place.node, ast.ImportFrom) and any(alias.name == "*" for alias in place.node.names)
        for place in found
    )
    dynamic = any(
        isinstance(place.node, ast.FunctionDef) and place.node.name == "__getattr__" and not place.owner
        for place in found
    )
    return star or dynamic or any(sign in text for sign in _DYNAMIC)


def _bases(found: list[Place]) -> Iterator[str]:
    for place in found:
        if isinstance(place.node, ast.ClassDef):
            for base in place.node.bases:
                inner = base.value if isinstance(base, ast.Subscript) else base
                yield str(getattr(inner, "id", getattr(inner, "attr", "")))


# --- what a module takes ----------------------------------------------------------------------------


def _imports(found: list[Place], in_test: bool) -> Iterator[Import]:
    """Tests import, inside their functions, modules that they have just written."""
    for place in found:
        node = place.node
        optional = place.guarded or (in_test and place.nested)
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(module=alias.name, line=node.lineno, optional=optional)
        elif isinstance(node, ast.ImportFrom):
            yield Import(
                module=node.module or "",
                line=node.lineno,
                names=tuple(alias.name for alias in node.names),
                level=node.level,
                optional=optional,
            )


# --- syntax that this interpreter does not know -----------------------------------------------------


def _read_newer(path: str, text: str) -> Reading | None:
    """None when it is not newer but wrong."""
    try:
        root = parse("python", text)
    except GaveUp:
        return None
    if root is None or first_error(root) or captures("python", _OLDER, root):
        return None
    if not captures("python", _NEWER, root):
        return None
    found = captures("python", _DEFINITIONS, root)
    exports = tuple(
        Symbol(
            name=text_of(name),
            line=line(name),
            signature=signature(text_of(name.parent or name).split(":\n")[0]),
        )
        for name in found.get("name", ())
    )
    # Its imports are not read, and others may find more in it than these names: it is not judged further.
    return Reading(
        symbols=Symbols(language="python", exports=exports), findings=tuple(comment_findings(path, text))
    )
