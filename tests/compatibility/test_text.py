"""Rows T of docs/compatibility.md: what surrounds the file in the text of an answer."""

from __future__ import annotations

import json

import pytest

from tests.compatibility.harness import (
    DONE,
    LINES,
    STOP,
    TEXT,
    Harness,
    Pause,
    data,
    delta,
    deltas,
    plan_of,
)
from tests.servers.model import Body, Reply, call_of, prefix_of, stream, text

pytestmark = pytest.mark.asyncio(loop_scope="module")

THOUGHT = "Ten tables are asked for.\n```sql\nCREATE TABLE draft (id INTEGER);\n```\nThat is too little.\n"
HARMONY = "<|channel|>analysis<|message|>{}<|end|><|start|>assistant<|channel|>final<|message|>"
BLOCKS = {
    "think": f"<think>\n{THOUGHT}</think>\n\n",
    "empty": "<think>\n\n</think>\n\n",
    "after blank lines": f"\n\n<think>{THOUGHT}</think>\n",
}
OTHER_BLOCKS = {
    "thinking": f"<thinking>\n{THOUGHT}</thinking>\n\n",
    "seed": f"<seed:think>{THOUGHT}</seed:think>",
    "minimax": f"<mm:think>{THOUGHT}</mm:think>\n",
    "magistral": f"[THINK]{THOUGHT}[/THINK]",
}
END_TOKENS = [
    "<|im_end|>",
    "<｜end▁of▁sentence｜>",
    "</s>",
    "<|endoftext|>",
    "<|eot_id|>",
    "<end_of_turn>",
    "<|end_of_text|>",
    "<|im_end|>\n<|endoftext|>",
]


@pytest.mark.compatibility("T1")
@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
@pytest.mark.parametrize("size", [3, 10_000])
async def test_a_think_block_before_a_file(run: Harness, block: str, size: int) -> None:
    (await run(text(block + TEXT, size=size))).delivers()


@pytest.mark.compatibility("T13")
@pytest.mark.parametrize("begins", ["Okay, the user wants ten tables.\n", "Ten tables are asked for.\n"])
@pytest.mark.parametrize("size", [3, 10_000])
async def test_a_think_block_without_its_opening_tag(run: Harness, begins: str, size: int) -> None:
    """What begins like a thought is held back; otherwise the file is asked for once more."""
    outcome = await run(text(f"{begins}{THOUGHT}</think>\n\n{TEXT}", size=size))
    outcome.delivers(calls=outcome.file_calls())
    assert outcome.file_calls() <= 2


@pytest.mark.compatibility("T2")
@pytest.mark.parametrize("block", OTHER_BLOCKS.values(), ids=OTHER_BLOCKS)
async def test_think_blocks_with_other_tags(run: Harness, block: str) -> None:
    (await run(text(block + TEXT, size=3))).delivers()


@pytest.mark.compatibility("T3")
@pytest.mark.parametrize("end", ["", "<|return|>"])
async def test_the_channels_of_harmony(run: Harness, end: str) -> None:
    (await run(text(HARMONY.format(THOUGHT) + TEXT + end, size=5))).delivers()


@pytest.mark.compatibility("T4")
@pytest.mark.parametrize("opening", ["<think>", ""])
async def test_a_draft_of_the_plan_inside_a_think_block(run: Harness, opening: str) -> None:
    draft = json.dumps(plan_of("draft.sql"))
    answer = f"{opening}Perhaps {draft}? No.</think>\n{json.dumps(plan_of('schema.sql'))}"
    outcome = await run(text(TEXT), plan=text(answer))
    outcome.delivers()
    assert set(outcome.files) == {"schema.sql"}


@pytest.mark.compatibility("T5")
@pytest.mark.parametrize("prefix", ["deepseek", "none"])
async def test_a_think_block_before_a_continuation(run: Harness, prefix: str) -> None:
    def answer(body: Body) -> Reply:
        written = prefix_of(body)
        if not written:
            return text("".join(LINES[:5]), "length")
        return text(f"<think>\n{THOUGHT}</think>\n\n" + TEXT.removeprefix(written))

    (await run(answer, provider={"quirks": {"prefix": prefix}})).delivers(calls=2)


@pytest.mark.compatibility("T6")
async def test_a_think_block_before_an_outline_and_before_each_part(run: Harness) -> None:
    lines = [f"CREATE TABLE part_{n // 40}_{n} (id INTEGER);\n" for n in range(120)]
    parts = ["".join(lines[start : start + 40]) for start in (0, 40, 80)]
    given: list[str] = []

    def answer(body: Body) -> Reply:
        block = f"<think>\n{THOUGHT}</think>\n\n"
        if call_of(body)[0] != "file":
            return text(f'{block}{{"parts": ["tables 0 to 39", "tables 40 to 79", "tables 80 to 119"]}}')
        given.append(parts[len(given)])
        return text(block + given[-1])

    plan = plan_of("schema.sql")
    plan["files"][0]["lines"] = 120
    outcome = await run(answer, plan=text(json.dumps(plan)), max_output_tokens=50 * 14)
    outcome.delivers("".join(lines), calls=3)


@pytest.mark.compatibility("T7")
@pytest.mark.parametrize(
    "content",
    [
        f"{LINES[0]}INSERT INTO t VALUES ('\n<think>\nnot a thought\n</think>\n');\n{LINES[1]}",
        f"{LINES[0]}-- models end a thought with </think>, and an answer with <|im_end|> or </s>\n{LINES[1]}",
        "-- <think> is the tag of a thought\n" + TEXT,
        f"{LINES[0]}-- <|channel|>analysis<|message|> begins a thought\n{LINES[1]}",
    ],
)
async def test_a_file_that_rightly_holds_such_tags(run: Harness, content: str) -> None:
    (await run(text(content, size=4))).delivers(content)


@pytest.mark.compatibility("T8")
async def test_a_think_block_that_is_never_closed(run: Harness) -> None:
    (await run(text(f"<think>\n{THOUGHT}{TEXT}"))).fails("LLM_BAD_OUTPUT", calls=3)


@pytest.mark.compatibility("T9")
@pytest.mark.parametrize("token", END_TOKENS)
async def test_end_tokens_after_the_file(run: Harness, token: str) -> None:
    (await run(text(TEXT + token, size=4))).delivers()


@pytest.mark.compatibility("T10")
@pytest.mark.parametrize(
    "field", ["reasoning_content", "reasoning", "thinking", "thought", "reasoning_text", "reasoning_details"]
)
async def test_reasoning_in_a_field_of_any_name_is_a_sign_of_life(run: Harness, field: str) -> None:
    value = [{"type": "reasoning.text", "text": "Hm."}] if field == "reasoning_details" else "Hm."
    thoughts = [delta(**{field: value}), Pause(seconds=50)] * 3
    (await run(data(*thoughts, *deltas(), STOP, DONE))).delivers()


@pytest.mark.compatibility("T11")
async def test_reasoning_that_is_sent_twice(run: Harness) -> None:
    block = [delta("<think>", reasoning_content="Hm."), delta("Hm.</think>", reasoning_content="Hm.")]
    (await run(stream(*block, *deltas(), STOP))).delivers()


@pytest.mark.compatibility("T12")
async def test_a_parts_list_with_thinking_for_a_long_time(run: Harness) -> None:
    thought = delta([{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}])
    thoughts = [thought, Pause(seconds=50)] * 3
    (await run(data(*thoughts, *deltas(), STOP, DONE))).delivers()
