"""Files that are planned longer than one answer may be."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from gencode.codegen.file_checkpoints import Piece
from gencode.codegen.file_generator import WritingLimits
from gencode.codegen.multipart_file_generator import join_parts, part_counts
from gencode.codegen.prompts import OUTLINE_INSTRUCTIONS
from gencode.engine.ports.store import TaskQuery
from gencode.pipelines.generate.report import report
from gencode.pipelines.generate.task_files import FileState, files
from tests.servers.generate_harness import INSTRUCTED, NATIVE, GenerateHarness, generate_harness
from tests.servers.model import USAGE, Body, Reply, http_error, prefix_of, text

LINES = 3000
WHOLE = "".join(f"def function_{n}(x: int) -> int:\n    return x + {n}\n\n" for n in range(LINES // 3))
LIMIT = 8192
PARTS = 6
PLAN = {
    "summary": "Large.",
    "files": [{"path": "big.py", "purpose": "much", "lines": LINES}, {"path": "small.py", "purpose": "s"}],
}


def nth(number: int, of: int = PARTS, whole: str = WHOLE) -> str:
    """The nth part of the file, between whole definitions."""
    blocks = whole.split("\n\n")[:-1]
    size = -(-len(blocks) // of)
    return "".join(f"{block}\n\n" for block in blocks[(number - 1) * size : number * size])


class ScriptedModel:
    """A model that plans a large file, divides it and writes the parts. An answer ends with "length" after
    `cut` characters. `fails`: by part, a reply to send before the right one."""

    def __init__(self, *, cut: int = LIMIT * 3, outline: str = "", **fails: Reply) -> None:
        self.cut = cut
        self.outline = outline or json.dumps({"parts": [f"functions of part {n + 1}" for n in range(PARTS)]})
        self.fails = {int(name.removeprefix("part")): reply for name, reply in fails.items()}
        self.asked: list[str] = []

    def __call__(self, body: Body) -> Reply:
        system, user = body["messages"][0]["content"], body["messages"][1]["content"]
        if "planning a small" in system:
            return text(json.dumps(PLAN), usage=USAGE, size=5000)
        if system == OUTLINE_INSTRUCTIONS:
            self.asked.append("outline")
            return text(self.outline, usage=USAGE, size=5000)
        if user.endswith("small.py"):
            return text("y = 1\n", usage=USAGE)
        part = re.search(r"Answer with part (\d+) of (\d+) alone", user)
        number = int(part[1]) if part else 0
        self.asked.append(f"part {number}" if part else "whole")
        if number in self.fails:
            return self.fails.pop(number)
        content = nth(number, int(part[2])) if part else WHOLE
        prefix = prefix_of(body)
        if not content.startswith(prefix):
            return http_error(418, "the prefix is not what was answered")
        rest = content[len(prefix) :]
        return text(rest[: self.cut], "length" if len(rest) > self.cut else "stop", usage=USAGE, size=5000)


async def run(harness: GenerateHarness, **request: Any) -> dict[str, Any]:
    task = await harness.run(**request)
    assert task.status == "completed", task.message
    events, checkpoints = await harness.store.events(task.id), await harness.store.checkpoints(task.id)
    return report(task, events, checkpoints).model_dump()


@pytest.mark.parametrize("quirks", [NATIVE, INSTRUCTED])
async def test_three_thousand_lines_are_written_in_answers_of_8192_tokens(
    tmp_path: Path, quirks: Any
) -> None:
    model = ScriptedModel()
    async with generate_harness(
        tmp_path, model, quirks=quirks, limits=WritingLimits(max_tokens=LIMIT)
    ) as harness:
        made = await run(harness)
        assert (await harness.pushed())["big.py"] == WHOLE.encode()
        task = (await harness.store.find(TaskQuery()))[0]
        parts = [(event.data["part"], event.data["of"]) for event in await harness.events(task, "part")]
    assert model.asked == ["outline", *(f"part {n}" for n in range(1, PARTS + 1))]
    assert parts == [(n, PARTS) for n in range(1, PARTS + 1)]
    (big, _) = made["files"]
    assert (big["calls"], big["tokens"]["prompt"]) == (1 + PARTS, (1 + PARTS) * USAGE.prompt)
    assert made["usage"]["prompt"] == (1 + 1 + 1 + PARTS) * USAGE.prompt


@pytest.mark.parametrize("quirks", [NATIVE, INSTRUCTED])
async def test_a_truncated_part_is_continued_like_any_file(tmp_path: Path, quirks: Any) -> None:
    model = ScriptedModel(cut=5000)
    async with generate_harness(
        tmp_path, model, quirks=quirks, limits=WritingLimits(max_tokens=LIMIT)
    ) as harness:
        await run(harness)
        assert (await harness.pushed())["big.py"] == WHOLE.encode()
    assert len(model.asked) > 1 + PARTS


async def test_a_failure_in_the_middle_loses_no_part(tmp_path: Path) -> None:
    model = ScriptedModel(part4=http_error(402))
    async with generate_harness(tmp_path, model, limits=WritingLimits(max_tokens=LIMIT)) as harness:
        task = await harness.run()
        assert task.failure
        assert task.failure.code == "LLM_BALANCE"
        seen = files(await harness.store.checkpoints(task.id)).by_path["big.py"]
        assert (seen.state, seen.text) == (FileState.WRITING, nth(1) + nth(2) + nth(3))
        await harness.task_service.retry(task)
        await harness.stream_of(task)
        assert (await harness.pushed())["big.py"] == WHOLE.encode()
        restored = await harness.restored(task, await harness.store.checkpoints(task.id))
        assert restored.repo.name == "hello"
    assert sorted(model.asked) == sorted(
        ["outline", *(f"part {n}" for n in range(1, PARTS + 1)), "part 4"]
    ), "only the failed part was requested again"


async def test_without_an_outline_the_file_is_continued_and_that_is_stored(tmp_path: Path) -> None:
    model = ScriptedModel(outline="I would rather not.")
    async with generate_harness(
        tmp_path, model, limits=WritingLimits(max_tokens=LIMIT, rounds=12)
    ) as harness:
        made = await run(harness)
        assert (await harness.pushed())["big.py"] == WHOLE.encode()
        task = (await harness.store.find(TaskQuery()))[0]
        assert json.loads((await harness.store.checkpoints(task.id))["outline:1:big.py"])["parts"] == []
    assert model.asked.count("outline") == 3
    assert model.asked.count("whole") > 1
    assert made["usage"]["prompt"] == len(harness.model.requests) * USAGE.prompt


async def test_a_part_that_restarts_the_file_is_requested_again(tmp_path: Path) -> None:
    model = ScriptedModel(part3=text(nth(1), usage=USAGE, size=5000), part5=text("```\n```\n", usage=USAGE))
    async with generate_harness(tmp_path, model, limits=WritingLimits(max_tokens=LIMIT)) as harness:
        made = await run(harness)
        assert (await harness.pushed())["big.py"] == WHOLE.encode()
    assert made["calls_repeated"] == 2


async def test_a_file_that_fits_is_not_divided(tmp_path: Path) -> None:
    model = ScriptedModel(cut=10**6)
    async with generate_harness(tmp_path, model, limits=WritingLimits(max_tokens=LINES * 20)) as harness:
        await run(harness)
    assert model.asked == ["whole"]


@pytest.mark.parametrize(
    ("form", "answers"),
    [
        ("exact", lambda n: nth(n)),
        ("in a fence", lambda n: f"```python\n{nth(n)}```\n"),
        ("after a sentence", lambda n: f"Here is part {n}:\n\n```python\n{nth(n)}```\n"),
        (
            "after lines of the part before",
            lambda n: (nth(n - 1)[-200:].partition("\n")[2] if n > 1 else "") + nth(n),
        ),
        ("without its last line feed", lambda n: nth(n).rstrip("\n") + "\n\n" if n == PARTS else nth(n)),
    ],
)
def test_parts_are_joined_exactly_in_each_form_of_answers(form: str, answers: Any) -> None:
    parts = [(Piece(text=answers(n), whole=True),) for n in range(1, PARTS + 1)]
    assert join_parts(parts, "big.py") == WHOLE, form


def test_repetitions_within_the_file_stay() -> None:
    rows = "    0, 0, 0, 0, 0, 0,\n"
    parts = [(Piece(text=f"TABLE = [\n{rows * 9}", whole=True),), (Piece(text=f"{rows * 9}]\n", whole=True),)]
    assert join_parts(parts, "table.py") == f"TABLE = [\n{rows * 18}]\n"


@pytest.mark.parametrize(
    ("lines", "tokens", "parts"),
    [(3000, 8192, 6), (585, 8192, 1), (586, 8192, 2), (0, 8192, 1), (900, 64, 1), (10**6, 8192, 1)],
)
def test_the_number_of_parts(lines: int, tokens: int, parts: int) -> None:
    assert part_counts(lines, tokens)[0] == parts
