"""The details of errors in Chinese: every message that a request can get has a template."""

from __future__ import annotations

import ast
import inspect
import string
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pydantic_core._pydantic_core as pydantic_errors
import pytest

import gencode
from gencode.bootstrap.app import BUILTIN_KINDS
from gencode.bootstrap.workspace import KINDS
from gencode.domain.errors import (
    Conflict,
    GencodeError,
    Invalid,
    NotFound,
    RequestError,
    SecretFound,
    StoreError,
    TreeError,
)
from gencode.domain.phrase import Phrase
from gencode.http.base_models import RequestModel
from gencode.http.problem_details import catalogue, chinese, chinese_detail
from gencode.http.strict_json import validate

ROOT = Path(gencode.__file__).parent
NOT_OF_JSON = (
    *("arguments", "callable", "complex", "counter", "dataclass", "default_factory", "deque", "ellipsis"),
    *("fraction", "frozen", "get_attribute", "is_instance", "is_subclass", "iterable", "iteration", "json_"),
    *("mapping", "missing_argument", "missing_keyword", "missing_positional", "missing_sentinel"),
    *("multiple_argument", "named_tuple", "needs_python", "no_such", "ordered_dict", "recursion", "set_item"),
    *("unexpected", "bytes", "date_past", "date_future", "datetime_past", "datetime_future", "time", "url"),
    *("uuid", "timezone_naive", "timezone_offset", "assertion", "dict_type", "model", "value_error"),
)
"""Types of errors, by their beginnings, that no field of a request has, or that have a message of ours."""


SERVED = (RequestError, StoreError, Conflict, TreeError, SecretFound)
"""Errors that requests get."""


def request_errors() -> set[str]:
    """Names of the classes whose messages answer requests."""
    found = set[str]()
    for module in walk_packages(gencode.__path__, "gencode."):
        if "errors" in module.name and "migrations" not in module.name:
            classes = vars(import_module(module.name)).values()
            found |= {one.__name__ for one in classes if inspect.isclass(one) and issubclass(one, SERVED)}
    return found


def messages(tree: ast.Module, names: set[str]) -> Iterator[tuple[int, str | None]]:
    """Lines, and the templates there; None for a text that is composed in place."""
    assigned = [node for node in ast.walk(tree) if isinstance(node, ast.Assign)]
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or not call.args:
            continue
        function = call.func
        if isinstance(function, ast.Name) and function.id in {*names, "Phrase"}:
            yield from templates(call.args[0], assigned)
        elif isinstance(function, ast.Attribute) and ast.unparse(function) == "Invalid.of":
            yield from templates(call.args[2], assigned)


def templates(text: ast.expr, assigned: list[ast.Assign]) -> Iterator[tuple[int, str | None]]:
    if isinstance(text, ast.Constant):
        yield text.lineno, str(text.value)
    elif isinstance(text, ast.JoinedStr | ast.BinOp):
        yield text.lineno, None
    elif isinstance(text, ast.IfExp):
        yield from templates(text.body, assigned)
        yield from templates(text.orelse, assigned)
    elif isinstance(text, ast.Name):
        for one in assigned:
            if isinstance(one.targets[0], ast.Name) and one.targets[0].id == text.id:
                yield from templates(one.value, []) if not isinstance(one.value, ast.Name) else ()


def test_every_message_of_a_request_error_has_a_chinese_template() -> None:
    names, missing = request_errors(), list[str]()
    for path in sorted(ROOT.rglob("*.py")):
        if "cli" in path.relative_to(ROOT).parts or "commands" in path.parts:
            continue  # a terminal has no Accept-Language
        for line, template in messages(ast.parse(path.read_text(encoding="utf-8")), names):
            if template is None:
                missing.append(f"{path.relative_to(ROOT)}:{line}: compose it with Phrase")
            elif template not in catalogue():
                missing.append(f"{path.relative_to(ROOT)}:{line}: {template!r}")
    assert not missing, "\n".join(["without Chinese (gencode/http/problem_details.zh.json):", *missing])


def test_a_chinese_template_has_no_other_parameters_than_the_english_one() -> None:
    def parameters(template: str) -> set[str | None]:
        return {name for _, name, _, _ in string.Formatter().parse(template)} - {None}

    wrong = [
        english
        for english, translated in catalogue().items()
        if "{" in english and not parameters(translated) <= parameters(english)
    ]
    assert not wrong


def test_every_rule_of_a_field_has_a_chinese_template() -> None:
    rules = {one["type"]: one for one in pydantic_errors.list_all_errors()}
    served = {name for name in rules if not name.startswith(NOT_OF_JSON)} | {"multiple_of", "missing"}
    assert served - catalogue().keys() == set()
    for name in served:
        context = rules[name]["example_context"] or {}
        assert chinese(Phrase.told("x", name, context)) != "x"


def test_patterns_in_plain_language_have_chinese_templates() -> None:
    submissions = [one.kind.submission for one in (*BUILTIN_KINDS, *KINDS) if one.kind.submission]
    told = {text for one in submissions for text in (one.pattern_messages or {}).values()}
    assert told - catalogue().keys() == set()


class Place(RequestModel):
    name: str
    size: int = 1


def test_broken_rules_are_told_in_chinese_with_their_values() -> None:
    with pytest.raises(Invalid) as caught:
        validate(Place, {"size": "x", "colour": 1})
    assert chinese_detail(caught.value) == "name：必填；size：应为整数；colour：没有这个字段"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (NotFound("there is no such task"), "没有这个任务"),
        (NotFound(Phrase("there is no {path!r} in this commit", path="a.py")), "此提交中没有 'a.py'"),
        (Invalid.of("deadline", "value_error", "must be in the future"), "deadline：必须是将来的时间"),
        (GencodeError("words of a host"), "words of a host"),
    ],
)
def test_a_detail_is_its_template_with_its_parameters(error: GencodeError, told: str) -> None:
    assert chinese_detail(error) == told


def test_a_parameter_that_a_user_has_named_is_not_translated() -> None:
    there = Phrase("another {title} has this {taken}", title=Phrase("team"), taken="team")
    assert (str(there), chinese(there)) == ("another team has this team", "另一个团队已使用此 team")
