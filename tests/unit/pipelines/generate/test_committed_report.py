"""The report in the commit."""

from __future__ import annotations

import json
from pathlib import Path

from gencode.githosts.commit import commit_sha
from gencode.pipelines.generate.commit_checkpoint import read_commit
from gencode.pipelines.generate.committed_report import REPORT
from tests.servers.generate_harness import generate_harness
from tests.servers.github import Fault
from tests.servers.model import plan_and_files
from tests.unit.codegen.test_repair_loop import BAD, ScriptedRepairs, check

LEAKED = "glpat-" + "7sGk2LmQ9xTz4RvB8nYw"
FILES = {"a.py": "x = 1\n", "README.md": "# Hello\n"}


async def test_the_report_is_in_the_commit_only_on_request(tmp_path: Path) -> None:
    async with generate_harness(tmp_path, plan_and_files(FILES)) as harness:
        await harness.run()
        assert REPORT not in await harness.pushed()
        task = await harness.run(repo_name="second", include_report=True)
        pushed = await harness.pushed("second")
        made = json.loads(pushed[REPORT])
    assert pushed.keys() == {*FILES, REPORT}
    assert (made["version"], made["task_id"], made["status"], made["commit"]) == (
        1,
        task.id,
        "merging_files",
        None,
    )
    assert [file["path"] for file in made["files"]] == list(FILES), "the report does not list itself"
    assert [stage["status"] for stage in made["stages"]] == ["pending", "generating", "merging_files"]


async def test_it_has_repairs_and_the_sizes_in_the_commit(tmp_path: Path) -> None:
    scripted_repairs = ScriptedRepairs("x = 2222222\n")
    async with generate_harness(
        tmp_path, plan_and_files(BAD, replace=scripted_repairs), check=check
    ) as harness:
        await harness.run(include_report=True)
        pushed = await harness.pushed()
        made = json.loads(pushed[REPORT])
    assert {file["path"]: file["bytes"] for file in made["files"]}["a.py"] == len(pushed["a.py"])
    assert [repair["path"] for repair in made["repairs"]] == ["a.py"]


async def test_remaining_findings_are_in_the_report_and_the_readme(tmp_path: Path) -> None:
    scripted_repairs = ScriptedRepairs("BAD 1\n", "BAD 2\n")
    async with generate_harness(
        tmp_path, plan_and_files(BAD, replace=scripted_repairs), check=check
    ) as harness:
        await harness.run(include_report=True, deliver="best_effort")
        pushed = await harness.pushed()
    assert b"Known faults" in pushed["README.md"]
    assert [finding["message"] for finding in json.loads(pushed[REPORT])["findings"]] == ["no BAD"] * 3


async def test_allowed_secrets_are_listed_with_their_event(tmp_path: Path) -> None:
    files = {**FILES, "a.py": f"TOKEN = '{LEAKED}'\n"}
    async with generate_harness(tmp_path, plan_and_files(files)) as harness:
        task = await harness.run(include_report=True, allow_secrets=True)
        (event,) = await harness.events(task, "findings")
        pushed = await harness.pushed()
    (found,) = json.loads(pushed[REPORT])["findings"]
    assert (found["path"], found["event"]) == ("a.py", event.id)
    assert LEAKED.encode() not in pushed[REPORT]


async def test_the_report_is_scanned_for_secrets(tmp_path: Path) -> None:
    plan = {"summary": "S.", "files": [{"path": "a.py", "purpose": f"uses {LEAKED}"}]}
    async with generate_harness(tmp_path, plan_and_files(FILES, plan=plan)) as harness:
        task = await harness.run(include_report=True)
        assert task.failure
        assert task.failure.code == "SECRET_FOUND"
        assert REPORT in task.failure.message


async def test_the_commit_is_the_same_when_the_push_is_retried(tmp_path: Path) -> None:
    """The log, from which the report is made, has grown by then."""
    async with generate_harness(tmp_path, plan_and_files(FILES)) as harness:
        harness.github.fail("info_refs", Fault(status=500))
        task = await harness.run(include_report=True)
        assert task.failure
        assert task.failure.stage == "pushing"
        commit = read_commit(await harness.store.checkpoints(task.id))
        assert commit
        await harness.task_service.retry(task)
        await harness.stream_of(task)
        task = await harness.task(task)
        assert commit.files[REPORT].encode() == (await harness.pushed())[REPORT]
        assert task.result["commit"] == commit_sha(commit.snapshot())


async def test_a_cache_hit_does_not_copy_the_report(tmp_path: Path) -> None:
    async with generate_harness(tmp_path, plan_and_files(FILES), prompt_cache="identical") as harness:
        first = await harness.run(include_report=True)
        second = await harness.run(repo_name="second")
        third = await harness.run(repo_name="third", include_report=True)
        assert second.result["cached_from"] == third.result["cached_from"] == first.id
        assert REPORT not in await harness.pushed("second")
        made = json.loads((await harness.pushed("third"))[REPORT])
    assert (made["task_id"], made["cached_from"], made["calls"]) == (third.id, first.id, 0)
