"""Walks the statements of a Python syntax tree in their order, each with its context, without recursion."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

Function = ast.FunctionDef | ast.AsyncFunctionDef
_CATCHING_IMPORT_ERRORS = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """enclosing_class  the class whose body it is in, and not in a function of it
    is_nested        inside a function
    is_guarded       under a condition, or in a block that catches a failing import
    """

    node: ast.stmt
    enclosing_class: ast.ClassDef | None
    is_nested: bool
    is_guarded: bool


def walk_statements(tree: ast.Module) -> Iterator[Statement]:
    stack = [
        Statement(node=node, enclosing_class=None, is_nested=False, is_guarded=False)
        for node in reversed(tree.body)
    ]
    while stack:
        statement = stack.pop()
        yield statement
        stack.extend(reversed(list(_children(statement))))


def bound_names(node: ast.stmt) -> Iterator[str]:
    """The names that a statement binds in its own scope, except those of imports."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Assign):
        for target in node.targets:
            yield from _target_names(target)
    elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.For | ast.AsyncFor):
        yield from _target_names(node.target)
    elif isinstance(node, ast.With | ast.AsyncWith):
        for item in node.items:
            if item.optional_vars:
                yield from _target_names(item.optional_vars)


def _target_names(target: ast.expr) -> Iterator[str]:
    stack = [target]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Tuple | ast.List):
            stack.extend(reversed(node.elts))
        elif isinstance(node, ast.Starred):
            stack.append(node.value)


def _children(statement: Statement) -> Iterator[Statement]:
    node, is_guarded = statement.node, statement.is_guarded
    enclosing_class, is_nested = statement.enclosing_class, statement.is_nested
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        enclosing_class, is_nested = None, True
    elif isinstance(node, ast.ClassDef):
        enclosing_class = node
    elif isinstance(node, ast.If):
        is_guarded = is_guarded or not _is_main(node.test)
    elif isinstance(node, ast.Try | ast.TryStar):
        is_guarded = is_guarded or any(_catches_import_error(handler) for handler in node.handlers)
    elif isinstance(node, ast.With):
        is_guarded = is_guarded or any(_is_suppress(item.context_expr) for item in node.items)
    for child in _blocks(node):
        yield Statement(
            node=child, enclosing_class=enclosing_class, is_nested=is_nested, is_guarded=is_guarded
        )


def _blocks(node: ast.stmt) -> Iterator[ast.stmt]:
    for field in ("body", "handlers", "cases", "orelse", "finalbody"):
        for child in getattr(node, field, ()):
            if isinstance(child, ast.stmt):
                yield child
            else:
                yield from child.body  # an `except` or a `case`


def _catches_import_error(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(getattr(type_, "id", "") in _CATCHING_IMPORT_ERRORS for type_ in types)


def _is_suppress(expression: ast.expr) -> bool:
    """`suppress(ImportError)`, `contextlib.suppress(...)`"""
    called = expression.func if isinstance(expression, ast.Call) else None
    return "suppress" in (getattr(called, "id", ""), getattr(called, "attr", ""))


def _is_main(test: ast.expr) -> bool:
    return isinstance(test, ast.Compare) and getattr(test.left, "id", "") == "__name__"
