"""Earlier tasks that replace the model calls, in whole runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gencode.domain.task import State, Task
from gencode.pipelines.generate.cache_key import cache_key
from gencode.pipelines.generate.estimate import total_usage
from gencode.pipelines.generate.prompt_cache import MAX_CANDIDATES, Mode
from gencode.pipelines.generate.report import report
from tests.servers.generate_harness import GenerateHarness, generate_harness
from tests.servers.model import USAGE, plan_and_files, text
from tests.unit.codegen.test_repair_loop import BAD, ScriptedRepairs, check
from tests.unit.storage.samples import REQUEST, a_task

FENCED = "```\ncode\n```\n"
"""A file that consists of a fenced block, which must not be removed on a cache hit."""
FILES = {"a.py": "x = 1\n", "README.md": f"# Hello\n\n{FENCED}", "notes.md": f"```sh\nls\n```\n{FENCED}"}
PROMPT = "A small Flask app with user login, a settings page and tests for all of it"


async def twice(harness: GenerateHarness, **second: Any) -> tuple[Task, Task]:
    first = await harness.run(prompt=PROMPT)
    assert first.status == "completed"
    return first, await harness.run(**{"prompt": PROMPT, "repo_name": "second", **second})


async def test_the_same_request_again_calls_no_model(tmp_path: Path) -> None:
    async with generate_harness(tmp_path, plan_and_files(FILES), prompt_cache="identical") as harness:
        first, second = await twice(harness)
        assert harness.calls("plan") == 1
        assert harness.calls() == len(FILES)
        assert (
            await harness.pushed("second")
            == await harness.pushed()
            == {p: t.encode() for p, t in FILES.items()}
        )
        assert second.status == "completed"
        assert (
            f"(plan and files are taken from your task {first.id}, which had the same prompt"
            in second.message
        )
        assert (second.result["cached_from"], second.result["similarity"]) == (first.id, 1.0)
        (cached,) = await harness.events(second, "cached")
        assert cached.data == {"from_task": first.id, "similarity": 1.0}
        events, checkpoints = (
            await harness.store.events(second.id),
            await harness.store.checkpoints(second.id),
        )
        made = report(second, events, checkpoints)
        assert (made.cached_from, made.calls, made.usage.prompt, made.usage.completion) == (first.id, 0, 0, 0)
        assert [file.calls for file in made.files] == [0] * len(FILES)
        assert total_usage(events) is None, "a cache hit must not count in estimates"
        assert (first.cache_key != "", second.cache_key) == (True, "")


async def test_a_cache_hit_is_stored_completely_or_not_at_all(tmp_path: Path) -> None:
    """A crash right afterwards would leave a draft with which the next run continues."""
    async with generate_harness(tmp_path, plan_and_files(FILES), prompt_cache="identical") as harness:
        _, second = await twice(harness)
        checkpoints = await harness.store.checkpoints(second.id)
        names = {"plan", *(f"piece:1:{path}" for path in FILES)}
        assert {name for name in checkpoints if name.startswith(("plan", "piece"))} == names
        restored = await harness.restored(second, {name: checkpoints[name] for name in names})
        assert (len(restored.pieces), restored.spent.prompt) == (len(FILES), 0)
        log = await harness.store.events(second.id)
        kinds = [event.kind for event in log]
        start = kinds.index("cached")
        assert kinds[start : start + 5] == ["cached", "plan", "file", "file", "file"]


@pytest.mark.parametrize(
    ("mode", "request_", "why"),
    [
        ("off", {}, "it is off"),
        ("identical", {"cache": False}, "the request does not want it"),
        ("identical", {"client": "bob"}, "it is another client's"),
        ("identical", {"prompt": PROMPT + "!"}, "it is another prompt"),
        ("similar", {"prompt": "A Go service that counts bees"}, "it is not similar at all"),
        ("similar", {"prompt": PROMPT + "!", "client": "bob"}, "it is another client's"),
    ],
)
async def test_the_model_is_called_when(
    tmp_path: Path, mode: Mode, request_: dict[str, Any], why: str
) -> None:
    async with generate_harness(tmp_path, plan_and_files(FILES), prompt_cache=mode) as harness:
        _, second = await twice(harness, **request_)
        assert harness.calls("plan") == 2, why
        assert "cached_from" not in second.result


async def test_a_similar_prompt_is_a_hit_only_in_that_mode(tmp_path: Path) -> None:
    near = PROMPT.replace("small", "tiny")
    async with generate_harness(tmp_path, plan_and_files(FILES), prompt_cache="similar") as harness:
        first, second = await twice(harness, prompt=near)
        assert harness.calls("plan") == 1
        (cached,) = await harness.events(second, "cached")
        assert cached.data["from_task"] == first.id
        assert 0.9 <= cached.data["similarity"] < 1
        percent = int(100 * cached.data["similarity"])
        assert f"whose prompt is {percent} % similar" in second.message
        third = await harness.run(prompt=near, repo_name="third")
        assert third.result["cached_from"] == first.id, "a task that was a cache hit itself is no source"


async def test_a_prompt_that_differs_in_white_space_is_similar_not_the_same(tmp_path: Path) -> None:
    async with generate_harness(tmp_path, plan_and_files(FILES), prompt_cache="similar") as harness:
        _, second = await twice(harness, prompt=PROMPT + "\n")
        assert "99 % similar" in second.message


async def test_repaired_files_are_copied_as_they_were_pushed(tmp_path: Path) -> None:
    scripted_repairs = ScriptedRepairs("x = 2\n")
    script = plan_and_files(BAD, replace=scripted_repairs)
    async with generate_harness(tmp_path, script, check=check, prompt_cache="identical") as harness:
        await twice(harness)
        assert await harness.pushed("second") == await harness.pushed()
        assert (await harness.pushed("second"))["a.py"] == b"x = 2\n"
        assert len(scripted_repairs.asked) == 1


async def test_copied_files_are_validated(tmp_path: Path) -> None:
    """The rules may have become stricter since."""
    strict = False

    async def later(files: Any, plan: Any) -> Any:
        return await check(files, plan) if strict else ()

    scripted_repairs = ScriptedRepairs(text("x = 2\n", usage=USAGE))
    async with generate_harness(
        tmp_path, plan_and_files(BAD, replace=scripted_repairs), check=later, prompt_cache="identical"
    ) as harness:
        await harness.run(prompt=PROMPT)
        strict = True
        second = await harness.run(prompt=PROMPT, repo_name="second")
        assert second.result["cached_from"]
        assert (await harness.pushed("second"))["a.py"] == b"x = 2\n"
        (usage,) = await harness.events(second, "usage")
        assert usage.data["total"]["prompt"] == USAGE.prompt


@pytest.mark.parametrize("request_", [{"deliver": "best_effort"}, {"allow_secrets": True}, {"cache": False}])
async def test_a_task_that_was_validated_less_is_no_source(tmp_path: Path, request_: dict[str, Any]) -> None:
    async with generate_harness(tmp_path, plan_and_files(FILES), prompt_cache="identical") as harness:
        await harness.run(prompt=PROMPT, **request_)
        second = await harness.run(prompt=PROMPT, repo_name="second")
        assert "cached_from" not in second.result


async def test_a_failed_task_is_no_source(tmp_path: Path) -> None:
    scripted_repairs = ScriptedRepairs("BAD\n", "BAD\n", "x = 2\n")
    script = plan_and_files(BAD, replace=scripted_repairs)
    async with generate_harness(tmp_path, script, check=check, prompt_cache="identical") as harness:
        first = await harness.run(prompt=PROMPT)
        assert (first.status, first.cache_key != "") == ("failed", True)
        assert "cached_from" not in (await harness.run(prompt=PROMPT, repo_name="second")).result


async def test_many_running_tasks_do_not_hide_a_completed_one(tmp_path: Path) -> None:
    """Of many tasks that were submitted at once, the first one completed first."""
    async with generate_harness(tmp_path, plan_and_files(FILES), prompt_cache="identical") as harness:
        first = await harness.run(prompt=PROMPT)
        for _ in range(2 * MAX_CANDIDATES):
            await harness.store.create(
                a_task(state=State.RUNNING, stage="generating", cache_key=first.cache_key), REQUEST, []
            )
        second = await harness.run(prompt=PROMPT, repo_name="second")
        assert second.result["cached_from"] == first.id


async def test_a_task_whose_plan_is_approved_by_a_person_is_no_source(tmp_path: Path) -> None:
    async with generate_harness(tmp_path, plan_and_files(FILES), prompt_cache="identical") as harness:
        asked = {"prompt": PROMPT, "repo_name": "r", "model": "m"}
        assert harness.pipeline.restore(a_task(), asked, {}).cache
        assert not harness.pipeline.restore(a_task(), {**asked, "approve_plan": True}, {}).cache


def test_a_cache_key_depends_on_settings_model_and_prompt() -> None:
    base = cache_key("s", "a project", "deepseek/flash")
    others = [
        cache_key("t", "a project", "deepseek/flash"),
        cache_key("s", "a project", "deepseek/other"),
        cache_key("s", "a project ", "deepseek/flash"),
    ]
    assert len({base, *others}) == 4
    assert [other.split(":")[0] == base.split(":")[0] for other in others] == [False, False, True]
