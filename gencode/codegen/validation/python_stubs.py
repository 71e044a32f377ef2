"""Functions whose whole body is `pass`, `...` or NotImplementedError: which ones are meant to be so.

Empty bodies are honest in many places (hooks, null objects, command groups, overrides that silence), so a
body counts as a placeholder only where none of the reasons below applies.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator

from gencode.codegen.validation.file_facts import Stub, placeholder
from gencode.codegen.validation.finding import Finding
from gencode.codegen.validation.language import is_test
from gencode.codegen.validation.placeholder_rules import is_todo, placeholders, promising, says_unfinished
from gencode.codegen.validation.python_statements import Function, Place

_ABSTRACT = {"abstractmethod", "abstractproperty", "abstractclassmethod", "abstractstaticmethod", "overload"}
_REGISTERING = {"singledispatch", "singledispatchmethod", "hookspec", "type_check_only"}
_ROUTES = {"route", "get", "post", "put", "delete", "patch", "websocket", "task"}
_ABSTRACT_BASES = {"Protocol", "ABC", "Interface", "TypedDict", "NamedTuple"}
_MEANT_NAME = re.compile(
    r"noop|no_op|^nop|null|dummy|ignore|nothing|skip|silent|quiet|mute|fake|mock|stub|empty|blank|default"
    r"|log_message|^on_|_hook|hook_|^before_|^after_|^pre_|^post_|^visit_|^handle_|callback|setup|teardown"
    r"|^(?:close|flush|cleanup|shutdown|start|stop|reset|init|initialize|ready|cli|main_group)$",
    re.IGNORECASE,
)
_MEANT_CLASS = re.compile(
    r"abstract|base|interface|mixin|protocol|null|noop|dummy|fake|mock|stub|hook|listener|observer|visitor"
    r"|plugin|callback|^I[A-Z]",
    re.IGNORECASE,
)
_MEANT_WORDS = re.compile(
    r"nothing|no-?op\b|intention|ignor|\bno need|not (?:needed|required|supported|used)|overrid|subclass|hook"
    r"|silenc|quiet|suppress|optional|entry ?point|group|default|abstract|interface|base class"
    r"|无需|忽略|不做|子类|重写",
    re.IGNORECASE,
)


def stubs(path: str, found: list[Place], lines: list[str]) -> Iterator[Stub]:
    if path.endswith(".pyi") or is_test(path):
        return
    for place in found:
        node = place.node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (what := _empty_body(node)):
            todo = _has_todo(node, lines)
            if todo or not _is_meant(place, node, lines):
                owner = place.owner.name if place.owner and not todo else ""
                yield Stub(
                    owner=owner,
                    finding=placeholder(path, node.lineno, f"`{what}` as the body of {node.name}"),
                )


def comment_findings(path: str, text: str) -> Iterator[Finding]:
    if not promising(text):
        return
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                for _, words in placeholders(token.string):
                    yield placeholder(path, token.start[0], f"The comment {words.strip()[:80]!r}")
    except (tokenize.TokenError, SyntaxError):
        return  # what ast accepts and this older tokenizer does not: the comments so far were looked at


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
    """With words of its own the error is an answer ("not supported on Windows"), not a gap."""
    called = raised.func if isinstance(raised, ast.Call) else raised
    if not (isinstance(called, ast.Name) and called.id == "NotImplementedError"):
        return False
    args = raised.args if isinstance(raised, ast.Call) else []
    if not args:
        return True
    message = args[0].value if isinstance(args[0], ast.Constant) else None
    return isinstance(message, str) and says_unfinished(message) and not _MEANT_WORDS.search(message)


def _is_meant(place: Place, node: Function, lines: list[str]) -> bool:
    decorators = {_last_name(decorator) for decorator in node.decorator_list}
    if not decorators.isdisjoint(_ABSTRACT | _REGISTERING) or place.nested or place.guarded:
        return True
    if place.owner and _is_abstract(place.owner):
        return True
    if place.owner and place.owner.bases:
        return True  # an override that does nothing, or refuses
    if any(_MEANT_WORDS.search(text) for text in _own_lines(node, lines)[_head_lines(node) :]):
        return True
    return not isinstance(node.body[-1], ast.Raise) and _may_be_empty(node, decorators)


def _may_be_empty(node: Function, decorators: set[str]) -> bool:
    if decorators and decorators.isdisjoint(_ROUTES):
        return True  # the decorator gives it its meaning: click.group, receiver, fixture, property.setter
    name = node.name.strip("_")
    return len(name) < 3 or node.name.startswith("__") or _MEANT_NAME.search(name) is not None


def _is_abstract(owner: ast.ClassDef) -> bool:
    bases = {_last_name(base) for base in owner.bases}
    metas = {_last_name(keyword.value) for keyword in owner.keywords if keyword.arg == "metaclass"}
    if "ABCMeta" in metas or not bases.isdisjoint(_ABSTRACT_BASES):
        return True
    return _MEANT_CLASS.search(owner.name) is not None


def _last_name(node: ast.expr) -> str:
    """`get` of `@app.get("/")`, `Protocol` of `Protocol[T]`."""
    while isinstance(node, ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _has_todo(node: Function, lines: list[str]) -> bool:
    comments = (text[text.find("#") :] for text in _own_lines(node, lines) if "#" in text)
    return any(is_todo(comment) for comment in comments)


def _head_lines(node: Function) -> int:
    return node.body[0].lineno - node.lineno


def _own_lines(node: Function, lines: list[str]) -> list[str]:
    """Its lines, and the comment after its only statement, which `ast` does not count."""
    end = node.end_lineno or node.lineno
    after = lines[end] if end < len(lines) else ""
    is_own = after.lstrip().startswith("#") and len(after) - len(after.lstrip()) > node.col_offset
    return lines[node.lineno - 1 : end + is_own]
