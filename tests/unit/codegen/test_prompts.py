"""The constant parts of prompts come first: providers charge less for a prefix in their cache."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise, takewhile
from pathlib import Path

import anyio
import pytest

from gencode.codegen.file_generator import WritingLimits
from gencode.codegen.plan import Plan, PlannedFile
from gencode.codegen.prompts import FILE_INSTRUCTIONS, NEIGHBOUR_CHARACTERS, PLAN_CHARACTERS, file_messages
from tests.servers.generate_harness import INSTRUCTED, GenerateHarness, generate_harness
from tests.servers.model import Body, Reply, call_of, plan_and_files, text
from tests.unit.codegen.test_repair_loop import ScriptedRepairs, check

FILES = {f"src/part_{n}.py": f"x_{n} = {n}\n" * 30 for n in range(6)}
PROMPT = "a project in six files, " + "with many words that must not be paid for six times, " * 40


def prompt_of(body: Body) -> str:
    """The messages of a request as one text."""
    return "".join(f"<{message['role']}>{message['content']}" for message in body["messages"])


async def file_prompts(harness: GenerateHarness) -> list[str]:
    await harness.run(prompt=PROMPT)
    return [prompt_of(seen.body) for seen in harness.model.requests if seen.call[0] == "file"]


def shared_by(prompts: Sequence[str]) -> str:
    """The longest common prefix."""
    same = takewhile(lambda column: len(set(column)) == 1, zip(*prompts, strict=False))
    return "".join(column[0] for column in same)


def planned_lines(prompt: str) -> str:
    """The prompt up to the end of the plan as far as it was known."""
    return prompt[: prompt.index("\n</plan>")]


async def test_the_plan_precedes_everything_about_the_file(tmp_path: Path) -> None:
    """Also for files that start before the plan is complete, are continued, or are repaired."""
    bad = {**FILES, "src/part_2.py": "BAD\n"}
    script = plan_and_files(bad, cut_at=200, replace=ScriptedRepairs("x_2 = 2\n"))
    async with generate_harness(tmp_path, script, check=check, quirks=INSTRUCTED) as harness:
        prompts = await file_prompts(harness)
    assert len(prompts) > len(FILES) + 1, "some were continued, one was repaired"
    for one, other in pairwise(prompts):
        shared = shared_by([one, other])
        least = min(planned_lines(one), planned_lines(other), key=len)
        assert shared.startswith(least)
        assert least.startswith(
            f"<system>{FILE_INSTRUCTIONS}<user><request>\n{PROMPT}\n</request>\n\n<plan>\n"
        )


async def test_prompts_after_the_plan_differ_in_the_file_only(tmp_path: Path) -> None:
    whole = anyio.Event()

    def in_one_chunk(body: Body) -> Reply | None:
        if call_of(body)[0] != "plan":
            return None
        whole.set()
        files = [{"path": path, "purpose": "scripted"} for path in FILES]
        return text(json.dumps({"summary": "Six.", "files": files}), size=100_000)

    limits = WritingLimits(at_once=1)
    async with generate_harness(
        tmp_path, plan_and_files(FILES, replace=in_one_chunk), limits=limits
    ) as harness:
        prompts = await file_prompts(harness)
    shared = shared_by(prompts)
    assert shared.endswith('</plan>\n\n<file path="src/part_')
    assert all(len(shared) > 0.8 * len(prompt) for prompt in prompts)
    assert all(path in shared for path in FILES)


async def test_a_continuation_begins_with_the_same_prompt(tmp_path: Path) -> None:
    async with generate_harness(tmp_path, plan_and_files({"a.py": "x = 1\n" * 100}, cut_at=250)) as harness:
        prompts = await file_prompts(harness)
    assert len(prompts) == 3
    for one, other in pairwise(prompts):
        assert other.startswith(one)


@pytest.mark.parametrize("count", [1, 40, 400, 2000])
def test_a_large_plan_is_repeated_in_less_detail(count: int) -> None:
    """Every file is named as long as the names fit; the prompt says so when they do not."""
    files = tuple(
        PlannedFile(
            path=f"{'d' * 40}/f{n}.py", purpose="p" * 2000, exports=("e" * 300,) * 20, needs=("x",) * 9
        )
        for n in range(count)
    )
    plan = Plan(summary="s", files=files)
    (_, message) = file_messages("prompt", plan, files[0], {})
    assert len(message.content) < PLAN_CHARACTERS + 12_000
    shown = sum(file.path in message.content for file in files)
    assert shown == count or f"... and {count - shown} more files" in message.content


def test_the_neighbours_of_a_file_are_bounded_together() -> None:
    neighbours = [PlannedFile(path=f"n{n}.py", purpose="p" * 2000, needs=("a.py",)) for n in range(300)]
    file = PlannedFile(path="a.py")
    symbols = {neighbour.path: ["def f(): ..." * 20] * 100 for neighbour in neighbours}
    (_, message) = file_messages("prompt", Plan(files=(file, *neighbours)), file, symbols)
    assert len(message.content) < PLAN_CHARACTERS + NEIGHBOUR_CHARACTERS + 1000
