"""Rows R of docs/compatibility.md: what a server rejects in our request, and how the request is changed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.compatibility.harness import DONE, LINES, STOP, TEXT, Harness, data, deltas, plan_of
from tests.servers.model import Body, Reply, call_of, http_error, prefix_of, text

pytestmark = pytest.mark.asyncio(loop_scope="module")

PLAN = text(json.dumps(plan_of("schema.sql")))


def rejecting(field: str, status: int, error: dict[str, Any] | str) -> tuple[Any, Any]:
    """Answers for the plan and for the file that reject requests with this field."""

    def answer(whole: str, body: Body) -> Reply:
        return http_error(status, error) if field in body else text(whole)

    return (lambda body: answer(TEXT, body)), (lambda body: answer(json.dumps(plan_of("schema.sql")), body))


@pytest.mark.compatibility("R1")
@pytest.mark.parametrize(
    "words",
    [
        "max_tokens is too large: 8192. This model supports at most 4096 completion tokens, whereas you "
        "provided 8192.",
        "The parameter `max_tokens` specified in the request are not valid: integer above maximum value, "
        "expected a value <= 4096, but got 8192 instead.",
        "Invalid max_tokens value, the valid range of max_tokens is [1, 4096]",
        "Range of max_tokens should be [1, 4096]",
    ],
)
async def test_a_token_limit_above_that_of_the_model(run: Harness, words: str) -> None:
    """It says what it allows: asked again with that, and from then on."""

    def answer(body: Body) -> Reply:
        if body["max_tokens"] > 4096:
            return http_error(400, {"message": words, "param": "max_tokens", "code": "invalid_value"})
        return text(TEXT) if call_of(body)[0] == "file" else PLAN

    outcome = await run(answer, plan=answer)
    outcome.delivers()
    assert [body["max_tokens"] for body in outcome.bodies] == [8192, 4096, 4096]


@pytest.mark.compatibility("R2")
@pytest.mark.parametrize(
    "page",
    [
        {"error": "'response_format.type' must be 'json_schema' or 'text'"},
        {"error": {"message": "response_format is not supported by this model", "param": "response_format"}},
        {"error": {"message": "`response_format.type`: `json_object` is not supported by this model."}},
    ],
    ids=["LM Studio", "param", "Ark"],
)
async def test_json_mode_is_rejected(run: Harness, page: dict[str, Any]) -> None:
    file, plan = rejecting("response_format", 400, json.dumps(page))
    outcome = await run(file, plan=plan)
    outcome.delivers()
    assert outcome.file_calls("") == 2


@pytest.mark.compatibility("R3")
@pytest.mark.parametrize(
    ("status", "page"),
    [
        (422, {"detail": [{"type": "extra_forbidden", "loc": ["body", "stream_options", "include_usage"],
                           "msg": "Extra inputs are not permitted", "input": True}]}),
        (422, {"object": "error", "type": "invalid_request_error", "message": {"detail": [
            {"type": "extra_forbidden", "loc": ["body", "stream_options"],
             "msg": "Extra inputs are not permitted"}]}}),
        (400, {"error": {"message": "Validation error at #/stream_options: Extra inputs are not permitted"}}),
        (400, {"error": {"message": "Unrecognized request argument supplied: stream_options"}}),
    ],
    ids=["FastAPI", "Mistral", "Azure", "OpenAI"],
)  # fmt: skip
async def test_stream_options_are_rejected(run: Harness, status: int, page: dict[str, Any]) -> None:
    file, plan = rejecting("stream_options", status, json.dumps(page))
    outcome = await run(file, plan=plan)
    outcome.delivers()
    assert outcome.file_calls("") == 2


@pytest.mark.compatibility("R4")
@pytest.mark.parametrize(("prefix", "field"), [("deepseek", "prefix"), ("partial", "partial")])
async def test_prefix_completion_is_rejected(run: Harness, prefix: str, field: str) -> None:
    def answer(body: Body) -> Reply:
        if any(field in message for message in body["messages"]):
            return http_error(400, {"message": f"messages[2].{field}: Extra inputs are not permitted"})
        written = prefix_of(body)
        return text(TEXT.removeprefix(written)) if written else text("".join(LINES[:5]), "length")

    outcome = await run(answer, provider={"quirks": {"prefix": prefix}})
    outcome.delivers(calls=3)


@pytest.mark.compatibility("R5")
async def test_the_other_name_of_the_token_limit(run: Harness) -> None:
    error = {
        "message": "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
        "'max_completion_tokens' instead.",
        "param": "max_tokens",
        "code": "unsupported_parameter",
    }
    file, plan = rejecting("max_tokens", 400, error)
    (await run(file, plan=plan)).delivers()


@pytest.mark.compatibility("R6")
@pytest.mark.parametrize(
    "page",
    [
        {"error": {"message": "Unrecognized request argument supplied: enable_thinking", "code": None}},
        [{"error": {"message": 'Unknown name "enable_thinking": Cannot find field.', "code": 400}}],
    ],
    ids=["OpenAI", "Gemini"],
)
async def test_a_thinking_switch_is_rejected(run: Harness, page: object) -> None:
    file, plan = rejecting("enable_thinking", 400, json.dumps(page))
    (await run(file, plan=plan, provider={"quirks": {"thinking": {"enable_thinking": False}}})).delivers()


@pytest.mark.compatibility("R7")
async def test_a_rejection_that_no_change_can_cure(run: Harness) -> None:
    """Asked once more at the most: the same words again are final."""
    error = {"message": "stream_options and response_format are not supported", "code": "unsupported"}
    outcome = await run(text(TEXT), plan=http_error(400, error))
    outcome.fails("LLM_BAD_REQUEST", "are not supported", calls=0)
    assert outcome.file_calls("") <= 3


@pytest.mark.compatibility("R8")
async def test_a_base_url_with_a_query(run: Harness) -> None:
    base = "/openai/deployments/m?api-version=2024-10-21"
    outcome = await run(data(*deltas(), STOP, DONE), base=base)
    outcome.delivers()
    wanted = "/openai/deployments/m/chat/completions?api-version=2024-10-21"
    assert set(outcome.targets) == {wanted}


@pytest.mark.compatibility("R9")
@pytest.mark.parametrize("base", ["/v1", "/v1/", "/api/v3"])
async def test_a_base_url_with_a_path(run: Harness, base: str) -> None:
    outcome = await run(data(*deltas(), STOP, DONE), base=base)
    outcome.delivers()
    assert set(outcome.targets) == {f"{base.rstrip('/')}/chat/completions"}


@pytest.mark.compatibility("R10")
@pytest.mark.parametrize(
    "words",
    [
        "This model's maximum context length is 4096 tokens. However, you requested 8292 tokens (100 in the "
        "messages, 8192 in the completion). Please reduce the length of the messages or completion.",
        "'max_tokens' is too large: 8192. This model's maximum context length is 4096 tokens and your "
        "request has 100 input tokens (8192 > 4096 - 100).",
    ],
    ids=["OpenAI", "vLLM"],
)
async def test_a_token_limit_that_does_not_fit_beside_the_prompt(run: Harness, words: str) -> None:
    """The next prompt may be shorter: the limit is lowered for this call alone."""

    def answer(body: Body) -> Reply:
        if body["max_tokens"] > 3996:
            return http_error(400, {"message": words, "code": "context_length_exceeded"})
        return text(TEXT) if call_of(body)[0] == "file" else PLAN

    outcome = await run(answer, plan=answer)
    outcome.delivers(calls=2)
    assert [body["max_tokens"] for body in outcome.bodies] == [8192, 3996, 8192, 3996]
