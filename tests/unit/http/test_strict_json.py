"""Parsing and validating JSON bodies: strict, and bounded in time and in the size of the response."""

from __future__ import annotations

import json
from collections.abc import Callable
from time import thread_time
from typing import Any

import pytest

from gencode.domain.errors import Invalid, Malformed
from gencode.http.strict_json import MAX_LISTED_ERRORS, MAX_VALUES, parse, parse_json, validate
from gencode.pipelines.generate.api.plan import PlanEdit
from gencode.pipelines.generate.api.request import GenerateRequest

MEGABYTE = 2**20
HOSTILE: dict[str, Callable[[], bytes]] = {
    "unknown keys": lambda: json.dumps({f"k{n}": 0 for n in range(80_000)}).encode(),
    "wrong names": lambda: json.dumps({"files": [{"path": "a", "exports": [1] * 340_000}]}).encode(),
    "wrong files": lambda: json.dumps({"files": [{"path": "a", "needs": [1] * 400}] * 800}).encode(),
    "arrays": lambda: b"[" + b"[]," * 349_000 + b"[]]",
    "objects": lambda: b"[" + b'{"a":1},' * 116_000 + b"1",
    "nested": lambda: b"[" * MEGABYTE,
    "escaped quotes in a string that does not end": lambda: b'{"a":"' + b'\\"' * (MEGABYTE // 2),
    "quotes": lambda: b'"' * MEGABYTE,
    "backslashes": lambda: b'"' + b"\\" * MEGABYTE,
    "not UTF-8": lambda: b"\xff" * MEGABYTE,
}
"""Functions: every process of the test run collects this file, and few need the bodies."""


@pytest.mark.parametrize("model", [GenerateRequest, PlanEdit])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_megabyte_of_wrong_json_is_refused_quickly_with_a_short_response(
    name: str, model: type[GenerateRequest] | type[PlanEdit]
) -> None:
    """Before, 340,000 wrong values took 600 ms in one call that holds the interpreter's lock. Measured is the
    processor's time, so that other processes do not matter."""
    body = HOSTILE[name]()
    begin = thread_time()
    with pytest.raises((Invalid, Malformed)) as caught:
        parse(model, body)
    assert thread_time() - begin < 0.2
    assert len(caught.value.message) < 1000


def test_a_long_prompt_full_of_separators_is_no_large_number_of_values() -> None:
    prompt = '[{,"\\' * 20_000
    body = json.dumps({"prompt": prompt, "repo_name": "r"}).encode()
    assert parse(GenerateRequest, body).prompt == prompt


def test_the_largest_plan_is_accepted() -> None:
    file = {"path": "a/b.py", "purpose": "p", "exports": ["x"] * 6, "needs": ["c.py"] * 6, "lines": 10}
    assert len(parse(PlanEdit, json.dumps({"files": [file] * 2000}).encode()).files) == 2000


def test_one_value_too_many_is_refused() -> None:
    body = json.dumps({"files": [1] * MAX_VALUES}).encode()
    with pytest.raises(Invalid, match="more than") as caught:
        parse_json(body)
    assert [problem["rule"] for problem in caught.value.problems] == ["too_many"]


def test_too_many_broken_rules_are_one_problem() -> None:
    body: dict[str, Any] = {str(n): 1 for n in range(MAX_LISTED_ERRORS + 1)}
    with pytest.raises(Invalid, match="too many to list") as caught:
        validate(GenerateRequest, body)
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize("text", ["", "{", "nan", "NaN", '{"a":1,"a":2}', "[Infinity]", "[1] 2", "{'a':1}"])
def test_anything_but_strict_json_is_malformed(text: str) -> None:
    with pytest.raises(Malformed, match="not JSON"):
        parse_json(text.encode())


INTERNALS = ["sys.", "codec", "utf-8-sig", "instance of", "Request", "PlanEdit", "recursion"]


@pytest.mark.parametrize("model", [GenerateRequest, PlanEdit])
@pytest.mark.parametrize(
    "body",
    [
        b'{"prompt": ' + b"1" * 5000 + b"}",
        b'{"max_tokens": -' + b"1" * 5000 + b"}",
        b"\xff\xfe",
        b'{"prompt": "\xe4"}',
        b"1",
        b"[]",
        b"null",
        b'"text"',
        b'{"files": [1], "prompt": "x"}',
        b'{"files": {"a": 1}}',
        b"[" * 20_000 + b"]" * 20_000,
        b"\xef\xbb\xbf\xef\xbb\xbf",
    ],
    ids=range(12),
)
def test_a_message_speaks_of_the_request_and_not_of_this_program(
    body: bytes, model: type[GenerateRequest] | type[PlanEdit]
) -> None:
    with pytest.raises((Invalid, Malformed)) as caught:
        parse(model, body)
    assert not [word for word in INTERNALS if word in caught.value.message], caught.value.message


def test_a_byte_order_mark_before_a_body_is_ignored() -> None:
    body = json.dumps({"prompt": "写一个 x", "repo_name": "r"}, ensure_ascii=False)
    assert parse(GenerateRequest, body.encode("utf-8-sig")) == parse(GenerateRequest, body.encode())
