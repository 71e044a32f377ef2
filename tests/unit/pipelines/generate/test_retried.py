"""What a retry grants after each failure that exhausted a limit."""

from __future__ import annotations

from pathlib import Path

from gencode.codegen.file_generator import WritingLimits
from gencode.domain.task import Task
from gencode.llm.port import Usage
from gencode.pipelines.generate.report import report
from tests.servers.generate_harness import GenerateHarness, generate_harness
from tests.servers.model import USAGE, Body, Reply, call_of, plan_and_files, text
from tests.unit.codegen.test_repair_loop import BAD, ScriptedRepairs, check

ROUNDS = ("BAD again\n", "BAD still\n", "BAD as ever\n", "x = 2\n")


async def retried(harness: GenerateHarness, task: Task, **changes: object) -> Task:
    await harness.task_service.retry(task, changes)
    await harness.stream_of(task)
    return await harness.task(task)


async def test_after_failed_validation_there_are_two_more_rounds(tmp_path: Path) -> None:
    """They start from the text of the last round; no stored answer is requested again."""
    scripted_repairs = ScriptedRepairs(*ROUNDS)
    async with generate_harness(
        tmp_path, plan_and_files(BAD, replace=scripted_repairs), check=check
    ) as harness:
        task = await harness.run()
        assert task.failure
        assert (task.failure.code, len(scripted_repairs.asked)) == ("GATE_FAILED", 2)
        task = await retried(harness, task)
        assert task.status == "completed"
        assert (await harness.pushed())["a.py"] == b"x = 2\n"
        assert len(scripted_repairs.asked) == 4
        assert "BAD still" in scripted_repairs.asked[2]
        assert harness.calls("plan") == 1
        assert harness.calls("file") == len(BAD) + 4
        made = report(task, await harness.store.events(task.id), await harness.store.checkpoints(task.id))
    assert [repair.round for repair in made.repairs] == [1, 2, 3, 4]
    assert ([failure.code for failure in made.failures], made.retries) == (["GATE_FAILED"], 1)
    assert {file.path: file.calls for file in made.files} == {"a.py": 5, "README.md": 1}


async def test_a_second_failure_can_be_retried_with_best_effort(tmp_path: Path) -> None:
    scripted_repairs = ScriptedRepairs(*ROUNDS[:3], *ROUNDS[:3])
    async with generate_harness(
        tmp_path, plan_and_files(BAD, replace=scripted_repairs), check=check
    ) as harness:
        task = await retried(harness, await harness.run())
        assert task.failure
        assert (task.failure.code, task.retries) == ("GATE_FAILED", {"GATE_FAILED": 1})
        task = await retried(harness, task, deliver="best_effort")
        assert task.status == "completed"
        assert (await harness.pushed())["a.py"] == ROUNDS[2].encode()
        assert b"Known faults" in (await harness.pushed())["README.md"]
        assert task.parameters["deliver"] == "best_effort"


async def test_a_file_that_did_not_end_gets_as_many_answers_again(tmp_path: Path) -> None:
    whole = "".join(f"line_{n} = {n}\n" for n in range(60))
    limits = WritingLimits(rounds=3)
    files = {"a.py": whole}
    async with generate_harness(
        tmp_path, plan_and_files(files, cut_at=len(whole) // 5), limits=limits
    ) as harness:
        task = await harness.run()
        assert task.failure
        assert task.failure.code == "LLM_TRUNCATED"
        assert harness.calls() == 3
        task = await retried(harness, task)
        assert (await harness.pushed())["a.py"] == whole.encode()
        assert harness.calls() == 5


async def test_a_truncated_plan_is_counted_and_requested_again(tmp_path: Path) -> None:
    cut = [text('{"files": [', "length", usage=USAGE)]

    def once(body: Body) -> Reply | None:
        return cut.pop() if cut and call_of(body)[0] == "plan" else None

    async with generate_harness(tmp_path, plan_and_files({"a.py": "x = 1\n"}, replace=once)) as harness:
        task = await harness.run()
        assert task.failure
        assert (task.failure.code, harness.calls("plan")) == ("LLM_TRUNCATED", 1)
        task = await retried(harness, task)
        assert task.status == "completed"
        (*_, last) = await harness.events(task, "usage")
        assert last.data["total"]["prompt"] == 3 * USAGE.prompt


async def test_a_budget_that_was_too_small_can_be_raised(tmp_path: Path) -> None:
    script = plan_and_files({"a.py": "x = 1\n"}, usage=Usage(prompt=200, completion=100))
    async with generate_harness(tmp_path, script, limits=WritingLimits(max_tokens=500)) as harness:
        task = await harness.run(max_tokens=1000)
        assert task.failure
        assert (task.failure.code, harness.calls("plan"), harness.calls()) == ("BUDGET_EXCEEDED", 1, 0)
        task = await retried(harness, task)
        assert task.failure
        assert task.failure.code == "BUDGET_EXCEEDED"
        task = await retried(harness, task, max_tokens=100_000)
        assert task.status == "completed"
        assert harness.calls("plan") == 1
