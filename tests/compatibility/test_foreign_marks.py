"""Rows of docs/compatibility.md: what servers and models put around a file, or into it, that is not the file.

Each has a counterpart below: a file that rightly holds such text is delivered to the byte.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.compatibility.harness import LINES, PATH, STOP, TEXT, Harness, deltas
from tests.servers.model import stream, text

pytestmark = pytest.mark.asyncio(loop_scope="module")

HALF, REST = "".join(LINES[:4]), "".join(LINES[4:])
THOUGHT = "Ten tables are asked for.\nThat is too little.\n"
FILTERED = {"hate": {"filtered": True, "severity": "high"}, "violence": {"filtered": False}}
SAFE = {"hate": {"filtered": False, "severity": "safe"}, "profanity": {"filtered": False, "detected": False}}


@pytest.mark.compatibility("T18")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[/INST] ", ""),
        ("[gMASK]<sop><|assistant|>\n", ""),
        ("<|header_start|>assistant<|header_end|>\n\n", "<|eot|>"),
        ("<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>", "<|END_OF_TURN_TOKEN|>"),
        ("<|im_assistant|>assistant<|im_middle|>", "<|im_end|>"),
        ("<|assistant|>: ", "<|end|>"),
        ("", "[e~["),
        ("", "[|endofturn|]"),
    ],
)
@pytest.mark.parametrize("size", [1, 10_000])
async def test_tokens_of_further_templates(run: Harness, before: str, after: str, size: int) -> None:
    (await run(text(before + TEXT + after, size=size))).delivers()


async def test_a_space_before_the_end_token_is_the_templates(run: Harness) -> None:
    whole = TEXT.rstrip("\n")
    (await run(text(f"{whole} <|im_end|>", size=3))).delivers(whole)


@pytest.mark.compatibility("T19")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[OUT]", ""),
        ("### Response:\n", ""),
        ("### Response: ", ""),
        ("Assistant: ", ""),
        ("assistant\n\n", ""),
        (": ", ""),
        ("assistantfinal", ""),
        ("<|start_of_answer|>", ""),
        ("", "[EOS]"),
        ("", " [EOS]"),
        ("", "\n[end of text]"),
        ("", " [end of text]"),
        ("", "<|im_end|"),
        ("", "&lt;|im_end|&gt;"),
        ("", "<|im_start|>user\nThanks"),
        ("", "\n### Instruction:"),
        ("", "\nHuman: Thanks"),
        ("", "\x04"),
        ("", "data: [DONE]"),
    ],
)
async def test_what_may_belong_to_a_template(run: Harness, before: str, after: str) -> None:
    outcome = await run([text(before + TEXT.rstrip("\n") + after, size=7), text(TEXT)])
    outcome.delivers(calls=2)


@pytest.mark.compatibility("T20")
@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ("[thinking]", "[/thinking]"),
        ("<thoughts>", "</thoughts>"),
        ("<analysis>", "</analysis>"),
        ("(thinking)", "(/thinking)"),
        ('<think id="1">', "</think>"),
        ("<思考>", "</思考>"),
        ("Thinking...", "...done thinking."),
    ],
)
async def test_reasoning_in_odd_marks(run: Harness, opening: str, closing: str) -> None:
    """Removed where the mark is known and begins the answer; else the file is asked for again."""
    outcome = await run([text(f"{opening}\n{THOUGHT}{closing}\n{TEXT}", size=5), text(TEXT)])
    outcome.delivers(calls=outcome.file_calls())
    assert outcome.file_calls() <= 2


@pytest.mark.compatibility("T21")
@pytest.mark.parametrize(
    "middle",
    [
        f"<think>\n{THOUGHT}</think>\n",
        f"[thinking]\n{THOUGHT}[/thinking]\n",
        "<|im_end|>\n<|im_start|>assistant\n",
        "<|endoftext|>",
        "[/INST]\n",
        "</s>",
        HALF,
        f"Wait, I begin again.\n\n{HALF}",
    ],
)
async def test_what_stands_in_the_middle_of_a_file(run: Harness, middle: str) -> None:
    outcome = await run([text(HALF + middle + REST, size=6), text(TEXT)])
    outcome.delivers(calls=2)


@pytest.mark.compatibility("E23")
@pytest.mark.parametrize(
    "last",
    [
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "content_filter_results": FILTERED}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "output_sensitive": True},
    ],
    ids=["results", "flag"],
)
async def test_a_filter_beside_stop(run: Harness, last: dict[str, Any]) -> None:
    (await run(stream(*deltas(HALF), last))).fails("LLM_REFUSED", "Change the prompt", calls=1)


async def test_a_filter_that_did_not_strike(run: Harness) -> None:
    events = deltas()
    for event in events:
        event["choices"][0]["content_filter_results"] = SAFE
    (await run(stream(*events, STOP))).delivers()


@pytest.mark.compatibility("E24")
@pytest.mark.parametrize(
    "last",
    [
        {**STOP, "truncated": True},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "truncated": True}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "stop_type": "limit"}]},
        {
            "choices": [
                {"index": 0, "delta": {}, "finish_reason": "stop", "finish_details": {"type": "max_tokens"}}
            ]
        },
    ],
    ids=["truncated", "in the choice", "stop_type", "finish_details"],
)
async def test_truncated_beside_stop(run: Harness, last: dict[str, Any]) -> None:
    replies = [stream(*deltas(HALF), last), text(REST)]
    (await run(replies, provider={"quirks": {"prefix": "deepseek"}})).delivers(calls=2)


@pytest.mark.compatibility("P22")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("BEGIN FILE\n", "END FILE\n"),
        (f"--- {PATH} ---\n", ""),
        (f"=== {PATH} ===\n", "=== END ===\n"),
        (f"[file name]: {PATH}\n[file content begin]\n", "[file content end]\n"),
        (f"File: {PATH}\n", ""),
        (f"### {PATH}\n\n", ""),
        (f"{PATH}\n", ""),
        ('"""\n', '"""\n'),
        ("-----\n", "-----\n"),
        ("", "--- end of file ---\n"),
        ("", "</answer>\n"),
        (f'{{"path": "{PATH}"}}\n', ""),
        ("【文件开始】\n", "【文件结束】\n"),
    ],
)
async def test_a_frame_around_the_file(run: Harness, before: str, after: str) -> None:
    outcome = await run([text(before + TEXT + after, size=20), text(TEXT)])
    outcome.delivers(calls=2)


@pytest.mark.compatibility("P23")
@pytest.mark.parametrize(
    "answer",
    [
        '{"error": {"message": "Rate limit reached", "type": "rate_limit_error"}}',
        '{"error": "upstream timeout"}',
        '{"code": 429, "message": "too many requests"}',
        '[{"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}]',
        "no healthy upstream",
        "502 Bad Gateway",
        "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>",
    ],
)
@pytest.mark.parametrize(("path", "whole"), [(PATH, TEXT), ("package.json", '{"name": "a"}\n')])
async def test_the_message_of_an_error_as_the_answer(
    run: Harness, answer: str, path: str, whole: str
) -> None:
    outcome = await run([text(answer), text(whole)], path=path)
    outcome.delivers(whole, calls=2, path=path)


async def test_the_message_of_an_error_after_half_a_file(run: Harness) -> None:
    error = json.dumps({"error": {"message": "stream broken", "type": "server_error"}})
    outcome = await run([text(f"{HALF}\n{error}\n"), text(TEXT)])
    outcome.delivers(calls=2)


TEMPLATES = (
    "# Chat templates\n\nLlama 2 ends a question with [/INST]:\n\n```\n<s>[INST] hello [/INST]\n```\n\n"
)
RIGHTLY = {
    "docs/templates.md": f"{TEMPLATES}Alpaca:\n\n### Response:\n\nIt ends with <|im_end|>, and [EOS].\n",
    "docs/tokens.txt": "<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\nhi<|im_end|>\n",
    "alpaca.txt": "### Instruction:\n{instruction}\n\n### Response:\n",
    "llama.tmpl": "[INST] {{ prompt }} [/INST]",
    "template.py": 'STOP = "[/INST]"\nEND = "<|im_end|>"\nTOKENS = [STOP, END]\nEOS = 2\nLAST = [EOS]\n',
    "tests/fixtures/answer.txt": "Hello.<|eot_id|>\n<|start_header_id|>user<|end_header_id|>\n",
    "tokens.sql": "INSERT INTO tokens VALUES\n  ('<|im_end|>'),\n  ('[EOS]'),\n  ('</s>');\n",
    "tokens.yaml": "stop:\n  - <|im_end|>\ntemplate: |\n  [INST] {prompt} [/INST]\nend: <|eot_id|>\n",
    "tokens.ini": "[out]\npath = a\n\n[eos]\n",
    ".env.example": "STOP=<|im_end|>\n",
    "errors/error.json": '{"error": {"message": "Rate limit reached", "type": "rate_limit_error"}}\n',
    "locales/en.json": '{"error": "Something went wrong", "detail": "Details"}\n',
    "post.md": "---\ntitle: A post\n---\n\nText.\n\n---\n",
    "rule.md": "Text.\n\n---\n",
    "comments.sql": "-- --- tables ---\nCREATE TABLE t (a INT);\n-- ...\n-- end of file\n",
    "run.sh": ': "${PORT:=80}"\ncat <<EOF\n<|im_end|>\nEOF\n',
    "plain.css": "a:hover { color: red; }\noutput:focus { color: red; }\n",
    "data.csv": "id,name\n1,a\n1,a\n",
    "thoughts.xml": "<analysis>\n  <plan>a</plan>\n</analysis>\n",
    "500.html": "<html><head><title>500 Internal Server Error</title></head><body>Sorry.</body></html>\n",
    "guide.md": "# Guide\n\n```text\n<think>\nhm\n</think>\n```\n\nThe end.\n",
    "seeds.sql": "INSERT INTO t VALUES (1, 'a long enough row');\n" * 6,
}


@pytest.mark.parametrize("path", RIGHTLY)
async def test_a_file_that_rightly_holds_such_marks(run: Harness, path: str) -> None:
    (await run(text(RIGHTLY[path], size=6), path=path)).delivers(RIGHTLY[path], path=path)


@pytest.mark.parametrize("mark", ["[OUT]", "[EOS]", "### Response:"])
async def test_a_mark_that_the_request_asks_for(run: Harness, mark: str) -> None:
    whole = f"{mark}\nhello\n" if mark != "[EOS]" else f"hello\n{mark}\n"
    outcome = await run(text(whole), path="prompt.txt", request={"prompt": f"a prompt with {mark} in it"})
    outcome.delivers(whole, path="prompt.txt")
