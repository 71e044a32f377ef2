"""Rules about Python, by its syntax tree. A hunk is a piece of a file: what cannot be parsed as a whole is
parsed line by line."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Iterator, Sequence

from gencode.embedded.offline.code_review.shown_change import ShownLine

Match = tuple[str, int]
"""The name of a rule, and the position of the line in the hunk, from 0."""
_MAX_HUNK = 60_000
"""Characters that are parsed; the prompt has fewer."""
_MUTABLE = ("list", "dict", "set")
_SHELL_CALLS = ("run", "Popen", "call", "check_call", "check_output")
_SQL = re.compile(
    r"\s*(?:SELECT\b.*\bFROM|INSERT\s+INTO|UPDATE\b.*\bSET|DELETE\s+FROM)\b", re.IGNORECASE | re.DOTALL
)
_DEBUGGERS = ("pdb", "ipdb", "pudb")
_TEST = re.compile(r"(?:^|/)(?:tests?/|conftest|test_)|_test\.py$")


def python_matches(path: str, lines: Sequence[ShownLine]) -> list[Match]:
    """Of one hunk, in the order of its lines."""
    trees = list(_trees(lines))
    found = {(rule, at) for offset, tree in trees for rule, at in _of_tree(tree, offset)}
    if _TEST.search(path):
        found = {(rule, at) for rule, at in found if rule not in ("assert-argument", "open-encoding")}
    return sorted(found, key=lambda match: (match[1], match[0]))


def _trees(lines: Sequence[ShownLine]) -> Iterator[tuple[int, ast.AST]]:
    """Syntax trees, and how many lines of the hunk are before the first line of each."""
    texts = [line.text for line in lines]
    scaffold = _enclosing_blocks(texts)
    if whole := _parsed("\n".join([*scaffold, *texts])):
        yield -len(scaffold), whole
        return
    for at, text in enumerate(texts):
        if lines[at].is_added and lines[at].is_whole and (tree := _statement(text.strip())):
            yield at, tree
    yield from _handlers(texts)


def _enclosing_blocks(texts: Sequence[str]) -> list[str]:
    """Lines before a hunk that make its indentation valid: `if 1:` for each block in which it begins."""
    indents = [len(text) - len(text.lstrip()) for text in texts if text.strip()]
    outer: list[int] = []
    lowest = indents[0] if indents else 0
    for indent in indents:
        if indent < lowest:
            outer.insert(0, indent)
            lowest = indent
    if lowest > 0:
        outer.insert(0, 0)
    return [f"{' ' * indent}if 1:" for indent in outer]


def _parsed(text: str) -> ast.AST | None:
    if len(text) > _MAX_HUNK:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None


def _statement(text: str) -> ast.AST | None:
    if not text or text.startswith(("#", "@")):
        return None
    if text.startswith(("elif ", "else:", "except", "finally:")):
        return None
    return _parsed(f"{text} pass" if text.endswith(":") else text)


def _handlers(texts: Sequence[str]) -> Iterator[tuple[int, ast.AST]]:
    for at, (text, following) in enumerate(zip(texts, [*texts[1:], ""], strict=True)):
        if text.strip().startswith("except") and following.strip() == "pass":
            tree = _parsed(f"try:\n pass\n{text.strip()}\n pass")
            if tree:
                yield at - 2, tree


def _of_tree(tree: ast.AST, offset: int) -> Iterator[Match]:
    for node in ast.walk(tree):
        for kind, rules in _RULES.items():
            if isinstance(node, kind):
                for rule in rules:
                    for name, line in rule(node):
                        yield name, line - 1 + offset


def _except_pass(node: ast.ExceptHandler) -> Iterator[Match]:
    names = None if node.type is None else getattr(node.type, "id", "")
    swallows = all(isinstance(statement, ast.Pass) for statement in node.body)
    if swallows and names in (None, "Exception", "BaseException"):
        yield "except-pass", node.lineno


def _defaults(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> Iterator[Match]:
    for default in [*node.args.defaults, *filter(None, node.args.kw_defaults)]:
        is_call = isinstance(default, ast.Call) and getattr(default.func, "id", "") in _MUTABLE
        if is_call or isinstance(default, ast.List | ast.Dict | ast.Set):
            yield "mutable-default", default.lineno


def _asserts(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[Match]:
    arguments = {argument.arg for argument in [*node.args.args, *node.args.kwonlyargs]} - {"self", "cls"}
    for statement in node.body:
        if isinstance(statement, ast.Assert):
            names = {name.id for name in ast.walk(statement.test) if isinstance(name, ast.Name)}
            if names & arguments:
                yield "assert-argument", statement.lineno


def _comparison(node: ast.Compare) -> Iterator[Match]:
    for operator, value in zip(node.ops, node.comparators, strict=True):
        literal = value.value if isinstance(value, ast.Constant) else ...
        if isinstance(operator, ast.Eq | ast.NotEq) and literal is None:
            yield "none-comparison", value.lineno
        if isinstance(operator, ast.Is | ast.IsNot) and type(literal) in (str, bytes, int, float):
            yield "literal-identity", value.lineno


def _call(node: ast.Call) -> Iterator[Match]:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    first = node.args[0] if node.args else None
    if name in ("eval", "exec") and first and not isinstance(first, ast.Constant):
        yield "eval", node.lineno
    if (method or name) in _SHELL_CALLS and _has_shell(node) and first and not _is_fixed(first):
        yield "shell-true", node.lineno
    if method in ("execute", "executemany") and first and _is_composed_sql(first):
        yield "sql-text", first.lineno
    if name == "open" and first and _is_text_mode(node):
        yield "open-encoding", node.lineno
    owner = node.func.value.id if method and isinstance(node.func.value, ast.Name) else ""  # type: ignore[attr-defined]
    if name == "breakpoint" or (method == "set_trace" and owner in _DEBUGGERS):
        yield "debugger", node.lineno


def _has_shell(node: ast.Call) -> bool:
    return any(
        one.arg == "shell" and isinstance(one.value, ast.Constant) and one.value.value is True
        for one in node.keywords
    )


def _is_fixed(node: ast.AST) -> bool:
    """A text without values; a list is no command line of a shell."""
    return isinstance(node, ast.Constant | ast.List | ast.Tuple)


def _is_composed_sql(node: ast.expr) -> bool:
    if isinstance(node, ast.JoinedStr):
        has_values = any(isinstance(part, ast.FormattedValue) for part in node.values)
        return has_values and bool(_SQL.match(_constant_text(node)))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod | ast.Add):
        return bool(_SQL.match(_leading_text(node)))
    is_format = isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "format"
    return is_format and bool(_SQL.match(_leading_text(node.func.value)))  # type: ignore[attr-defined]


def _constant_text(node: ast.JoinedStr) -> str:
    parts = (part.value if isinstance(part, ast.Constant) else "x" for part in node.values)
    return "".join(map(str, parts))


def _leading_text(node: ast.AST) -> str:
    while isinstance(node, ast.BinOp):
        node = node.left
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _is_text_mode(node: ast.Call) -> bool:
    """Certainly a text file without encoding."""
    named = {one.arg: one.value for one in node.keywords}
    if None in named or "encoding" in named or len(node.args) > 3 or _has_stars(node):
        return False
    mode = node.args[1] if len(node.args) > 1 else named.get("mode", ast.Constant("r"))
    return isinstance(mode, ast.Constant) and isinstance(mode.value, str) and "b" not in mode.value


def _has_stars(node: ast.Call) -> bool:
    return any(isinstance(argument, ast.Starred) for argument in node.args)


_RULES: dict[type[ast.AST], Sequence[Callable[..., Iterator[Match]]]] = {
    ast.ExceptHandler: (_except_pass,),
    ast.FunctionDef: (_defaults, _asserts),
    ast.AsyncFunctionDef: (_defaults, _asserts),
    ast.Lambda: (_defaults,),
    ast.Compare: (_comparison,),
    ast.Call: (_call,),
}
