"""What a retry grants after each failure that had used something up."""

from __future__ import annotations

from pathlib import Path

from gencode.codegen.file_writer import WritingLimits
from gencode.domain.task import Task
from gencode.llm.port import Usage
from gencode.pipelines.generate.report import report
from tests.servers.model import USAGE, Body, Reply, call_of, plan_and_files, text
from tests.servers.runs import House, house
from tests.unit.codegen.test_repair_loop import BAD, Mending, check

ROUNDS = ("BAD again\n", "BAD still\n", "BAD as ever\n", "x = 2\n")


async def retried(services: House, task: Task, **changes: object) -> Task:
    await services.task_service.retry(task, changes)
    await services.heard(task)
    return await services.task(task)


async def test_after_the_gate_failed_there_are_two_more_rounds(tmp_path: Path) -> None:
    """From the text that the last round left; nothing that was answered is asked for again."""
    mending = Mending(*ROUNDS)
    async with house(tmp_path, plan_and_files(BAD, replace=mending), check=check) as services:
        task = await services.run()
        assert task.failure
        assert (task.failure.code, len(mending.asked)) == ("GATE_FAILED", 2)
        task = await retried(services, task)
        assert task.status == "completed"
        assert (await services.pushed())["a.py"] == b"x = 2\n"
        assert len(mending.asked) == 4
        assert "BAD still" in mending.asked[2]
        assert services.calls("plan") == 1
        assert services.calls("file") == len(BAD) + 4
        told = report(task, await services.store.events(task.id), await services.store.checkpoints(task.id))
    assert [repair.round for repair in told.repairs] == [1, 2, 3, 4]
    assert ([failure.code for failure in told.failures], told.retries) == (["GATE_FAILED"], 1)
    assert {file.path: file.calls for file in told.files} == {"a.py": 5, "README.md": 1}


async def test_it_may_fail_again_and_best_effort_may_be_said_then(tmp_path: Path) -> None:
    mending = Mending(*ROUNDS[:3], *ROUNDS[:3])
    async with house(tmp_path, plan_and_files(BAD, replace=mending), check=check) as services:
        task = await retried(services, await services.run())
        assert task.failure
        assert (task.failure.code, task.retries) == ("GATE_FAILED", {"GATE_FAILED": 1})
        task = await retried(services, task, deliver="best_effort")
        assert task.status == "completed"
        assert (await services.pushed())["a.py"] == ROUNDS[2].encode()
        assert b"Known faults" in (await services.pushed())["README.md"]
        assert task.parameters["deliver"] == "best_effort"


async def test_a_file_that_came_to_no_end_gets_as_many_answers_again(tmp_path: Path) -> None:
    whole = "".join(f"line_{n} = {n}\n" for n in range(60))
    limits = WritingLimits(rounds=3)
    files = {"a.py": whole}
    async with house(tmp_path, plan_and_files(files, cut_at=len(whole) // 5), limits=limits) as services:
        task = await services.run()
        assert task.failure
        assert task.failure.code == "LLM_TRUNCATED"
        assert services.calls() == 3
        task = await retried(services, task)
        assert (await services.pushed())["a.py"] == whole.encode()
        assert services.calls() == 5


async def test_a_plan_that_was_cut_is_paid_for_and_asked_for_anew(tmp_path: Path) -> None:
    cut = [text('{"files": [', "length", usage=USAGE)]

    def once(body: Body) -> Reply | None:
        return cut.pop() if cut and call_of(body)[0] == "plan" else None

    async with house(tmp_path, plan_and_files({"a.py": "x = 1\n"}, replace=once)) as services:
        task = await services.run()
        assert task.failure
        assert (task.failure.code, services.calls("plan")) == ("LLM_TRUNCATED", 1)
        task = await retried(services, task)
        assert task.status == "completed"
        (*_, last) = await services.events(task, "usage")
        assert last.data["total"]["prompt"] == 3 * USAGE.prompt


async def test_a_budget_that_was_too_small_can_be_raised(tmp_path: Path) -> None:
    script = plan_and_files({"a.py": "x = 1\n"}, usage=Usage(prompt=100, completion=50))
    async with house(tmp_path, script, limits=WritingLimits(max_tokens=500)) as services:
        task = await services.run(max_tokens=800)
        assert task.failure
        assert (task.failure.code, services.calls("plan"), services.calls()) == ("BUDGET_EXCEEDED", 1, 0)
        task = await retried(services, task)
        assert task.failure
        assert task.failure.code == "BUDGET_EXCEEDED"
        task = await retried(services, task, max_tokens=100_000)
        assert task.status == "completed"
        assert services.calls("plan") == 1
