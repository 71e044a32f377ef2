"""Mutants of Python functions: small faults, one in each, which a test of the function should notice.

A mutant is the whole module, written anew from its syntax tree. `control` is the same without a fault: a test
that fails on it reads the source text, and proves nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gencode.codegen.test_code.functions import FunctionNode, parsed

MAX_MUTANTS = 40
MAX_CHARACTERS = 1_500_000
"""Of all mutants of a module: writing 50,000 characters takes a tenth of a second."""
_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_BOUNDARIES: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Mutant:
    """kind: comparison, boundary, arithmetic, boolean, condition, return or constant; text: the module."""

    kind: str
    line: int
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class _Change:
    """Which field of a node becomes what; with an index, which item of the field."""

    kind: str
    line: int
    node: ast.AST
    field: str
    value: object
    index: int | None = None


def control(text: str) -> str:
    """The module in another form, with a statement without effect in each function. Raises SyntaxError."""
    tree = parsed(text)
    for node in ast.walk(tree):
        if isinstance(node, FunctionNode):
            node.body.append(ast.Pass())
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


def mutants(text: str, ranges: Sequence[tuple[int, int]]) -> list[Mutant]:
    """At most MAX_MUTANTS, spread over the functions in these lines. Raises SyntaxError."""
    tree = parsed(text)
    changes = list(_changes(tree, ranges))
    most = max(4, min(MAX_MUTANTS, MAX_CHARACTERS // max(1, len(text))))
    step = max(1, -(-len(changes) // most))
    return [_mutant(tree, change) for change in changes[::step]]


def _mutant(tree: ast.Module, change: _Change) -> Mutant:
    """The tree is changed for a moment."""
    original = getattr(change.node, change.field)
    value = change.value
    if change.index is not None:
        value = [*original[: change.index], change.value, *original[change.index + 1 :]]
    setattr(change.node, change.field, value)
    text = ast.unparse(ast.fix_missing_locations(tree)) + "\n"
    setattr(change.node, change.field, original)
    return Mutant(kind=change.kind, line=change.line, text=text)


def _changes(tree: ast.Module, ranges: Sequence[tuple[int, int]]) -> Iterator[_Change]:
    done = {id(part) for node in ast.walk(tree) for part in _without_behaviour(node)}
    for node in ast.walk(tree):
        if not isinstance(node, FunctionNode) or not any(a <= node.lineno <= b for a, b in ranges):
            continue
        for inner in (inner for statement in node.body for inner in ast.walk(statement)):
            if id(inner) not in done:
                done.add(id(inner))  # it may be in a function inside of this one
                yield from _changes_of(inner)


def _without_behaviour(node: ast.AST) -> Iterator[ast.AST]:
    """Docstrings and annotations."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        yield node.value
    for field in ("annotation", "returns"):
        if isinstance(found := getattr(node, field, None), ast.AST):
            yield from ast.walk(found)


def _changes_of(node: ast.AST) -> Iterator[_Change]:
    line = getattr(node, "lineno", 0)
    if isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops):
            for kind, table in (("comparison", _COMPARISONS), ("boundary", _BOUNDARIES)):
                if other := table.get(type(operator)):
                    yield _Change(kind, line, node, "ops", other(), index)
    elif isinstance(node, ast.BinOp | ast.AugAssign):
        if replacement := _ARITHMETIC.get(type(node.op)):
            yield _Change("arithmetic", line, node, "op", replacement())
    elif isinstance(node, ast.BoolOp):
        opposite = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield _Change("boolean", line, node, "op", opposite)
    elif isinstance(node, ast.If | ast.While | ast.IfExp):
        yield _Change("condition", line, node, "test", ast.UnaryOp(op=ast.Not(), operand=node.test))
    elif isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
        yield _Change("return", line, node, "value", ast.Constant(value=None))
    elif isinstance(node, ast.Constant):
        yield from _changes_of_constant(node, line)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _changes_of_constant(node: ast.Constant, line: int) -> Iterator[_Change]:
    match node.value:
        case bool(value):
            yield _Change("constant", line, node, "value", not value)
        case int(value) | float(value):
            yield _Change("constant", line, node, "value", value + 1)
        case str(value) if value:
            yield _Change("constant", line, node, "value", f"{value}x")
