"""Rules for Python stubs: functions whose whole body is `pass`, `...` or NotImplementedError, and comments.

Empty bodies are legitimate in many places (hooks, null objects, command groups, overrides that silence), so
a body counts as a placeholder only where none of the reasons below applies.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator

from gencode.codegen.validation.file_analysis import StubBody
from gencode.codegen.validation.findings import Finding, placeholder
from gencode.codegen.validation.languages import is_test_file
from gencode.codegen.validation.placeholder_rules import (
    is_todo_comment,
    is_unfinished_message,
    may_contain_placeholder,
    placeholder_lines,
)
from gencode.codegen.validation.python_ast_walker import Function, Statement

_BODILESS_DECORATORS = {
    *("abstractmethod", "abstractproperty", "abstractclassmethod", "abstractstaticmethod", "overload"),
    *("singledispatch", "singledispatchmethod", "hookspec", "type_check_only"),
}
_ROUTE_DECORATORS = {"route", "get", "post", "put", "delete", "patch", "websocket", "task"}
_ABSTRACT_BASES = {"Protocol", "ABC", "Interface", "TypedDict", "NamedTuple"}
_INTENTIONAL_NAME = re.compile(
    r"noop|no_op|^nop|null|dummy|ignore|nothing|skip|silent|quiet|mute|fake|mock|stub|empty|blank|default"
    r"|log_message|^on_|_hook|hook_|^before_|^after_|^pre_|^post_|^visit_|^handle_|callback|setup|teardown"
    r"|^(?:close|flush|cleanup|shutdown|start|stop|reset|init|initialize|ready|cli|main_group)$",
    re.IGNORECASE,
)
_INTENTIONAL_CLASS = re.compile(
    r"abstract|base|interface|mixin|protocol|null|noop|dummy|fake|mock|stub|hook|listener|observer|visitor"
    r"|plugin|callback|^I[A-Z]",
    re.IGNORECASE,
)
_INTENTION = re.compile(
    r"nothing|no-?op\b|intention|ignor|\bno need|not (?:needed|required|supported|used)|overrid|subclass|hook"
    r"|silenc|quiet|suppress|optional|entry ?point|group|default|abstract|interface|base class"
    r"|无需|忽略|不做|子类|重写",
    re.IGNORECASE,
)


def python_stub_bodies(path: str, statements: list[Statement], lines: list[str]) -> Iterator[StubBody]:
    if path.endswith(".pyi") or is_test_file(path):
        return
    for statement in statements:
        node = statement.node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (what := _empty_body(node)):
            has_todo = _has_todo(node, lines)
            if has_todo or not _is_intentional(statement, node, lines):
                class_ = None if has_todo else statement.enclosing_class
                finding = placeholder(path, node.lineno, f"`{what}` as the body of {node.name}")
                yield StubBody(class_name=class_.name if class_ else "", finding=finding)


def comment_findings(path: str, text: str) -> Iterator[Finding]:
    if not may_contain_placeholder(text):
        return
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                for _, words in placeholder_lines(token.string):
                    yield placeholder(path, token.start[0], f"The comment {words.strip()[:80]!r}")
    except (tokenize.TokenError, SyntaxError):
        return  # `ast` accepts it and the tokenizer does not: the comments up to here have been checked


def _empty_body(node: Function) -> str:
    body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
    if len(body) != 1:
        return ""
    only = body[0]
    if isinstance(only, ast.Pass):
        return "pass"
    if isinstance(only, ast.Expr) and isinstance(only.value, ast.Constant) and only.value.value is Ellipsis:
        return "..."
    if isinstance(only, ast.Raise) and _is_unfinished(only.exc):
        return "raise NotImplementedError"
    return ""


def _is_unfinished(raised: ast.expr | None) -> bool:
    """Whether the error is a placeholder. With another message it is an answer ("not supported on
    Windows")."""
    called = raised.func if isinstance(raised, ast.Call) else raised
    if not (isinstance(called, ast.Name) and called.id == "NotImplementedError"):
        return False
    args = raised.args if isinstance(raised, ast.Call) else []
    if not args:
        return True
    message = args[0].value if isinstance(args[0], ast.Constant) else None
    return isinstance(message, str) and is_unfinished_message(message) and not _INTENTION.search(message)


def _is_intentional(statement: Statement, node: Function, lines: list[str]) -> bool:
    decorators = {_last_name(decorator) for decorator in node.decorator_list}
    if not decorators.isdisjoint(_BODILESS_DECORATORS) or statement.is_nested or statement.is_guarded:
        return True
    class_ = statement.enclosing_class
    if class_ and (_is_abstract(class_) or class_.bases):
        return True  # with bases: an override that does nothing or raises
    if any(_INTENTION.search(text) for text in _own_lines(node, lines)[_head_lines(node) :]):
        return True
    return not isinstance(node.body[-1], ast.Raise) and _may_be_empty(node, decorators)


def _may_be_empty(node: Function, decorators: set[str]) -> bool:
    if decorators and decorators.isdisjoint(_ROUTE_DECORATORS):
        return True  # the decorator does the work: click.group, receiver, fixture, property.setter
    name = node.name.strip("_")
    return len(name) < 3 or node.name.startswith("__") or _INTENTIONAL_NAME.search(name) is not None


def _is_abstract(class_: ast.ClassDef) -> bool:
    bases = {_last_name(base) for base in class_.bases}
    metas = {_last_name(keyword.value) for keyword in class_.keywords if keyword.arg == "metaclass"}
    if "ABCMeta" in metas or not bases.isdisjoint(_ABSTRACT_BASES):
        return True
    return _INTENTIONAL_CLASS.search(class_.name) is not None


def _last_name(node: ast.expr) -> str:
    """`get` of `@app.get("/")`, `Protocol` of `Protocol[T]`."""
    while isinstance(node, ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _has_todo(node: Function, lines: list[str]) -> bool:
    comments = (text[text.find("#") :] for text in _own_lines(node, lines) if "#" in text)
    return any(is_todo_comment(comment) for comment in comments)


def _head_lines(node: Function) -> int:
    return node.body[0].lineno - node.lineno


def _own_lines(node: Function, lines: list[str]) -> list[str]:
    """The lines of the function, with a comment after its last statement, which `ast` leaves out."""
    end = node.end_lineno or node.lineno
    after = lines[end] if end < len(lines) else ""
    is_own = after.lstrip().startswith("#") and len(after) - len(after.lstrip()) > node.col_offset
    return lines[node.lineno - 1 : end + is_own]
