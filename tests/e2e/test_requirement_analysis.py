"""A requirement document becomes requirements: over HTTP, with the offline model and a scripted one."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import anyio
import pytest

from gencode.llm.port import Usage
from tests.servers.calls import client, get, post
from tests.servers.model import USAGE, Body, ModelServer, Reply, model_server, text
from tests.servers.service import App, environment, running_app, service, settings
from tests.servers.stream import events

pytestmark = [
    pytest.mark.one_process("the settings of several processes have no workspace yet"),
    pytest.mark.campaign,
]
FIRST = """# 登录
系统必须在 5 次登录失败后锁定账户。
界面应友好。

# Export
The system must export reports as PDF within 10 seconds.
The system must not export reports as PDF within 10 seconds.
Explanations are no requirements.
"""
SECOND = """# 登录
系统必须在 3 次登录失败后锁定账户。

# Export
Every report should have a title.
The system must export reports as PDF within 10 seconds.
The system must not export reports as PDF within 10 seconds.

# 界面
界面应友好。
"""


async def typed(app: App, text: str, **fields: Any) -> str:
    created = await post(app.url, "/requirements", {"name": "Login", "original_content": text, **fields})
    assert created.status_code == 201, created.text
    return str(created.json()["id"])


async def analysed(app: App, document_id: str, **fields: Any) -> dict[str, Any]:
    answer = await post(app.url, "/pipelines/requirement-analysis", {"document_id": document_id, **fields})
    assert answer.status_code == 202, answer.text
    task_id = answer.json()["task_id"]
    await events(app.url, task_id)
    task = await get(app.url, f"/api/v1/task/{task_id}")
    assert task["state"] == "succeeded", task
    found: dict[str, Any] = await get(app.url, f"/api/v1/task/{task_id}/requirements")
    return found


async def test_two_versions_are_analysed_and_compared(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path, workspace=True)) as app:
        first = await typed(app, FIRST)
        before = await analysed(app, first)
        assert before["by_rules"] is before["is_complete"] is True
        locks, friendly, exports, exports_not = before["requirements"]
        assert all(one["source"]["is_verified"] for one in before["requirements"])
        assert (locks["source"]["section"], exports["source"]["section"]) == ("登录", "Export")
        assert locks["acceptance_criteria"] == ["满足“5 次”"]
        assert "友好" in friendly["open_questions"][0]
        (pair,) = before["contradictions"]
        assert (pair["first"], pair["second"]) == (exports["id"], exports_not["id"])

        second = await typed(app, SECOND, previous_id=first)
        after = await analysed(app, second)
        ids = {one["statement"]: one["id"] for one in after["requirements"]}
        assert ids["系统必须在 3 次登录失败后锁定账户。"] == locks["id"]
        changes = await get(app.url, f"/api/v1/requirements/{second}/changes?from={first}")
        assert [one["statement"] for one in changes["added"]] == ["Every report should have a title."]
        assert changes["removed"] == []
        assert [one["before"]["id"] for one in changes["changed"]] == [locks["id"]]
        assert [one["after"]["id"] for one in changes["moved"]] == [friendly["id"]]
        assert changes["unchanged"] == 2

        document = await get(app.url, f"/api/v1/requirements/{second}")
        assert document["analysis_task_id"] == after["task_id"]
        assert (document["requirement_count"], locks["id"] in document["optimized_content"]) == (5, True)
        markdown = await get(app.url, f"/api/v1/task/{after['task_id']}/requirements.md")
        assert locks["id"] in markdown


# --- a scripted model -----------------------------------------------------------------------------------

PARTS = 3
LONG = "\n".join(
    f"# Section {number}\n\nThe part {number} must work. " + "Words without meaning. " * 230 + "\n"
    for number in range(1, PARTS + 1)
)
"""Each section is a part of its own."""


def part_of(body: Body) -> str:
    """ "" for the call about contradictions."""
    found = re.search(r"^Part (\S+) of", body["messages"][1]["content"], re.MULTILINE)
    return found[1] if found else ""


def requirement(part: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": "REQ-1",  # the same for all: it is not used
        "type": "functional",
        "statement": f"Part {part} works.",
        "quote": f"The part {part.partition('.')[0]} must work.",
        "acceptance_criteria": "It works",
        **fields,
    }


def answer(part: str) -> Reply:
    if not part:
        return text('{"contradictions": [{"first": "1", "second": "R2", "reason": "both"}]}', usage=USAGE)
    made = {"requirements": [requirement(part), requirement(part, statement="Invented", quote="not there")]}
    return text(f"```json\n{json.dumps(made)}\n```", usage=USAGE)


def asked(model: ModelServer) -> list[str]:
    return [part_of(seen.body) for seen in model.requests]


async def test_each_section_is_asked_about_and_the_answers_are_merged(tmp_path: Path) -> None:
    async with (
        model_server(lambda body: answer(part_of(body))) as model,
        running_app(settings(tmp_path, model, workspace=True)) as app,
    ):
        found = await analysed(app, await typed(app, LONG))
        assert sorted(asked(model)) == ["", "1", "2", "3"]
        statements = {one["statement"] for one in found["requirements"]}
        assert statements == {"Part 1 works.", "Part 2 works.", "Part 3 works.", "Invented"}
        verified = {one["statement"]: one["source"]["is_verified"] for one in found["requirements"]}
        assert (verified["Part 2 works."], verified["Invented"]) == (True, False)
        assert len({one["id"] for one in found["requirements"]}) == PARTS + 1
        assert [part["requirements"] for part in found["parts"]] == [2, 2, 2]
        assert len(found["contradictions"]) == 1
        usage = [event for event in await events(app.url, found["task_id"]) if event.kind == "usage"]
        assert usage[-1].data["total"]["prompt"] == USAGE.prompt * 4


async def test_a_section_that_fails_is_in_the_ledger_and_the_others_are_kept(tmp_path: Path) -> None:
    def script(body: Body) -> Reply:
        return text("I cannot help with that.") if part_of(body) == "2" else answer(part_of(body))

    async with (
        model_server(script) as model,
        running_app(settings(tmp_path, model, workspace=True, max_retries=1, retry_base=0.01)) as app,
    ):
        found = await analysed(app, await typed(app, LONG))
        assert [(part["status"], part["code"]) for part in found["parts"]] == [
            ("analysed", None),
            ("failed", "LLM_BAD_OUTPUT"),
            ("analysed", None),
        ]
        assert found["is_complete"] is False
        task = await get(app.url, f"/api/v1/task/{found['task_id']}")
        assert task["message"] == "The requirements are ready; some sections could not be analysed"
        markdown = await get(app.url, f"/api/v1/task/{found['task_id']}/requirements.md")
        assert "| 2 | Section 2 | failed:" in markdown


async def test_an_answer_that_is_cut_is_asked_for_in_halves(tmp_path: Path) -> None:
    def script(body: Body) -> Reply:
        part = part_of(body)
        if part == "2":
            return text(json.dumps({"requirements": [requirement("2")]})[:-5], "length", usage=USAGE)
        return answer(part)

    async with (
        model_server(script) as model,
        running_app(settings(tmp_path, model, workspace=True)) as app,
    ):
        found = await analysed(app, await typed(app, LONG))
        assert sorted(asked(model)) == ["", "1", "2", "2.1", "2.2", "3"]
        assert [part["number"] for part in found["parts"]] == [1, 2, 2, 3]
        assert found["is_complete"] is True
        ends = [(part["start"], part["end"]) for part in found["parts"]]
        assert [start for start, _ in ends] == [0, *(end for _, end in ends[:-1])]
        assert ends[-1][1] == len(LONG)


async def test_a_budget_that_ends_is_told_by_the_ledger(tmp_path: Path) -> None:
    """A call may need about 11,000 tokens, and each uses 8,000."""
    made = json.dumps({"requirements": [requirement("1")]})
    async with (
        model_server(lambda body: text(made, usage=Usage(prompt=4000, completion=4000))) as model,
        running_app(settings(tmp_path, model, workspace=True, files_at_once=1)) as app,
    ):
        document = await typed(app, LONG)
        found = await analysed(app, document, max_tokens=16_000)
        assert [(part["status"], part["code"]) for part in found["parts"]] == [
            ("analysed", None),
            ("over_budget", "BUDGET_EXCEEDED"),
            ("over_budget", "BUDGET_EXCEEDED"),
        ]
        assert found["is_complete"] is False
        refused = await post(
            app.url, "/pipelines/requirement-analysis", {"document_id": document, "max_tokens": 10}
        )
        task_id = refused.json()["task_id"]
        await events(app.url, task_id)
        failed = await get(app.url, f"/api/v1/task/{task_id}")
        assert (failed["state"], failed["error"]["code"]) == ("failed", "BUDGET_EXCEEDED")
        retried = await post(app.url, f"/task/{task_id}/retry", {"max_tokens": None})
        assert retried.status_code == 202
        await events(app.url, task_id, after=failed["last_event_id"])
        assert (await get(app.url, f"/api/v1/task/{task_id}"))["is_complete"] is True


async def test_after_kill_9_between_two_sections_nothing_is_paid_twice(tmp_path: Path) -> None:
    gate = anyio.Event()

    def script(body: Body) -> Reply:
        part = part_of(body)
        reply = answer(part)
        return Reply(parts=[gate, *reply.parts]) if part == "2" and not gate.is_set() else reply

    async with model_server(script) as model:
        variables = environment(model, WORKSPACE="true", FILES_AT_ONCE="1")
        async with service(tmp_path, variables) as process:
            created = await post(process.url, "/requirements", {"name": "d", "original_content": LONG})
            body = {"document_id": created.json()["id"]}
            submitted = await post(process.url, "/pipelines/requirement-analysis", body)
            task_id = submitted.json()["task_id"]
            while asked(model) != [
                "1",
                "2",
            ]:  # the answer about part 1 is stored before part 2 is asked about
                await anyio.sleep(0.01)
            await process.kill()
            gate.set()
            await process.start()
            await events(process.url, task_id)
            assert asked(model) == ["1", "2", "2", "3", ""]
            found = await get(process.url, f"/api/v1/task/{task_id}/requirements")
            assert [part["status"] for part in found["parts"]] == ["analysed"] * PARTS
            document = await get(process.url, f"/api/v1/requirements/{body['document_id']}")
            assert document["requirement_count"] == len(found["requirements"]) == PARTS + 1


async def test_requests_that_cannot_be_met_are_refused_before_a_task_is_stored(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path, workspace=True)) as app:
        unknown = "00000000-0000-4000-8000-000000000000"
        document = await typed(app, FIRST)
        template = {"name": "t", "identifier": "t", "content": "For {{ who }}"}
        template_id = (await post(app.url, "/prompts", template)).json()["id"]
        for body, field in (
            ({"document_id": unknown}, "document_id"),
            ({"document_id": "x"}, "document_id"),
            ({}, "document_id"),
            ({"document_id": document, "template_id": unknown}, "template_id"),
            ({"document_id": document, "template_id": template_id}, "variables.who"),
            ({"document_id": document, "model": "config/x"}, "model"),
        ):
            refused = await post(app.url, "/pipelines/requirement-analysis", body)
            assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field), body
        assert (await get(app.url, "/api/v1/tasks"))["tasks"] == []
        not_yet = f"/requirements/{document}/changes?from={document}"
        async with client(app.url) as http:
            answered = await http.get(f"/api/v1{not_yet}")
        assert (answered.status_code, answered.json()["code"]) == (409, "NOT_ANALYSED")


async def test_wishes_of_a_template_reach_the_model_within_the_rules(tmp_path: Path) -> None:
    async with (
        model_server(lambda body: answer(part_of(body))) as model,
        running_app(settings(tmp_path, model, workspace=True)) as app,
    ):
        template = {"name": "t", "identifier": "t", "content": "Look at safety in {{ document }}."}
        template_id = (await post(app.url, "/prompts", template)).json()["id"]
        await analysed(app, await typed(app, LONG), template_id=template_id)
        first = next(seen for seen in model.requests if part_of(seen.body) == "1")
        assert first.body["messages"][0]["content"].endswith("Look at safety in Login.")
