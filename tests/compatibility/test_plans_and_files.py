"""Rows P of docs/compatibility.md: plans that are no plans, and files that are more than the file."""

from __future__ import annotations

import json
from typing import Any

import anyio
import pytest

from tests.compatibility.harness import PATH, TEXT, Harness
from tests.servers.model import Reply, chunk, sse, text

pytestmark = pytest.mark.asyncio(loop_scope="module")

FENCED = f"```sql\n{TEXT}```\n"
RUN_IT = "\nRun it with:\n\n```bash\nsqlite3 app.db < schema.sql\n```\n"


def entry(path: str = PATH, **fields: Any) -> dict[str, Any]:
    return {"path": path, "purpose": "scripted", **fields}


def plan(*entries: dict[str, Any]) -> str:
    return json.dumps({"summary": "A project.", "files": list(entries)})


@pytest.mark.compatibility("P1")
@pytest.mark.parametrize(
    "before",
    [
        "Here is the file:\n\n",
        f"{PATH}\n",
        f"**{PATH}**\n\n",
        f"# {PATH}\n\n",
        f"`{PATH}`:\n\n",
        "Sure! Below is it.\n",
    ],
)
@pytest.mark.parametrize("after", ["", "\nThis creates ten tables.\n"])
async def test_prose_around_a_fenced_file(run: Harness, before: str, after: str) -> None:
    (await run(text(before + FENCED + after))).delivers()


@pytest.mark.compatibility("P2")
@pytest.mark.parametrize("before", ["", "Here is the file:\n\n"])
async def test_a_second_fence_after_the_file(run: Harness, before: str) -> None:
    (await run(text(before + FENCED + RUN_IT))).delivers()


@pytest.mark.compatibility("P3")
@pytest.mark.parametrize(
    ("opening", "closing"),
    [(f'<file path="{PATH}">\n', "</file>"), (f'<file path="{PATH}">\n```sql\n', "```\n</file>\n")],
    ids=["tag", "tag and fence"],
)
async def test_the_tag_of_the_prompt_around_the_file(run: Harness, opening: str, closing: str) -> None:
    (await run(text(opening + TEXT + closing))).delivers()


@pytest.mark.compatibility("P4")
async def test_markdown_that_holds_fences_and_tags(run: Harness) -> None:
    content = f"# Tables\n\n{FENCED}{RUN_IT}\nSee `schema.sql`.\n"
    (await run(text(content), path="README.md")).delivers(content, path="README.md")


@pytest.mark.compatibility("P5")
@pytest.mark.parametrize(
    "hints",
    [
        {"exports": None, "needs": None, "lines": None},
        {"exports": "main", "needs": "README.md"},
        {"exports": [{"name": "main", "kind": "function"}], "needs": [{"path": "README.md"}]},
        {"lines": "~20"},
        {"lines": "20-30"},
        {"lines": -1},
        {"lines": 20.5},
        {"exports": {"main": "starts it"}, "lines": "about twenty"},
        {"purpose": None},
        {"purpose": ["scripted"]},
    ],
    ids=str,
)
async def test_hints_of_another_type(run: Harness, hints: dict[str, Any]) -> None:
    outcome = await run(text(TEXT), plan=text(plan(entry() | hints)))
    outcome.delivers()
    assert outcome.file_calls("") == 1


@pytest.mark.compatibility("P6")
async def test_folders_and_a_leading_dot_in_a_plan(run: Harness) -> None:
    outcome = await run(text(TEXT), plan=text(plan(entry("src/"), entry("./src/schema.sql"), entry("docs/"))))
    outcome.delivers(path="src/schema.sql")
    assert (set(outcome.files), outcome.file_calls("")) == ({"src/schema.sql"}, 1)


@pytest.mark.compatibility("P7")
async def test_an_absolute_path_in_a_plan(run: Harness) -> None:
    """Where the project's root is cannot be known, so the model is told and asked again."""
    outcome = await run(text(TEXT), plan=[text(plan(entry("/app/schema.sql"))), text(plan(entry()))])
    outcome.delivers()
    assert outcome.file_calls("") == 2
    told = [event.data["message"] for event in outcome.events if event.kind == "retry"]
    assert "/app/schema.sql" in told[0]


@pytest.mark.compatibility("P8")
@pytest.mark.parametrize("path", ["../schema.sql", "a/../../b.sql", ".git/config", "a/.git/hooks/pre-commit"])
async def test_a_dangerous_path_in_a_plan(run: Harness, path: str) -> None:
    outcome = await run(text(TEXT), plan=text(plan(entry(), entry(path))))
    outcome.fails("UNSAFE_PATH", path, calls=outcome.file_calls())
    assert outcome.file_calls("") == 1


@pytest.mark.compatibility("P9")
@pytest.mark.parametrize(
    "answer",
    [
        '{"summary": "two\nlines", "files": [{"path": "schema.sql", "purpose": "a\ttab\nand a line"}]}',
        '{"summary": "s", "files": [{"path": "schema.sql", "purpose": "p",},],}',
        f"Here is the plan:\n```json\n{plan(entry())}\n```\nShall I begin?",
    ],
    ids=["raw newline", "trailing commas", "fence and prose"],
)
async def test_a_plan_that_is_almost_json(run: Harness, answer: str) -> None:
    outcome = await run(text(TEXT), plan=text(answer))
    outcome.delivers()
    assert outcome.file_calls("") == 1


@pytest.mark.compatibility("P10")
async def test_a_binary_file_in_a_plan(run: Harness) -> None:
    outcome = await run(text(TEXT), plan=text(plan(entry(), entry("logo.png"), entry("fonts/a.woff2"))))
    outcome.delivers()
    assert (set(outcome.files), outcome.file_calls("logo.png")) == ({PATH}, 0)
    assert "logo.png" in json.dumps([event.data for event in outcome.events])


@pytest.mark.compatibility("P11")
async def test_a_workflow_in_a_plan_while_workflows_are_off(run: Harness) -> None:
    workflow = ".github/workflows/ci.yml"
    outcome = await run(text(TEXT), plan=text(plan(entry(), entry(workflow))))
    outcome.delivers()
    assert (set(outcome.files), outcome.file_calls(workflow)) == ({PATH}, 0)
    assert workflow in json.dumps([event.data for event in outcome.events])
    assert "workflow" in json.dumps(outcome.bodies[0]["messages"])


@pytest.mark.compatibility("P12")
async def test_the_plan_names_a_file_twice(run: Harness) -> None:
    outcome = await run(text(TEXT), plan=text(plan(entry(), entry("./schema.sql"), entry())))
    outcome.delivers()
    assert set(outcome.files) == {PATH}


@pytest.mark.compatibility("P13")
async def test_entities_in_place_of_operators(run: Harness) -> None:
    right = "SELECT a FROM t WHERE a < 1;\nSELECT a FROM t WHERE a > 2;\n"
    outcome = await run([text(right.replace("<", "&lt;").replace(">", "&gt;")), text(right)])
    outcome.delivers(right, calls=2)


def endless_blanks(before: str) -> Reply:
    """The server never says more: only a client that hangs up is not kept waiting."""
    blanks = [sse(chunk({"content": "\n \t" * 10})) for _ in range(100)]
    return Reply(parts=[sse(chunk({"content": before})), *blanks, anyio.Event()])


@pytest.mark.compatibility("P14")
async def test_blanks_without_end_after_the_plan(run: Harness) -> None:
    outcome = await run(text(TEXT), plan=endless_blanks(plan(entry())))
    outcome.delivers()
    assert outcome.file_calls("") == 1


@pytest.mark.compatibility("P15")
async def test_blanks_without_end_within_the_plan(run: Harness) -> None:
    outcome = await run([], plan=lambda body: endless_blanks('{"summary": "A project.",'))
    outcome.fails("LLM_BAD_OUTPUT", "endless white space", calls=0)
    assert outcome.file_calls("") == 3
