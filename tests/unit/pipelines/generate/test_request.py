from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator

from gencode.codegen.plan import PlannedFile
from gencode.domain.errors import Invalid
from gencode.http.strict_json import validate
from gencode.model_tasks.request import check_deadline
from gencode.pipelines.generate.api.request import PATTERN_MESSAGES, GenerateRequest
from gencode.pipelines.generate.plan_approval import MAX_PROBLEMS, validate_plan
from tests.servers.openapi import document

SCHEMA = Draft202012Validator(
    {"$ref": "#/components/schemas/GenerateRequest", "components": document()["components"]}
)
BODY = {"prompt": "say hello", "repo_name": "hello"}


def parse_generate(body: Any) -> GenerateRequest:
    request = validate(GenerateRequest, body, PATTERN_MESSAGES)
    check_deadline(request)
    return request


def test_defaults_are_private_and_without_secrets() -> None:
    asked = parse_generate(BODY)
    assert (asked.model, asked.github_org, asked.private, asked.allow_secrets) == (None, None, True, False)


@pytest.mark.parametrize("name", ["a", "A.b_c-d", "-", ".x", "x" * 100, "x.gitx", "git", "..a"])
def test_names_that_github_accepts_are_valid(name: str) -> None:
    assert parse_generate(BODY | {"repo_name": name}).repo_name == name


@pytest.mark.parametrize("model", ["deepseek", "openai/gpt-5.1", "p/org/model:7b", "a" * 128])
def test_models_are_names_with_slashes_and_colons(model: str) -> None:
    assert parse_generate(BODY | {"model": model}).model == model


def test_every_broken_rule_is_reported_with_its_field() -> None:
    with pytest.raises(Invalid) as caught:
        parse_generate({"prompt": "", "repo_name": "a/b", "github_org": "-", "base_url": "x"})
    assert [problem["field"] for problem in caught.value.problems] == [
        "prompt",
        "repo_name",
        "github_org",
        "base_url",
    ]


def test_errors_do_not_repeat_what_was_sent() -> None:
    with pytest.raises(Invalid) as caught:
        parse_generate(BODY | {"model": "sk-a secret by mistake"})
    assert "mistake" not in json.dumps(caught.value.problems) + caught.value.message


@pytest.mark.parametrize(
    "prompt", ["\x1f", "\x85", "\ufeff", "\u2028", " \x1c\n", "\x00a", "a\x1f", "\u200b"]
)
def test_the_schema_and_the_model_agree_on_what_is_blank(prompt: str) -> None:
    body = BODY | {"prompt": prompt}
    assert SCHEMA.is_valid(body) == is_accepted(body)


@given(
    st.fixed_dictionaries(
        {"prompt": st.text(), "repo_name": st.text(alphabet=".agitwmoAGIT-_ /é\n", max_size=12)},
        optional={"github_org": st.text(alphabet="a-B1 ", max_size=6), "private": st.booleans()},
    )
)
def test_the_schema_accepts_exactly_what_the_model_accepts(body: dict[str, Any]) -> None:
    assert SCHEMA.is_valid(body) == is_accepted(body)


def is_accepted(body: dict[str, Any]) -> bool:
    try:
        parse_generate(body)
    except Invalid:
        return False
    return True


def test_a_plan_that_breaks_hundreds_of_thousands_of_rules_has_a_bounded_answer() -> None:
    files = [PlannedFile(path="a", purpose="", needs=("b",) * 200_000)]
    with pytest.raises(Invalid) as refused:
        validate_plan(files, workflows=False)
    assert len(refused.value.problems) == MAX_PROBLEMS
