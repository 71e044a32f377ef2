"""Analysis of Python files with the interpreter's own parser.

Models write syntax that is newer than this interpreter (3.12's type parameters and nested quotes in
f-strings), so a file that `ast` refuses for such a construct is parsed by tree-sitter instead.
"""

from __future__ import annotations

import ast
import threading
import warnings
from collections.abc import Iterator

from gencode.codegen.validation.file_analysis import (
    FileAnalysis,
    Import,
    Symbol,
    Symbols,
    signature,
    unparsable,
)
from gencode.codegen.validation.languages import is_test_file
from gencode.codegen.validation.parse_limits import MAX_BYTES, LimitExceeded
from gencode.codegen.validation.python_ast_walker import Function, Statement, bound_names, walk_statements
from gencode.codegen.validation.python_stub_rules import comment_findings, python_stub_bodies
from gencode.codegen.validation.treesitter import captures, first_error, line_of, parse, text_of

_FILENAME = "<generated>"
_PARSER_LOCK = threading.Lock()
"""CPython 3.11 counts the depth of all trees that it builds in one variable: two threads at once can raise
"SystemError: AST constructor recursion depth mismatch"."""
_NEWER_SYNTAX = "(type_parameter) @new (type_alias_statement) @new (interpolation) @new"
_PYTHON_2_SYNTAX = "(print_statement) @old (exec_statement) @old"
_DEFINITIONS = """
(module (function_definition name: (identifier) @name) @def)
(module (class_definition name: (identifier) @name) @def)
(module (decorated_definition definition: (_ name: (identifier) @name)) @def)
(module (expression_statement (assignment left: (identifier) @name) @def))
(module (type_alias_statement . (type (identifier) @name)) @def)
"""
_DYNAMIC_DEFINITIONS = ("globals()", "sys.modules", "exec(", "vars()")


def analyze_python(path: str, text: str) -> FileAnalysis:
    if len(text) > MAX_BYTES:
        return FileAnalysis()
    try:
        tree = _parse(text)
    except SyntaxError as error:
        return _analyze_newer_syntax(path, text) or unparsable(path, error.lineno or 0, error.msg)
    except (ValueError, RecursionError, MemoryError) as error:
        return unparsable(
            path, 0, f"it is nested too deeply or has impossible characters ({type(error).__name__})"
        )
    return _analysis(path, text, tree)


def _parse(text: str) -> ast.Module:
    # "\d" in a string is a warning, which strict filters turn into an error and lax ones print. A filter for
    # this one invented file name is thread-safe, unlike `catch_warnings`; repeating it adds nothing.
    warnings.filterwarnings("ignore", module=_FILENAME)
    with _PARSER_LOCK:
        return ast.parse(text.removeprefix("\ufeff"), filename=_FILENAME)


def _analysis(path: str, text: str, tree: ast.Module) -> FileAnalysis:
    lines = text.split("\n")
    statements = list(walk_statements(tree))
    symbols = Symbols(
        language="python",
        exports=tuple(_exports(statements, lines)),
        imports=tuple(_imports(statements, is_test_file(path))),
        bases=frozenset(_bases(statements)),
        reexports=frozenset(_reexports(statements)),
        has_unknown_exports=_has_unknown_exports(statements, text),
    )
    return FileAnalysis(
        symbols=symbols,
        findings=tuple(comment_findings(path, text)),
        stubs=tuple(python_stub_bodies(path, statements, lines)),
    )


# --- exports ----------------------------------------------------------------------------------------


def _exports(statements: list[Statement], lines: list[str]) -> Iterator[Symbol]:
    seen: set[str] = set()
    for statement in statements:
        if statement.enclosing_class or statement.is_nested:
            continue
        node = statement.node
        for name in bound_names(node):
            if name not in seen:
                seen.add(name)
                yield Symbol(name=name, line=node.lineno, signature=_signature(node, lines))


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


def _head(node: Function | ast.ClassDef, lines: list[str]) -> str:
    """The head of a definition, from the first decorator to the colon."""
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    body = node.body[0]
    decorated = getattr(body, "decorator_list", [])
    last = min([body.lineno, *(decorator.lineno for decorator in decorated)])
    if last == node.lineno:
        return " ".join([*lines[first - 1 : last - 1], lines[last - 1][: body.col_offset]]).strip()
    code = (text for text in lines[first - 1 : last - 1] if not text.lstrip().startswith("#"))
    return " ".join(" ".join(code).split())


def _reexports(statements: list[Statement]) -> Iterator[str]:
    """Names that others can import from here though they are not defined here."""
    for statement in statements:
        node = statement.node
        if isinstance(node, ast.Global):
            yield from node.names
        elif statement.is_nested:
            continue
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from ((alias.asname or alias.name).partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Expr):
            yield from _dunder_all(node)


def _dunder_all(node: ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Expr) -> Iterator[str]:
    """The strings of `__all__`."""
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
        yield from (
            item.value
            for item in getattr(node.value, "elts", ())
            if isinstance(item, ast.Constant) and isinstance(item.value, str)
        )


def _has_unknown_exports(statements: list[Statement], text: str) -> bool:
    return any(map(_adds_unknown_exports, statements)) or any(sign in text for sign in _DYNAMIC_DEFINITIONS)


def _adds_unknown_exports(statement: Statement) -> bool:
    """Whether the module may have unknown exports: by a star import, or by its own `__getattr__`."""
    node = statement.node
    if isinstance(node, ast.ImportFrom):
        return any(alias.name == "*" for alias in node.names)
    return isinstance(node, ast.FunctionDef) and node.name == "__getattr__" and not statement.enclosing_class


def _bases(statements: list[Statement]) -> Iterator[str]:
    for statement in statements:
        if isinstance(statement.node, ast.ClassDef):
            for base in statement.node.bases:
                inner = base.value if isinstance(base, ast.Subscript) else base
                yield str(getattr(inner, "id", getattr(inner, "attr", "")))


# --- imports ----------------------------------------------------------------------------------------


def _imports(statements: list[Statement], in_test: bool) -> Iterator[Import]:
    """The imports. In tests, those inside of functions are optional: they may import what the test has just
    written."""
    for statement in statements:
        node = statement.node
        is_optional = statement.is_guarded or (in_test and statement.is_nested)
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(module=alias.name, line=node.lineno, is_optional=is_optional)
        elif isinstance(node, ast.ImportFrom):
            yield Import(
                module=node.module or "",
                line=node.lineno,
                names=tuple(alias.name for alias in node.names),
                level=node.level,
                is_optional=is_optional,
            )


# --- syntax that this interpreter does not know -----------------------------------------------------


def _analyze_newer_syntax(path: str, text: str) -> FileAnalysis | None:
    """The analysis by tree-sitter; None if the syntax is not newer but wrong."""
    try:
        root = parse("python", text)
    except LimitExceeded:
        return None
    if root is None or first_error(root) or captures("python", _PYTHON_2_SYNTAX, root):
        return None
    if not captures("python", _NEWER_SYNTAX, root):
        return None
    found = captures("python", _DEFINITIONS, root)
    exports = tuple(
        Symbol(
            name=text_of(name),
            line=line_of(name),
            signature=signature(text_of(name.parent or name).split(":\n")[0]),
        )
        for name in found.get("name", ())
    )
    # Its imports are not read, and others may find more in it than these names: no other rule applies.
    return FileAnalysis(
        symbols=Symbols(language="python", exports=exports), findings=tuple(comment_findings(path, text))
    )
