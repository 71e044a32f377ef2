"""The statements of a Python module, each with what is around it; without recursion, in their order."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

Function = ast.FunctionDef | ast.AsyncFunctionDef
_SURVIVORS = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """owner    the class whose body this is part of, else None
    nested   inside a function
    guarded  inside a `try` that survives a failing import, or under a condition
    """

    node: ast.stmt
    owner: ast.ClassDef | None
    nested: bool
    guarded: bool


def places(tree: ast.Module) -> Iterator[Place]:
    stack = [Place(node=node, owner=None, nested=False, guarded=False) for node in reversed(tree.body)]
    while stack:
        place = stack.pop()
        yield place
        stack.extend(reversed(list(_inside(place))))


def bound_names(node: ast.stmt) -> Iterator[str]:
    """The names that a statement defines where it stands; those of imports are not its own."""
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


def _inside(place: Place) -> Iterator[Place]:
    node, guarded = place.node, place.guarded
    owner, nested = place.owner, place.nested
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        owner, nested = None, True
    elif isinstance(node, ast.ClassDef):
        owner = node
    elif isinstance(node, ast.If):
        guarded = guarded or not _is_main(node.test)
    elif isinstance(node, ast.Try | ast.TryStar):
        guarded = guarded or any(_survives(handler) for handler in node.handlers)
    elif isinstance(node, ast.With):
        guarded = guarded or any(_suppresses(item.context_expr) for item in node.items)
    for child in _blocks(node):
        yield Place(node=child, owner=owner, nested=nested, guarded=guarded)


def _blocks(node: ast.stmt) -> Iterator[ast.stmt]:
    for field in ("body", "handlers", "cases", "orelse", "finalbody"):
        for child in getattr(node, field, ()):
            if isinstance(child, ast.stmt):
                yield child
            else:
                yield from child.body  # an except or a case


def _survives(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(getattr(kind, "id", "") in _SURVIVORS for kind in kinds)


def _suppresses(expression: ast.expr) -> bool:
    """`suppress(ImportError)`, `contextlib.suppress(...)`"""
    called = expression.func if isinstance(expression, ast.Call) else None
    return "suppress" in (getattr(called, "id", ""), getattr(called, "attr", ""))


def _is_main(test: ast.expr) -> bool:
    return isinstance(test, ast.Compare) and getattr(test.left, "id", "") == "__name__"
