"""Rows of docs/compatibility.md: what gateways do to an answer, and words of further providers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.compatibility.harness import (
    DONE,
    LINES,
    PATH,
    STOP,
    TEXT,
    Answers,
    Harness,
    data,
    delta,
    deltas,
    encoded,
    plan_of,
)
from tests.servers.model import Body, Reply, call_of, http_error, prefix_of, stream, text

pytestmark = pytest.mark.asyncio(loop_scope="module")

HALF, REST = "".join(LINES[:4]), "".join(LINES[4:])
REPORTED = {"prompt_tokens": 190, "completion_tokens": 130}
EVENTS = [encoded(event) for event in (*deltas(), STOP)]
NATIVE = {"quirks": {"prefix": "partial"}}


def of_id(id_: str, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**event, "id": id_} for event in events]


def rejecting(words: str, field: str, status: int = 400, **error: Any) -> Answers:
    """Rejects requests in which the field occurs; answers others."""

    def answer(body: Body) -> Reply:
        if field in json.dumps(body):
            return http_error(status, {"message": words, **error})
        return text(TEXT if call_of(body)[0] == "file" else json.dumps(plan_of(PATH)))

    return answer


@pytest.mark.compatibility("S36")
@pytest.mark.parametrize(
    "parts",
    [
        [*[b"data: " + event for event in EVENTS], b"data: data: [DONE]\n\n"],
        [b"data: " + b"".join(event[6:].strip() for event in EVENTS) + b"\n\n", DONE],
        [*EVENTS[:-1], EVENTS[-1].strip() + b"data: [DONE]\n\n"],
        [*[b"  " + event for event in EVENTS], b'data: "[DONE]"\n\n'],
        [b"\0", *EVENTS[:3], b"\0\n", *EVENTS[3:], b"data: [done]\n\n"],
    ],
    ids=["data: data:", "several objects in a line", "glued [DONE]", "indented", "NUL"],
)
async def test_the_framing_of_gateways(run: Harness, parts: list[bytes]) -> None:
    (await run(data(*parts))).delivers()


@pytest.mark.compatibility("S37")
@pytest.mark.parametrize(
    "events",
    [
        [*of_id("a", deltas(f"{HALF}CREATE TABLE t4 (id")), *of_id("b", deltas())],
        [*of_id("a", deltas(HALF)), *of_id("b", deltas("CREATE TABLE more (id INTEGER);\n"))],
    ],
    ids=["from its beginning", "as if it went on"],
)
async def test_a_second_answer_in_the_same_stream(run: Harness, events: list[dict[str, Any]]) -> None:
    (await run(stream(*events, STOP))).fails("LLM_BAD_OUTPUT", "another answer", calls=3)


async def test_an_id_for_each_event(run: Harness) -> None:
    events = [{**event, "id": f"chunk-{number}"} for number, event in enumerate(deltas())]
    (await run(stream(*events, {**STOP, "id": "end"}))).delivers()


@pytest.mark.compatibility("S38")
@pytest.mark.parametrize(
    "events",
    [[*deltas(), delta(LINES[-1], "stop")], [deltas()[0], *deltas(), STOP]],
    ids=["the last", "the first"],
)
async def test_one_event_is_sent_twice(run: Harness, events: list[dict[str, Any]]) -> None:
    outcome = await run([stream(*events), text(TEXT)])
    outcome.delivers(calls=2)


@pytest.mark.compatibility("T22")
@pytest.mark.parametrize(
    "damaged",
    [
        f"-- 会\ufffd\ufffd员\n{TEXT}",
        "-- 会员 — café\n".encode().decode("latin-1") + TEXT,
        "-- café\n".encode().decode("cp1252") + TEXT,
        TEXT.replace(" ", "\u2581"),
        TEXT.replace(" ", "\u0120").replace("\n", "\u010a"),
        TEXT.replace("\n", "<0x0A>"),
        f"-- <0xE4><0xBC><0x9A>\n{TEXT}",
        f"{HALF}\x1b[1mCREATE\x1b[0m TABLE t (id INTEGER);\n{REST}",
    ],
    ids=["lost", "Latin-1", "Windows-1252", "SentencePiece", "BPE", "line ends", "bytes", "colours"],
)
async def test_damaged_characters(run: Harness, damaged: str) -> None:
    outcome = await run(text(damaged))
    outcome.fails("LLM_BAD_OUTPUT", calls=3)


@pytest.mark.parametrize(
    "content",
    [
        "text = raw.replace('\ufffd', '')\n",
        "PRIX = 'élève à côté'\n",
        "SPACES = ['\u2581', '\u0120']\n",
        "TOKEN = '<0x0A>'\n",
    ],
)
async def test_a_file_that_rightly_holds_such_characters(run: Harness, content: str) -> None:
    (await run(text(content), path="a.py")).delivers(content, path="a.py")


@pytest.mark.compatibility("E25")
@pytest.mark.parametrize(
    "last",
    [
        {"choices": [{"index": 0, "delta": {"finish_reason": "length"}}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "finish_reason": "length"},
        {**STOP, "incomplete_details": {"reason": "max_output_tokens"}},
        {**STOP, "status": "incomplete"},
        delta(finish="token_limit_reached"),
    ],
    ids=["in the delta", "beside choices", "incomplete_details", "status", "word"],
)
async def test_length_in_another_place(run: Harness, last: dict[str, Any]) -> None:
    replies = [stream(*deltas(HALF), last), text(REST)]
    (await run(replies, provider=NATIVE)).delivers(calls=2)


@pytest.mark.compatibility("E26")
@pytest.mark.parametrize(
    "last",
    [
        {"choices": [{"index": 0, "delta": {"finish_reason": "stop"}}]},
        {"choices": [{"index": 0, "delta": {}}], "finish_reason": "stop"},
        delta(finish="finished"),
    ],
    ids=["in the delta", "beside choices", "word"],
)
async def test_stop_in_another_place(run: Harness, last: dict[str, Any]) -> None:
    (await run(stream(*deltas(), last))).delivers()


@pytest.mark.compatibility("U13")
@pytest.mark.parametrize(
    "fields",
    [
        {"usageMetadata": {"promptTokenCount": 190, "candidatesTokenCount": 130}},
        {"usage": {"promptTokens": 190, "completionTokens": 130}},
        {"usage": {"text": REPORTED}},
        {"usage": {"billed_units": {"input_tokens": 190, "output_tokens": 130}}},
        {"usage": [REPORTED]},
        {"token_usage": REPORTED},
        {"meta": {"tokens": {"input_tokens": 190, "output_tokens": 130}}},
    ],
    ids=str,
)
async def test_usage_under_other_names(run: Harness, fields: dict[str, Any]) -> None:
    outcome = await run(stream(*deltas(), STOP, {"choices": [], **fields}))
    outcome.delivers()
    last = [event.data["tokens"] for event in outcome.events if event.kind == "usage"][-1]
    assert (last["prompt"], last["completion"], last["estimated"]) == (190, 130, False)


@pytest.mark.compatibility("U14")
async def test_usage_that_counts_each_event_by_itself(run: Harness) -> None:
    content = "".join(f"INSERT INTO t VALUES ({n}, 'row number {n}');\n" for n in range(200))
    each = {"prompt_tokens": 190, "completion_tokens": 1}
    outcome = await run(stream(*[{**event, "usage": each} for event in deltas(content)], STOP))
    outcome.delivers(content)
    last = [event.data["tokens"] for event in outcome.events if event.kind == "usage"][-1]
    assert (last["prompt"], last["estimated"]) == (190, True)
    assert last["completion"] > len(content) / 8


@pytest.mark.compatibility("F34")
@pytest.mark.parametrize(
    "message",
    [
        "The request was rejected because it was considered high risk",
        "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
        "Prompt was blocked: PROHIBITED_CONTENT",
        "Your request was rejected as a result of our safety system.",
        "输入内容存在安全风险，建议关闭当前会话",
        "内容安全审核未通过",
    ],
)
async def test_a_filter_in_the_words_of_further_providers(run: Harness, message: str) -> None:
    (await run(http_error(400, {"message": message}))).fails("LLM_REFUSED", message[:14], calls=1)


@pytest.mark.compatibility("F35")
@pytest.mark.parametrize(
    "reply",
    [
        http_error(400, {"message": "API key not valid. Please pass a valid API key.", "code": 400}),
        http_error(400, {"message": "API key expired. Please renew the API key."}),
        http_error(400, {"message": "无效的令牌", "type": "new_api_error"}),
        http_error(500, {"message": "Invalid API key provided"}),
        stream({"error": {"message": "Invalid API key provided"}}),
        stream({"error_code": 110, "error_msg": "Access token invalid or no longer valid"}),
    ],
    ids=["Gemini", "expired", "Chinese", "500", "in a stream", "Baidu"],
)
async def test_a_bad_key_without_401(run: Harness, reply: Reply) -> None:
    (await run(reply)).fails("LLM_AUTH", "Check the provider's API key", calls=1)


@pytest.mark.compatibility("F36")
@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (
            stream(
                {
                    "Response": {
                        "Error": {
                            "Code": "FailedOperation.ResourcePackExhausted",
                            "Message": "资源包余量已用尽",
                        }
                    }
                }
            ),
            "资源包余量已用尽",
        ),
        (http_error(429, {"message": "The resource pack allowance has been exhausted"}), "allowance"),
        (http_error(429, {"code": "1309", "message": "您的套餐已到期，暂无法使用"}), "套餐已到期"),
    ],
    ids=["Tencent", "package", "GLM"],
)
async def test_a_package_that_is_used_up(run: Harness, reply: Reply, words: str) -> None:
    (await run(reply)).fails(("LLM_QUOTA", "LLM_BALANCE"), words, calls=1)


@pytest.mark.compatibility("F37")
@pytest.mark.parametrize(
    "reply",
    [
        http_error(501, {"message": "This server does not support chat completions."}),
        stream({"error": {"code": "1261", "message": "Prompt 超长"}}),
        http_error(500, {"message": "输入长度超过模型最大上下文长度"}),
        http_error(500, {"message": "该模型不存在或已下线"}),
        stream({"code": 10163, "message": "EngineInternalError:parameter error", "sid": "cha"}),
    ],
    ids=["501", "GLM", "window", "model", "Spark"],
)
async def test_further_errors_that_no_attempt_cures(run: Harness, reply: Reply) -> None:
    (await run(reply)).fails("LLM_BAD_REQUEST", "Check the model id", calls=1)


@pytest.mark.compatibility("F38")
@pytest.mark.parametrize(
    "fields",
    [
        {"title": "Bad model name", "status": 400},
        {"reason": "Bad model name", "code": 7},
        {"errcode": 7, "errmsg": "Bad model name"},
        {"errorCode": 7, "errorMessage": "Bad model name"},
        {"error": {"message": json.dumps({"detail": "Bad model name"})}},
        {"error": True, "message": "Bad model name"},
    ],
    ids=str,
)
async def test_further_shapes_of_an_error_page(run: Harness, fields: dict[str, Any]) -> None:
    outcome = await run(http_error(400, json.dumps(fields)))
    outcome.fails("LLM_BAD_REQUEST", "400: Bad model name.", calls=1)


async def test_the_scripts_of_an_error_page_are_not_quoted(run: Harness) -> None:
    page = "<html><head><style>b{color:red}</style><script>var a;</script></head><body>Wait</body></html>"
    outcome = await run(http_error(403, page))
    outcome.fails("LLM_AUTH", "403: Wait.", calls=1)


@pytest.mark.compatibility("F39")
async def test_a_model_that_has_crashed(run: Harness) -> None:
    crashed = json.dumps({"error": "The model has crashed without additional information. (Exit code: 6)"})
    (await run([http_error(400, crashed), text(TEXT)])).delivers(calls=2)


@pytest.mark.compatibility("R11")
@pytest.mark.parametrize(
    "words",
    [
        "System role not supported",
        "Developer instruction is not enabled for models/gemma-3-27b-it",
        "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
    ],
)
async def test_the_system_role_is_rejected(run: Harness, words: str) -> None:
    answer = rejecting(words, '"system"')
    outcome = await run(answer, plan=answer)
    outcome.delivers()
    (only,) = outcome.bodies[1]["messages"]
    assert only["role"] == "user"
    assert [said["content"] in only["content"] for said in outcome.bodies[0]["messages"]] == [True, True]


@pytest.mark.compatibility("R12")
@pytest.mark.parametrize(
    "words",
    [
        "This model does not support assistant message prefill.",
        "The conversation must end with a user message.",
        "Expected last role User or Tool (or Assistant with prefix True) for serving but got assistant",
        "Conversation roles must alternate user/assistant/user/assistant/...",
        "Assistant response prefill is incompatible with enable_thinking.",
        "Cannot set `add_generation_prompt` to True when the last message is from the assistant.",
    ],
)
async def test_an_answer_as_the_last_message_is_rejected(run: Harness, words: str) -> None:
    def answer(body: Body) -> Reply:
        if body["messages"][-1]["role"] == "assistant":
            return http_error(400, {"message": words})
        written = prefix_of(body)
        return text(TEXT.removeprefix(written)) if written else text("".join(LINES[:5]), "length")

    (await run(answer, provider=NATIVE)).delivers(calls=3)


@pytest.mark.compatibility("R13")
@pytest.mark.parametrize(
    ("field", "status", "words", "param"),
    [
        ("stream_options", 400, "Extra inputs are not permitted", "include_usage"),
        ("stream_options", 500, "generate() got an unexpected keyword argument 'stream_options'", None),
        ("response_format", 400, "Json mode response is not supported when enable_thinking is true", None),
        ("response_format", 400, "'json_object' is not one of ['json_schema', 'text']", None),
    ],
)
async def test_a_parameter_is_rejected_in_further_words(
    run: Harness, field: str, status: int, words: str, param: str | None
) -> None:
    answer = rejecting(words, field, status, param=param)
    outcome = await run(answer, plan=answer)
    outcome.delivers()
    assert outcome.file_calls("") == 2


@pytest.mark.compatibility("R14")
@pytest.mark.parametrize(
    ("most", "words"),
    [
        (4096, "max_tokens: 8192 > 4096, which is the maximum allowed number of output tokens for m"),
        (2048, "the max_output_tokens must be in the range [2, 2048]"),
        (4096, "The maximum tokens you requested exceeds the model limit of 4096."),
        (4096, "max_tokens should be lower than or equal to 4096"),
        (4096, "max_tokens is too large: 8192. This model supports at most 4,096 completion tokens."),
        (
            3996,
            "Requested token count exceeds the model's maximum context length of 4096 tokens. You requested "
            "a total of 8292 tokens: 100 tokens from the input messages and 8192 for the completion.",
        ),
        (3996, "`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 100 `inputs` tokens and 8192"),
        (
            3996,
            "input length and `max_tokens` exceed context limit: 100 + 8192 > 4096, decrease input length",
        ),
    ],
    ids=["Claude", "Baidu", "Bedrock", "Mistral", "OpenAI", "SGLang", "TGI", "Claude's window"],
)
async def test_a_token_limit_in_further_words(run: Harness, most: int, words: str) -> None:
    def answer(body: Body) -> Reply:
        if body["max_tokens"] > most:
            return http_error(400, {"message": words})
        return text(TEXT if call_of(body)[0] == "file" else json.dumps(plan_of(PATH)))

    outcome = await run(answer, plan=answer)
    outcome.delivers(calls=outcome.file_calls())
    assert {body["max_tokens"] for body in outcome.bodies} == {8192, most}


@pytest.mark.compatibility("P27")
@pytest.mark.parametrize(
    "dirty",
    [
        f"@@@ PART 1 @@@\n{TEXT}",
        f"{TEXT}:::end:::\n",
        f"{TEXT}{{{{END}}}}\n",
        f"{TEXT}\\end{{sql}}\n",
        f"{HALF}[CONTINUED]\n{REST}",
        f"{HALF}Part two follows\n{REST}",
        f"{HALF.rstrip()} <<CUT>>\n{REST}",
        f"{HALF}undefined\n{REST}",
        f"{HALF}: OPENROUTER PROCESSING\n{REST}",
        f"{HALF}data: [DONE]\n{REST}",
        TEXT.replace(";\n", ";【1†source】\n", 1),
        f"CREATE TABLE t (\n  a INTEGER,\n  ⟦cut⟧\n  b INTEGER\n);\n{TEXT}",
        f"[source,sql]\n----\n{TEXT}----\n",
        f"{HALF}CREATE TABLE t4 (id INT{TEXT}",
    ],
)
async def test_a_mark_that_nobody_has_listed(run: Harness, dirty: str) -> None:
    outcome = await run([text(dirty, size=40), text(TEXT)])
    outcome.delivers(calls=2)


@pytest.mark.compatibility("P28")
@pytest.mark.parametrize(
    ("path", "escaped", "whole"),
    [
        ("a.ini", "[a]\\nb = 1\\nc = 2\\nd = 3\\n", "[a]\nb = 1\n"),
        ("a.csv", "id,name\\n1,a\\n2,b\\n3,c\\n", "id,name\n1,a\n"),
        (
            "query.sql",
            "SELECT a FROM t WHERE a \\u003c 1;\nSELECT a FROM t WHERE a \\u003e 2;\n",
            "SELECT 1;\n",
        ),
    ],
)
async def test_text_that_was_escaped_twice(run: Harness, path: str, escaped: str, whole: str) -> None:
    outcome = await run([text(escaped), text(whole)], path=path)
    outcome.delivers(whole, calls=2, path=path)


@pytest.mark.compatibility("P29")
@pytest.mark.parametrize(
    "path", ["**schema.sql**", "schema.sql:", "1. schema.sql", "schema.sql (new)", "\u200bschema.sql"]
)
async def test_what_stands_around_a_path_in_a_plan(run: Harness, path: str) -> None:
    outcome = await run(text(TEXT), plan=text(json.dumps({"files": [{"path": path}]})))
    outcome.delivers()
    assert (set(outcome.files), outcome.file_calls("")) == ({PATH}, 1)
