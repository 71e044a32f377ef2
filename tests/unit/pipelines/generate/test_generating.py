"""The generating stage against a scripted model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import anyio
import pytest

from gencode.codegen.continuation_merge import file_text
from gencode.codegen.file_checkpoints import WritingJob
from gencode.codegen.file_generator import WritingLimits
from gencode.codegen.plan import Plan, PlannedFile
from gencode.codegen.project_checker import ProjectChecker
from gencode.codegen.prompts import file_messages
from gencode.domain.errors import GencodeError, UnsafePath
from gencode.domain.git_blob import deflated
from gencode.engine.ports.pipeline import StageUpdate
from gencode.llm.budget import Budget, total
from gencode.llm.charge_checkpoints import usages_without_answer
from gencode.llm.errors import BudgetExceeded
from gencode.llm.port import ChatRequest, Usage
from gencode.llm.session import LLMSessionFactory
from gencode.llm.token_estimate import estimate_tokens, worst_case
from gencode.observability.metrics import Metrics
from gencode.pipelines.generate.generating import Generating
from gencode.pipelines.generate.stage_artifacts import Draft, GenerateInput
from gencode.resilience.retry import Retry
from tests.servers.model import (
    Body,
    ModelServer,
    Reply,
    call_of,
    chunk,
    http_error,
    model_server,
    plan_and_files,
    stream,
    text,
)
from tests.servers.model_client import opening, provider_for

REQUEST = GenerateInput(
    task_id="t",
    client="alice",
    cache=True,
    model="test",
    name="p",
    org=None,
    host="",
    private=True,
    allow_secrets=False,
    language="en",
    at=datetime(2026, 1, 1, tzinfo=UTC),
    plan=None,
    job=WritingJob(prompt="a project"),
    spent=Usage(),
    budget=Budget(),
    include_report=False,
    needs_approval=False,
)


class RecordedUpdates:
    """The stored updates of a stage, in order."""

    def __init__(self) -> None:
        self.updates: list[StageUpdate] = []

    async def __call__(self, *updates: StageUpdate) -> None:
        self.updates += [item for item in updates if not item.live]

    def of(self, kind: str) -> list[Mapping[str, Any]]:
        return [item.data for item in self.updates if item.kind == kind]


async def draft_of(
    server: ModelServer, request: GenerateInput = REQUEST, **limits: int
) -> tuple[Draft, RecordedUpdates]:
    sent = RecordedUpdates()
    async with provider_for(server.base_url) as provider, ProjectChecker() as checker:
        sessions = LLMSessionFactory(opening(provider), Retry(base=0), Metrics())
        stage = Generating(sessions, checker.signatures, WritingLimits(**limits))
        return await stage(request, sent), sent


async def generate(
    server: ModelServer, request: GenerateInput = REQUEST, **limits: int
) -> tuple[dict[str, str], RecordedUpdates]:
    """The files that the stage makes, by path."""
    draft, sent = await draft_of(server, request, **limits)
    return {path: file_text(pieces, path) for path, pieces in draft.pieces.items()}, sent


async def failure_of(
    server: ModelServer, request: GenerateInput = REQUEST, **limits: int
) -> tuple[GencodeError, RecordedUpdates]:
    """The error that the stage ends with, and what it has stored."""
    sent = RecordedUpdates()
    async with provider_for(server.base_url) as provider, ProjectChecker() as checker:
        retry = Retry(base=0, sleep=lambda _: anyio.sleep(0))
        sessions = LLMSessionFactory(opening(provider), retry, Metrics())
        stage = Generating(sessions, checker.signatures, WritingLimits(**limits))
        with pytest.raises(GencodeError) as caught:
            await stage(request, sent)
    return caught.value, sent


def charged(sent: RecordedUpdates) -> Usage:
    """Of the calls without a stored answer."""
    checkpoints = {name: part for update in sent.updates for name, part in update.checkpoints.items()}
    return total(*usages_without_answer(checkpoints))


def an_entry(path: str, **more: Any) -> str:
    return json.dumps({"path": path, "purpose": "scripted", **more})


def a_slow_plan(first: str, gate: anyio.Event, second: str) -> Reply:
    """A plan whose second half waits for `gate`."""
    halves = [f'{{"summary": "Two halves.", "files": [{first}', f", {second}]}}"]
    return stream(chunk({"content": halves[0]}), gate, chunk({"content": halves[1]}), chunk({}, "stop"))


async def test_a_file_starts_while_the_plan_is_still_streaming() -> None:
    """The second half of the plan is sent only after the request for the first file."""
    gate = anyio.Event()
    plan = a_slow_plan(an_entry("a.py"), gate, an_entry("b.py", needs=["a.py"]))

    def script(body: Body) -> Reply:
        kind, path = call_of(body)
        if kind == "file":
            gate.set()
        return plan if kind == "plan" else text(f"# {path}\n")

    async with model_server(script) as server:
        files, sent = await generate(server)
    assert files == {"a.py": "# a.py\n", "b.py": "# b.py\n"}
    assert [data["path"] for data in sent.of("file")] == ["a.py", "b.py"]
    assert "b.py" not in json.dumps(server.requests[1].body)


async def test_files_are_deflated_when_the_last_one_is_complete() -> None:
    """Also those that an earlier run of the task wrote."""
    files = {"a.py": "a = 1\n", "b.py": "b = 2\n"}
    async with model_server(plan_and_files(files)) as server:
        draft, _ = await draft_of(server)
        assert draft.deflated_blobs == dict(map(deflated, files.values()))
        calls = len(server.requests)
        again, _ = await draft_of(
            server, replace(REQUEST, plan=draft.plan, job=replace(REQUEST.job, pieces=draft.pieces))
        )
        assert (again.deflated_blobs, len(server.requests)) == (draft.deflated_blobs, calls)


async def test_a_file_waits_for_the_entries_that_it_needs() -> None:
    gate = anyio.Event()
    plan = a_slow_plan(
        f"{an_entry('b.py', needs=['a.py'])}, {an_entry('c.py')}", gate, an_entry("a.py", exports=["found"])
    )

    def script(body: Body) -> Reply:
        kind, path = call_of(body)
        if path == "c.py":
            gate.set()
        return plan if kind == "plan" else text(f"# {path}\n")

    async with model_server(script) as server:
        await generate(server)
    asked = {seen.call[1]: json.dumps(seen.body) for seen in server.requests}
    assert "found" in asked["b.py"]


async def test_a_prompt_contains_the_signatures_of_complete_neighbours() -> None:
    """b.py starts after a.py is complete, because one file is written at a time."""
    entries = [{"path": "a.py", "lines": 9}, {"path": "b.py", "needs": ["a.py"], "lines": 1}]
    files = {"a.py": "def found(key: str) -> int:\n    return 1\n", "b.py": "import a\n"}
    async with model_server(plan_and_files(files, plan={"summary": "", "files": entries})) as server:
        await generate(server, at_once=1)
    asked = {seen.call[1]: seen.body["messages"][1]["content"] for seen in server.requests}
    assert "def found(key: str) -> int" in asked["b.py"]
    assert "def found(key: str) -> int" not in asked["a.py"]


async def test_an_unsafe_entry_ends_the_plan_and_started_files() -> None:
    plan = a_slow_plan(an_entry("a.py"), (gate := anyio.Event()), an_entry("../evil"))

    def script(body: Body) -> Reply:
        if call_of(body)[0] == "plan":
            return plan
        gate.set()
        return stream(chunk({"content": "x"}), anyio.Event())

    async with model_server(script) as server:
        with pytest.raises(UnsafePath):
            await generate(server)
        await server.drop("file", "a.py")
    assert server.started["plan", ""] == 1


async def test_the_longest_waiting_file_starts_first() -> None:
    entries = [{"path": "a", "lines": 1}, {"path": "b", "lines": 5}, {"path": "c", "lines": 90}]
    script = plan_and_files({"a": "1\n", "b": "2\n", "c": "3\n"}, plan={"summary": "", "files": entries})
    async with model_server(script) as server:
        await generate(server, at_once=1)
    assert [seen.call[1] for seen in server.requests][2:] == ["c", "b"]


async def test_the_call_that_could_exceed_the_budget_is_not_made() -> None:
    """The budget is enough for the plan and one file, and one token too small for the other file."""
    files = (PlannedFile(path="a", purpose="scripted"), PlannedFile(path="b", purpose="scripted"))
    plan = Plan(summary="A scripted project.", files=files)
    worst = worst_case(
        ChatRequest(messages=file_messages(REQUEST.job.prompt, plan, files[0], {}), max_tokens=500)
    )
    budget = Budget(tokens=300 + worst.prompt + worst.completion - 1)
    script = plan_and_files({"a": "1\n", "b": "2\n"}, usage=Usage(prompt=100, completion=50))
    async with model_server(script) as server:
        with pytest.raises(BudgetExceeded, match="300 used"):
            await generate(server, replace(REQUEST, budget=budget), max_tokens=500)
    assert [seen.call[0] for seen in server.requests] == ["plan", "file"]


async def test_the_usage_of_a_rejected_answer_is_counted() -> None:
    answers = [text("no plan", usage=Usage(prompt=10, completion=1))]
    good = plan_and_files({"a": "1\n"}, usage=Usage(prompt=100, completion=50))
    async with model_server(lambda body: answers.pop() if answers else good(body)) as server:
        _, sent = await generate(server)
    assert [data["total"]["prompt"] for data in sent.of("usage")] == [10, 110, 210]
    assert sum(name.startswith("wasted:") for item in sent.updates for name in item.checkpoints) == 1


async def test_an_answer_without_usage_is_charged_by_an_estimate() -> None:
    async with model_server(plan_and_files({"a": "word " * 300}, usage=Usage())) as server:
        _, sent = await generate(server)
    assert all(data["tokens"]["estimated"] and data["total"]["estimated"] for data in sent.of("usage"))
    assert sent.of("usage")[-1]["tokens"]["completion"] == estimate_tokens("word " * 300)


async def test_streams_that_break_off_are_charged_by_what_was_received_and_end_at_the_budget() -> None:
    """Each breaks off after about 750 tokens, and there are three attempts for the plan."""
    broken = [chunk({"content": "word "})] * 750
    async with model_server(stream(*broken, done=False)) as server:
        unlimited, _ = await failure_of(server)
        attempts = len(server.requests)
        budget = Budget(tokens=4000)
        limited, sent = await failure_of(server, replace(REQUEST, budget=budget), max_tokens=1000)
    assert (unlimited.code, attempts) == ("LLM_INCOMPLETE", 3)
    assert (limited.code, len(server.requests) - attempts) == ("BUDGET_EXCEEDED", 2)
    assert charged(sent).estimated
    assert 2 * 750 <= charged(sent).completion <= 2.5 * 2 * 750
    assert [data["total"]["completion"] for data in sent.of("usage")][-1] == charged(sent).completion


@pytest.mark.parametrize("status", [401, 429, 503])
async def test_a_call_that_was_refused_before_the_model_ran_costs_nothing(status: int) -> None:
    async with model_server(http_error(status, {"message": "no"})) as server:
        _, sent = await failure_of(server)
    assert [update.checkpoints for update in sent.updates if update.checkpoints]
    assert charged(sent) == Usage()
    assert not sent.of("usage")


async def test_the_plan_and_every_answer_are_stored() -> None:
    script = plan_and_files({"a": "1\n", "b": "2\n"})
    async with model_server(script) as server:
        _, sent = await generate(server)
    checkpoints = {name: part for item in sent.updates for name, part in item.checkpoints.items()}
    reserves = [name for name in checkpoints if name.startswith("call:")]
    assert checkpoints.keys() - reserves == {"plan", "piece:1:a", "piece:1:b"}
    assert len(reserves) == 3
    assert usages_without_answer(checkpoints) == [Usage()] * 3


async def test_an_absolute_path_is_sent_back_to_the_model_with_the_reason() -> None:
    answers = iter(['{"files": ["/app.py"]}', '{"files": ["app.py"]}'])

    def script(body: Body) -> Reply:
        return text(next(answers)) if call_of(body)[0] == "plan" else text("x = 1\n")

    async with model_server(script) as server:
        files, sent = await generate(server)
    assert files == {"app.py": "x = 1\n"}
    first, second = (seen.body["messages"] for seen in server.requests if seen.call[0] == "plan")
    assert second[-1]["content"].startswith(first[-1]["content"])
    assert "'/app.py' is absolute" in second[-1]["content"]
    (retry,) = sent.of("retry")
    assert retry["message"].endswith('The answer began: {"files": ["/app.py"]}')


async def test_a_picture_is_left_out_and_the_files_that_need_it_are_told() -> None:
    plan = '{"files": [{"path": "page.html", "needs": ["logo.png"]}, "logo.png", ".github/workflows/ci.yml"]}'

    def script(body: Body) -> Reply:
        return text(plan) if call_of(body)[0] == "plan" else text("<p>x</p>\n")

    async with model_server(script) as server:
        files, sent = await generate(server)
    assert list(files) == ["page.html"]
    (planned,) = sent.of("plan")
    assert planned["left_out"] == [
        {"path": "logo.png", "reason": "binary", "needed_by": ("page.html",)},
        {"path": ".github/workflows/ci.yml", "reason": "workflow", "needed_by": ()},
    ]
    plan_prompt, file_prompt = (seen.body["messages"][-1]["content"] for seen in server.requests)
    assert "Plan no files that a Git host would run" in plan_prompt
    assert "Not part of the project, do without: logo.png, .github/workflows/ci.yml" in file_prompt
