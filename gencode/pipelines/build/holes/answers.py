"""From an answer of a model to the statements of a function's body."""

from __future__ import annotations

import ast
import re
import textwrap

from gencode.codegen.file_extraction import read_answer

MAX_CHARACTERS = 20_000
DECLINED = re.compile(r"^#[ \t]*not written:[ \t]*(.*)$", re.IGNORECASE)
"""How a model says that it cannot write the body."""


class Unusable(ValueError):
    """The answer is no body; the message says why, to the model and to users."""


class Declined(ValueError):
    """The model says that it cannot write it; the message is its reason."""


def body_of(answer: str) -> str:
    """Statements without indentation, of an answer that is a body, or the whole function, also in a code
    block. Raises Unusable, Declined."""
    text = read_answer(answer, "body.py").text.expandtabs(4).replace("\r\n", "\n").strip("\n")
    if not text.strip():
        raise Unusable("the answer is empty")
    if len(text) > MAX_CHARACTERS:
        raise Unusable(f"the answer has more than {MAX_CHARACTERS} characters")
    if found := DECLINED.match(text.strip().splitlines()[0]):
        raise Declined(" ".join(found[1].split())[:300] or "the model gives no reason")
    text = textwrap.dedent(text)
    return _within_function(text) or text


def _within_function(text: str) -> str | None:
    """The body of the only function, where the answer is a function; imports before it become a part of
    it."""
    try:
        module = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    functions = [one for one in module.body if isinstance(one, ast.FunctionDef) and one.name == "run"]
    others = [one for one in module.body if one not in functions and not _is_docstring(one)]
    if len(functions) != 1 or any(not isinstance(one, ast.Import | ast.ImportFrom) for one in others):
        return None
    statements = functions[0].body
    if _is_docstring(statements[0]) and len(statements) > 1:
        statements = statements[1:]
    lines = text.splitlines()
    imports = [_lines(lines, one) for one in others]
    return "\n".join([*imports, textwrap.dedent("\n".join(lines[statements[0].lineno - 1 :]))])


def _is_docstring(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _lines(lines: list[str], statement: ast.stmt) -> str:
    return "\n".join(lines[statement.lineno - 1 : statement.end_lineno])
