"""Rows F of docs/compatibility.md: failures that a server reports, and what the user is told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.compatibility.harness import KEY, LINES, TEXT, Harness, data, deltas
from tests.servers.model import Reply, http_error, stream, text

pytestmark = pytest.mark.asyncio(loop_scope="module")

HALF = "".join(LINES[:4])
HTML = "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in.</body></html>"


def page(status: int, body: str, kind: str = "application/json", **headers: str) -> Reply:
    return Reply(status=status, headers={"content-type": kind, **headers}, parts=[body.encode()])


def body(status: int, **fields: Any) -> Reply:
    return page(status, json.dumps(fields))


@pytest.mark.compatibility("F1")
async def test_an_error_event_in_a_stream(run: Harness) -> None:
    said = 'event: error\ndata: {"code": "InvalidParameter", "message": "Range of input length"}\n\n'
    outcome = await run(data(":HTTP_STATUS/400\n", said))
    outcome.fails("LLM_BAD_REQUEST", "Range of input length", calls=1)


@pytest.mark.compatibility("F2")
async def test_an_error_event_that_may_pass(run: Harness) -> None:
    said = (
        'event: error\ndata: {"code": "Throttling.RateQuota", "message": "Requests rate limit exceeded"}\n\n'
    )
    outcome = await run(data(*deltas(HALF), said))
    outcome.fails("LLM_RATE_LIMIT", "Requests rate limit exceeded", calls=3)


@pytest.mark.compatibility("F3")
@pytest.mark.parametrize("kind", ["text/html", "text/event-stream"])
async def test_a_web_site_at_the_base_url(run: Harness, kind: str) -> None:
    outcome = await run(page(200, HTML, kind))
    outcome.fails("LLM_BAD_REQUEST", "base_url", "Sign in", calls=1)


@pytest.mark.compatibility("F4")
async def test_a_wrong_path_that_is_answered_with_200(run: Harness) -> None:
    said = "Unexpected endpoint or method. (POST /chat/completions)"
    outcome = await run(body(200, error=said))
    outcome.fails("LLM_BAD_REQUEST", said, "base_url", calls=1)


@pytest.mark.compatibility("F5")
@pytest.mark.parametrize("status", [301, 307, 308])
async def test_a_redirect(run: Harness, status: int) -> None:
    outcome = await run(page(status, "", location="https://www.example.com/login"))
    outcome.fails("LLM_BAD_REQUEST", "redirect", "base_url", calls=1)


@pytest.mark.compatibility("F6")
async def test_a_rate_limit_without_retry_after(run: Harness) -> None:
    """A window of a minute is not over after three seconds."""
    outcome = await run(http_error(429, {"message": "Rate limit reached", "code": "rate_limit_exceeded"}))
    outcome.fails("LLM_RATE_LIMIT", "Rate limit reached", calls=3)
    assert min(outcome.waits) >= 10


@pytest.mark.compatibility("F7")
@pytest.mark.parametrize(
    ("header", "value"),
    [("retry-after", "17"), ("llm_provider-retry-after", "17"), ("retry-after-ms", "17000")],
)
async def test_the_names_of_retry_after(run: Harness, header: str, value: str) -> None:
    limited = http_error(429, {"message": "slow down"}, {header: value})
    outcome = await run([limited, text(TEXT)])
    outcome.delivers(calls=2)
    assert len(outcome.waits) == 1
    assert 17 <= outcome.waits[0] < 60


@pytest.mark.compatibility("F8")
@pytest.mark.parametrize(
    "error",
    [
        {"message": "You exceeded your current quota, please check your plan and billing details."},
        {
            "message": "litellm.RateLimitError: OpenAIException - You exceeded your current quota",
            "code": "429",
        },
        {"message": "quota", "type": "insufficient_quota"},
        {"message": "Your account is not active", "type": "exceeded_current_quota_error"},
        {"message": "该令牌额度已用尽", "code": "insufficient_user_quota"},
    ],
    ids=lambda error: error["message"][:20],
)
async def test_a_rate_limit_that_is_an_exhausted_quota(run: Harness, error: dict[str, Any]) -> None:
    outcome = await run(http_error(429, error))
    outcome.fails(("LLM_QUOTA", "LLM_BALANCE"), error["message"][:10], calls=1)


@pytest.mark.compatibility("F9")
@pytest.mark.parametrize(
    ("status", "error"),
    [
        (402, {"message": "Insufficient Balance", "code": "invalid_request_error"}),
        (402, {"message": "You requested up to 8192 tokens, but can only afford 42.", "code": 402}),
        (429, {"code": "1113", "message": "余额不足或无可用资源包,请充值。"}),
        (
            429,
            {
                "http_code": "429",
                "message": "insufficient balance (1008)",
                "type": "insufficient_balance_error",
            },
        ),
        (
            403,
            {
                "code": "AccountOverdueError",
                "message": "The request failed because your account has an overdue balance.",
            },
        ),
        (
            400,
            {
                "code": "Arrearage",
                "message": "Access denied, please make sure your account is in good standing.",
            },
        ),
        (500, {"type": "api_error", "message": "insufficient balance (1008)"}),
        (401, {"message": "Insufficient balance. Manage your billing here", "type": "CreditsError"}),
    ],
    ids=lambda value: value if isinstance(value, int) else value["message"][:12],
)
async def test_an_empty_account(run: Harness, status: int, error: dict[str, Any]) -> None:
    outcome = await run(http_error(status, error))
    outcome.fails(("LLM_BALANCE", "LLM_QUOTA"), error["message"][:12], calls=1)


@pytest.mark.compatibility("F10")
@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, {"code": "data_inspection_failed", "message": "Input data may contain inappropriate content."}),
        (400, {"code": "DataInspectionFailed", "message": "Output data may contain inappropriate content."}),
        (400, {"code": "1301", "message": "系统检测到输入或生成内容可能包含不安全或敏感内容"}),
        (
            400,
            {"code": "content_filter", "message": "The response was filtered", "innererror": {"code": "x"}},
        ),
        (
            400,
            {
                "code": "SensitiveContentDetected",
                "message": "The request failed because of sensitive information",
            },
        ),
        (
            400,
            {
                "message": "<400> InternalError.Algo.DataInspectionFailed: Input text data may contain",
                "code": None,
            },
        ),
    ],
    ids=lambda value: value if isinstance(value, int) else str(value["code"]),
)
async def test_a_filter_that_refuses_the_request(run: Harness, status: int, error: dict[str, Any]) -> None:
    outcome = await run(http_error(status, error))
    outcome.fails("LLM_REFUSED", error["message"][:12], "Change the prompt", calls=1)


@pytest.mark.compatibility("F11")
@pytest.mark.parametrize(
    "fields",
    [
        {"detail": "Not authenticated"},
        {"detail": [{"loc": ["body", "model"], "msg": "Not authenticated", "type": "value_error"}]},
        {"code": 40101, "msg": "Not authenticated"},
        {"message": "Not authenticated", "request_id": "1"},
        {"errors": [{"message": "Not authenticated"}]},
        {"error": {"error": {"message": "Not authenticated"}}},
        {"error": "Not authenticated"},
        {"header": {"code": 11200, "message": "Not authenticated"}},
        {"base_resp": {"status_code": 1004, "status_msg": "Not authenticated"}},
    ],
    ids=str,
)
async def test_every_shape_of_an_error_page(run: Harness, fields: dict[str, Any]) -> None:
    outcome = await run(body(401, **fields))
    outcome.fails("LLM_AUTH", "Not authenticated", "API key", calls=1)
    assert "{" not in outcome.message


@pytest.mark.compatibility("F12")
@pytest.mark.parametrize(
    ("fields", "code", "calls"),
    [
        ({"code": 401, "msg": "bad key"}, "LLM_AUTH", 1),
        ({"base_resp": {"status_code": 1004, "status_msg": "login fail"}, "choices": None}, "LLM_AUTH", 1),
        ({"base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}}, "LLM_BALANCE", 1),
        (
            {"code": "DataInspectionFailed", "message": "inappropriate content", "request_id": "1"},
            "LLM_REFUSED",
            1,
        ),
        ({"code": 11200, "message": "AppIdNoAuthError", "sid": "cha000"}, "LLM_AUTH", 1),
        ({"header": {"code": 11200, "message": "AppIdNoAuthError", "status": 2}}, "LLM_AUTH", 1),
        ({"detail": "upstream is gone"}, "LLM_BAD_REQUEST", 1),
        ({"error": {"message": "upstream is gone", "type": "server_error"}}, "LLM_UNAVAILABLE", 3),
        ({"object": "error", "message": "maximum context length", "code": 400}, "LLM_BAD_REQUEST", 1),
    ],
    ids=lambda value: str(value)[:60],
)
async def test_an_error_inside_a_200(run: Harness, fields: dict[str, Any], code: str, calls: int) -> None:
    words = json.dumps(fields).replace('"', " ")
    outcome = await run(stream(fields))
    outcome.fails(code, calls=calls)
    said = [word for word in words.split("  ") if " " in word or word.startswith("App")]
    assert any(word.strip(" :,{}") in outcome.message for word in said), outcome.message


@pytest.mark.compatibility("F13")
async def test_an_error_with_its_own_chunk_and_finish_reason(run: Harness) -> None:
    chunk = {
        "choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}],
        "error": {
            "code": 502,
            "message": "Provider disconnected",
            "metadata": {"error_type": "provider_unavailable"},
        },
    }
    (await run(stream(*deltas(HALF), chunk))).fails("LLM_UNAVAILABLE", "Provider disconnected", calls=3)


@pytest.mark.compatibility("F14")
async def test_an_error_inside_the_choice(run: Harness) -> None:
    error = {"code": 502, "message": "Upstream idle timeout exceeded"}
    chunk = {"choices": [{"index": 0, "delta": {}, "finish_reason": "error", "error": error}]}
    (await run(stream(*deltas(HALF), chunk))).fails("LLM_UNAVAILABLE", "Upstream idle timeout", calls=3)


@pytest.mark.compatibility("F15")
@pytest.mark.parametrize("event", [{"error": "CUDA out of memory"}, {"error": ["CUDA out of memory"]}])
async def test_an_error_that_is_not_an_object(run: Harness, event: dict[str, Any]) -> None:
    (await run(stream(*deltas(HALF), event))).fails("LLM_UNAVAILABLE", "CUDA out of memory", calls=3)


@pytest.mark.compatibility("F16")
@pytest.mark.parametrize("status", [503, 520, 524, 529])
async def test_a_server_that_is_loading_or_overloaded(run: Harness, status: int) -> None:
    busy = http_error(status, {"code": status, "message": "Loading model", "type": "unavailable_error"})
    (await run([busy, busy, text(TEXT)])).delivers(calls=3)


@pytest.mark.compatibility("F17")
async def test_a_model_that_is_not_there(run: Harness) -> None:
    error = {"message": 'model "m" not found, try pulling it first', "type": "api_error", "code": None}
    outcome = await run(http_error(404, error))
    outcome.fails("LLM_BAD_REQUEST", "not found, try pulling it first", "model id", calls=1)


@pytest.mark.compatibility("F18")
@pytest.mark.parametrize("status", [401, 403, 404])
async def test_an_error_page_of_a_proxy(run: Harness, status: int) -> None:
    """The markup is no message; its text is."""
    outcome = await run(page(status, f"<html><body><h1>{status} Blocked</h1></body></html>", "text/html"))
    outcome.fails(("LLM_AUTH", "LLM_BAD_REQUEST"), f"{status} Blocked", calls=1)


@pytest.mark.compatibility("F19")
async def test_a_prompt_that_is_longer_than_the_window(run: Harness) -> None:
    words = "This model's maximum context length is 4096 tokens, however you requested 9000 tokens"
    outcome = await run(http_error(400, {"message": words, "code": "context_length_exceeded"}))
    outcome.fails("LLM_BAD_REQUEST", "maximum context length is 4096", "length of the prompt", calls=1)


@pytest.mark.compatibility("F20")
async def test_a_key_of_one_character(run: Harness) -> None:
    """Servers without keys are given "x": hiding it would damage every message."""
    words = "the maximum of six extra tokens is exceeded"
    outcome = await run(http_error(400, {"message": words}), provider={"api_key": "x"})
    outcome.fails("LLM_BAD_REQUEST", words, calls=1)


@pytest.mark.compatibility("F21")
async def test_the_key_inside_a_message(run: Harness) -> None:
    outcome = await run(http_error(401, {"message": f"Incorrect API key provided: {KEY}"}))
    outcome.fails("LLM_AUTH", "Incorrect API key provided", calls=1)
    assert KEY not in json.dumps([event.data for event in outcome.events])


@pytest.mark.compatibility("F23")
@pytest.mark.parametrize("end", [b"", b"}}]}"], ids=["cut", "damaged"])
async def test_a_json_body_that_ends_early(run: Harness, end: bytes) -> None:
    message = {"index": 0, "message": {"role": "assistant", "content": TEXT}, "finish_reason": "stop"}
    half = json.dumps({"choices": [message]}).encode()[:300] + end
    outcome = await run(data(half, headers="content-type: application/json\r\n"))
    outcome.fails(("LLM_INCOMPLETE", "LLM_BAD_OUTPUT", "LLM_NETWORK"), calls=3)


@pytest.mark.compatibility("F24")
async def test_a_pretty_printed_error_labelled_as_a_stream(run: Harness) -> None:
    error = json.dumps({"error": {"message": "no such model: m", "type": "invalid_request_error"}}, indent=2)
    (await run(data(error))).fails("LLM_BAD_REQUEST", "no such model: m", calls=1)


@pytest.mark.compatibility("F25")
async def test_null_in_place_of_an_answer(run: Harness) -> None:
    """A gateway that swallowed the failure of the server behind it."""
    outcome = await run(page(200, "null"))
    outcome.fails(("LLM_BAD_OUTPUT", "LLM_INCOMPLETE"), calls=3)


@pytest.mark.compatibility("F26")
async def test_the_words_of_the_server_behind_a_gateway(run: Harness) -> None:
    raw = json.dumps({"error": {"message": "rope scaling is not supported", "code": 400}})
    error = {
        "message": "Provider returned error",
        "code": 400,
        "metadata": {"raw": raw, "provider_name": "Upstream"},
    }
    outcome = await run(http_error(400, error))
    outcome.fails("LLM_BAD_REQUEST", "Provider returned error", "rope scaling is not supported", calls=1)


@pytest.mark.compatibility("F27")
@pytest.mark.parametrize(
    "error",
    [
        {"message": "No deployments available for selected model, Try again in 17 seconds.", "code": "429"},
        {"message": "Rate limit reached for m on requests per min: please try again in 17s."},
        {"message": "slow", "code": 429, "metadata": {"headers": {"Retry-After": "17"}}},
    ],
    ids=["in seconds", "in s", "metadata"],
)
async def test_a_rate_limit_that_tells_its_wait_in_the_body(run: Harness, error: dict[str, Any]) -> None:
    outcome = await run([http_error(429, error), text(TEXT)])
    outcome.delivers(calls=2)
    assert len(outcome.waits) == 1
    assert 17 <= outcome.waits[0] < 60


@pytest.mark.compatibility("F28")
@pytest.mark.parametrize(
    "error",
    [
        {"code": "1308", "message": "已达到 5 小时的使用上限。您的限额将在 2099-08-25 07:41:44 重置。"},
        {"message": "Rate limit exceeded: free-models-per-day. Add 10 credits to unlock more", "code": 429},
        {"message": "Rate limit reached on tokens per day (TPD): please try again in 7h12m30s."},
    ],
    ids=["five hours", "per day", "TPD"],
)
async def test_a_cap_of_hours(run: Harness, error: dict[str, Any]) -> None:
    """No task waits so long: each further attempt would only use up more of the cap."""
    outcome = await run(http_error(429, error))
    outcome.fails(("LLM_QUOTA", "LLM_RATE_LIMIT"), error["message"][:12], calls=1)
