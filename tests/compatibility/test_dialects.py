"""Rows of docs/compatibility.md: what servers send in place of text, and around it, in further dialects."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.compatibility.harness import (
    LINES,
    PATH,
    STOP,
    TEXT,
    Harness,
    delta,
    deltas,
    plan_of,
)
from tests.servers.model import Reply, http_error, stream, text

pytestmark = pytest.mark.asyncio(loop_scope="module")

HALF = "".join(LINES[:4])
THOUGHT = "The user wants tables.\nTen of them.\n"
TOOL_CALL = json.dumps({"name": "write_file", "arguments": {"path": PATH, "content": TEXT}})


@pytest.mark.compatibility("S32")
@pytest.mark.parametrize("value", [5, 1.0, True])
async def test_a_number_in_place_of_text(run: Harness, value: object) -> None:
    """The text may have been 5, 05 or 5.0."""
    outcome = await run(stream(delta("CREATE TABLE t (a CHAR("), delta(value), delta("));\n"), STOP))
    outcome.fails("LLM_BAD_OUTPUT", f"{type(value).__name__} {value}", "in place of text", calls=3)


@pytest.mark.compatibility("S33")
async def test_parts_of_an_unknown_type_that_have_text(run: Harness) -> None:
    parts = [delta([{"type": "markdown" if n % 2 else "text", "text": line}]) for n, line in enumerate(LINES)]
    (await run(stream(*parts, STOP))).fails("LLM_BAD_OUTPUT", "markdown", "in place of text", calls=3)


@pytest.mark.compatibility("S34")
async def test_every_event_is_sent_twice(run: Harness) -> None:
    twice = [event for event in deltas() for _ in range(2)]
    (await run(stream(*twice, STOP))).fails("LLM_BAD_OUTPUT", "twice", calls=3)


@pytest.mark.compatibility("S35")
@pytest.mark.parametrize("status", [201, 202, 203])
async def test_another_status_of_success(run: Harness, status: int) -> None:
    whole = stream(*deltas(), STOP)
    (await run(Reply(status=status, headers=whole.headers, parts=whole.parts))).delivers()


@pytest.mark.compatibility("T14")
@pytest.mark.parametrize("rest", ["</think>\n\n", "\n\n"])
async def test_what_remains_of_a_block_whose_reasoning_is_in_a_field(run: Harness, rest: str) -> None:
    (await run(stream(delta(reasoning_content=THOUGHT), delta(rest), *deltas(), STOP))).delivers()


@pytest.mark.compatibility("T15")
@pytest.mark.parametrize(
    "before",
    [
        "<|channel|>final<|message|>",
        "<|start|>assistant<|channel|>final<|message|>",
        f"<|start|>assistant<|channel|>analysis<|message|>{THOUGHT}<|end|>"
        "<|start|>assistant<|channel|>final<|message|>",
        f"<|channel|>commentary<|message|>{THOUGHT}<|end|><|start|>assistant<|channel|>final<|message|>",
    ],
)
@pytest.mark.parametrize("size", [3, 10_000])
async def test_other_orders_of_the_channels_of_harmony(run: Harness, before: str, size: int) -> None:
    (await run(text(f"{before}{TEXT}<|return|>", size=size))).delivers()


@pytest.mark.compatibility("T16")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"<|START_THINKING|>{THOUGHT}<|END_THINKING|><|START_RESPONSE|>", "<|END_RESPONSE|>"),
        (f"<|channel>thought\n{THOUGHT}<channel|>", "<turn|>"),
        (f"<unused94>thought\n{THOUGHT}<unused95>", ""),
        (f"<longcat_think>{THOUGHT}</longcat_think>\n", "</longcat_s>"),
        ("<think>\n\n</think>\n\n<think>Hm.</think>\n", ""),
        ("<think>Hm.</think><|begin_of_box|>", "<|end_of_box|>"),
    ],
)
@pytest.mark.parametrize("size", [3, 10_000])
async def test_reasoning_in_the_tokens_of_other_families(
    run: Harness, before: str, after: str, size: int
) -> None:
    (await run(text(before + TEXT + after, size=size))).delivers()


@pytest.mark.compatibility("T17")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<|im_start|>assistant\n", "<|im_end|>"),
        ("<|start_header_id|>assistant<|end_header_id|>\n\n", "<|eot_id|>"),
        ("<｜begin▁of▁sentence｜><｜Assistant｜>", "<｜User｜>"),
        ("<|assistant|>\n", "<|user|>"),
        ("<start_of_turn>model\n", "<end_of_turn>"),
        ("", "<|observation|>"),
    ],
)
@pytest.mark.parametrize("size", [3, 10_000])
async def test_tokens_of_the_template_around_the_file(
    run: Harness, before: str, after: str, size: int
) -> None:
    (await run(text(before + TEXT + after, size=size))).delivers()


@pytest.mark.compatibility("E22")
@pytest.mark.parametrize(
    ("fields", "code", "calls"),
    [
        ({"finish_reason": "guardrail_intervened"}, "LLM_REFUSED", 1),
        ({"finish_reason": "stop", "native_finish_reason": "IMAGE_SAFETY"}, "LLM_REFUSED", 1),
        ({"finish_reason": "stop", "native_finish_reason": "MALFORMED_FUNCTION_CALL"}, "LLM_BAD_OUTPUT", 3),
    ],
    ids=str,
)
async def test_further_reasons_that_are_no_stop(
    run: Harness, fields: dict[str, Any], code: str, calls: int
) -> None:
    last = {"choices": [{"index": 0, "delta": {}, **fields}]}
    (await run(stream(*deltas(HALF), last))).fails(code, calls=calls)


@pytest.mark.compatibility("F29")
@pytest.mark.parametrize(
    ("status", "error"),
    [
        (403, {"code": 30001, "message": "Sorry, your account balance is insufficient"}),
        (400, {"message": "Your credit balance is too low to access the API."}),
        (403, {"message": "Key limit exceeded (total limit)", "code": 403}),
        (401, {"message": "Inactive subscription or usage limit reached"}),
        (403, {"message": "token quota is not enough, token remain quota: $0.00"}),
        (412, {"message": "Account suspended due to reaching the monthly spending limit"}),
        (500, {"message": "user quota is not enough", "code": "insufficient_user_quota"}),
        (429, {"message": "You have reached your weekly usage limit"}),
        (429, {"message": "今日额度已用完"}),
    ],
    ids=lambda value: value if isinstance(value, int) else value["message"][:20],
)
async def test_a_quota_with_any_status(run: Harness, status: int, error: dict[str, Any]) -> None:
    outcome = await run(http_error(status, error))
    outcome.fails(("LLM_QUOTA", "LLM_BALANCE"), error["message"][:14], calls=1)


@pytest.mark.compatibility("F30")
@pytest.mark.parametrize(
    ("status", "message"),
    [
        (403, 'Your chosen model requires moderation and your input was flagged for "violence"'),
        (400, "Your prompt was flagged as potentially violating our usage policy."),
        (400, "Output blocked by content filtering policy"),
        (400, "内容违反平台规定"),
        (451, "Unavailable for legal reasons"),
    ],
)
async def test_a_refusal_in_further_words(run: Harness, status: int, message: str) -> None:
    outcome = await run(http_error(status, {"message": message}))
    outcome.fails("LLM_REFUSED", message[:14], "Change the prompt", calls=1)


@pytest.mark.compatibility("F31")
@pytest.mark.parametrize(
    "reply",
    [
        http_error(500, {"message": "the input length exceeds the context length"}),
        http_error(500, {"message": "the request exceeds the available context size", "code": 500}),
        stream({"error": {"message": "Trying to keep the first 5000 tokens when context the overflows."}}),
        stream({"code": 20012, "message": "Model does not exist. Please check it carefully."}),
    ],
)
async def test_a_final_error_that_looks_like_one_of_the_server(run: Harness, reply: Reply) -> None:
    (await run(reply)).fails("LLM_BAD_REQUEST", "Check the model id", "length of the prompt", calls=1)


@pytest.mark.compatibility("F32")
@pytest.mark.parametrize(
    "error",
    [
        {"message": "请求过于频繁，请在 37 秒后重试"},
        {"message": "Rate limited. Please wait 37 seconds before retrying."},
        {"message": "Limit resets in 37 seconds"},
        {"message": "slow down", "retry_after": 37},
        {"message": "slow down", "metadata": {"retry_after": 37}},
    ],
    ids=str,
)
async def test_a_wait_in_further_words(run: Harness, error: dict[str, Any]) -> None:
    outcome = await run([http_error(429, error), text(TEXT)])
    outcome.delivers(calls=2)
    assert [int(seconds) for seconds in outcome.waits] == [37]


@pytest.mark.compatibility("F33")
@pytest.mark.parametrize(
    ("fields", "code", "words"),
    [
        ({"error_code": 18, "error_msg": "Open api qps request limit reached"}, "LLM_RATE_LIMIT", "qps"),
        ({"error_code": 336100, "error_msg": "server is busy"}, "LLM_UNAVAILABLE", "busy"),
        (
            {"Response": {"Error": {"Code": "RequestLimitExceeded", "Message": "too fast"}}},
            "LLM_RATE_LIMIT",
            "too fast",
        ),
        ({"success": False, "error_message": "engine is down"}, "LLM_UNAVAILABLE", "engine is down"),
    ],
    ids=str,
)
async def test_further_shapes_of_an_error_in_a_200(
    run: Harness, fields: dict[str, Any], code: str, words: str
) -> None:
    (await run(stream(fields))).fails(code, words, calls=3)


@pytest.mark.compatibility("P16")
@pytest.mark.parametrize(
    "answer",
    [
        f"<tool_call>\n{TOOL_CALL}\n</tool_call>",
        f"<function=write_file>\n<parameter=content>\n{TEXT}</parameter>\n</function>",
        f"[TOOL_CALLS][{TOOL_CALL}]",
        f"cat > schema.sql <<'EOF'\n{TEXT}EOF\n",
        "I'm sorry, but I can't assist with that request.",
        "抱歉，我无法回答这个问题。",
        "Error: rate limit exceeded",
        "Understood. I will write the file now.",
        f"Sure! Here is the file:\n\n{TEXT}",
        f"{TEXT}\nThis completes the schema. It has ten tables.\n",
        f"{TEXT}<|im_end|>\n<|im_start|>user\nThanks!<|im_end|>",
        f"{TEXT}<|unknown_token|>",
    ],
)
async def test_what_is_no_file_of_a_kind_without_a_grammar(run: Harness, answer: str) -> None:
    outcome = await run(text(answer, size=40))
    outcome.fails("LLM_BAD_OUTPUT", "not surely the file", calls=3)


@pytest.mark.compatibility("P17")
@pytest.mark.parametrize("path", ["schema.sql", "Dockerfile", "README.md"])
async def test_numbered_lines(run: Harness, path: str) -> None:
    lines = ["FROM alpine:3.20", "WORKDIR /app", "COPY . .", 'CMD ["sh"]']
    answer = "".join(f"{n:4d}  {line}\n" for n, line in enumerate(lines, start=1))
    (await run(text(answer), path=path)).fails("LLM_BAD_OUTPUT", calls=3, path=path)


@pytest.mark.compatibility("P18")
async def test_the_first_line_behind_the_fence(run: Harness) -> None:
    outcome = await run([text(f"```sql {TEXT}```"), text(TEXT)])
    outcome.delivers(calls=2)


@pytest.mark.compatibility("P19")
@pytest.mark.parametrize(("mark", "fence"), [("\u200b", ""), ("\u200b", "```sql\n"), ("\ufeff", "```sql\n")])
async def test_an_invisible_mark_before_the_file(run: Harness, mark: str, fence: str) -> None:
    (await run(text(f"{mark}{fence}{TEXT}{fence[:3]}"))).delivers()


async def test_a_byte_order_mark_of_the_file_itself(run: Harness) -> None:
    (await run(text(f"\ufeff{TEXT}"))).delivers(f"\ufeff{TEXT}")


@pytest.mark.compatibility("P20")
@pytest.mark.parametrize(
    "answer",
    [
        "# Hello\n\n```bash\nrun\n",
        "```markdown\n# Hello\n\nA tool.\n```\n\n**other.txt**\n```\nhello\n```\n",
        "First version:\n```markdown\n# Hello\n\nA tool.\n```\nBetter:\n```markdown\n# Hello\n\nTool.\n```\n",
    ],
)
async def test_a_readme_that_is_not_whole_or_not_alone(run: Harness, answer: str) -> None:
    whole = "# Hello\n\nA tool.\n"
    outcome = await run([text(answer), text(whole)], path="README.md")
    outcome.delivers(whole, calls=2, path="README.md")


@pytest.mark.compatibility("P21")
@pytest.mark.parametrize(
    ("files", "plans"),
    [
        ({"1": {"path": PATH}}, 1),
        ([{"name": "src", "children": [{"name": PATH}]}], 2),
        ([f"{PATH} - the tables"], 2),
        ([f"{PATH} (the tables)"], 2),
    ],
    ids=str,
)
async def test_a_plan_that_is_no_flat_list(run: Harness, files: object, plans: int) -> None:
    odd = text(json.dumps({"summary": "A project.", "files": files}))
    outcome = await run(text(TEXT), plan=[odd, text(json.dumps(plan_of(PATH)))])
    outcome.delivers()
    assert (set(outcome.files), outcome.file_calls("")) == ({PATH}, plans)
