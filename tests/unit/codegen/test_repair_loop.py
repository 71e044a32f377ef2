"""The repair loop in whole runs: a scripted model repairs files or not, a scripted GitHub receives them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from gencode.codegen.plan import Plan
from gencode.codegen.validation.findings import Finding, Rule
from tests.servers.generate_harness import NATIVE, generate_harness
from tests.servers.model import Body, Reply, http_error, plan_and_files, text

GOOD = {"a.py": "x = 1\n", "README.md": "# Hello\n"}
BAD = {**GOOD, "a.py": "x = BAD\n"}


async def check(files: Mapping[str, str], plan: Plan) -> tuple[Finding, ...]:
    """A rule that is easy to break: no file contains BAD."""
    return tuple(
        Finding(
            path=path,
            line=content[: content.index("BAD")].count("\n") + 1,
            rule=Rule.SYNTAX,
            message="no BAD",
            instruction="Take it out.",
        )
        for path, content in sorted(files.items())
        if "BAD" in content
    )


def is_repair(body: Body) -> bool:
    return "<current>" in body["messages"][1]["content"]


class ScriptedRepairs:
    """Answers the nth repair with the nth text."""

    def __init__(self, *answers: str | Reply) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, body: Body) -> Reply | None:
        if not is_repair(body):
            return None
        self.asked.append(json.dumps(body))
        answer = self.answers.pop(0)
        return answer if isinstance(answer, Reply) else text(answer)


async def test_valid_files_are_not_repaired(tmp_path: Path) -> None:
    scripted_repairs = ScriptedRepairs()
    async with generate_harness(
        tmp_path, plan_and_files(GOOD, replace=scripted_repairs), check=check
    ) as harness:
        task = await harness.run()
        assert task.status == "completed"
        assert not await harness.events(task, "findings")


async def test_the_model_repairs_only_the_file_with_findings(tmp_path: Path) -> None:
    scripted_repairs = ScriptedRepairs("x = 2\n")
    async with generate_harness(
        tmp_path, plan_and_files(BAD, replace=scripted_repairs), check=check
    ) as harness:
        task = await harness.run()
        assert (await harness.pushed())["a.py"] == b"x = 2\n"
        (asked,) = scripted_repairs.asked
        assert "line 1: no BAD. Take it out." in asked
        assert "x = BAD" in asked
        (findings,) = await harness.events(task, "findings")
        assert findings.data["findings"][0] == {
            "path": "a.py",
            "line": 1,
            "rule": "syntax",
            "message": "no BAD",
        }
        (repair,) = await harness.events(task, "repair")
        assert repair.data == {"path": "a.py", "round": 1, "calls": 1}


async def test_after_two_rounds_the_task_fails_and_nothing_is_pushed(tmp_path: Path) -> None:
    scripted_repairs = ScriptedRepairs("BAD again\n", "BAD still\n")
    async with generate_harness(
        tmp_path, plan_and_files(BAD, replace=scripted_repairs), check=check
    ) as harness:
        task = await harness.run()
        assert task.failure
        assert task.failure.code == "GATE_FAILED"
        assert task.failure.message == (
            "The model left a fault in the files: a.py line 1: no BAD. Nothing was pushed"
        )
        assert not harness.github.writes
        assert "BAD again" in scripted_repairs.asked[1]


async def test_best_effort_delivers_with_a_warning_in_the_readme(tmp_path: Path) -> None:
    scripted_repairs = ScriptedRepairs("BAD again\n", "BAD still\n")
    async with generate_harness(
        tmp_path, plan_and_files(BAD, replace=scripted_repairs), check=check
    ) as harness:
        task = await harness.run(deliver="best_effort")
        assert task.status == "completed"
        pushed = await harness.pushed()
        assert pushed["a.py"] == b"BAD still\n"
        assert pushed["README.md"].startswith(b"# Hello\n\n## Known faults\n")
        assert b"- `a.py` line 1: no BAD\n" in pushed["README.md"]
        (merged,) = await harness.events(task, "merged")
        assert merged.data["findings"] == 1


async def test_best_effort_continues_after_a_failed_repair(tmp_path: Path) -> None:
    scripted_repairs = ScriptedRepairs(http_error(402), http_error(402))
    async with generate_harness(
        tmp_path, plan_and_files(BAD, replace=scripted_repairs), check=check
    ) as harness:
        task = await harness.run(deliver="best_effort")
        assert task.status == "completed"
        assert (await harness.pushed())["a.py"] == b"x = BAD\n"


async def test_a_failed_repair_fails_the_task_with_its_code(tmp_path: Path) -> None:
    async with generate_harness(
        tmp_path, plan_and_files(BAD, replace=ScriptedRepairs(http_error(402))), check=check
    ) as harness:
        assert await harness.code() == "LLM_BALANCE"


async def test_a_repair_is_continued_like_any_file(tmp_path: Path) -> None:
    whole = "".join(f"line_{n} = {n}\n" for n in range(50))
    files = {**BAD, "b.py": "y = 1\n"}

    def mend(body: Body) -> Reply | None:
        if not is_repair(body):
            return None
        prefix = "".join(m["content"] for m in body["messages"] if m["role"] == "assistant")
        rest = whole.removeprefix(prefix)
        return text(rest[:200], "length" if len(rest) > 200 else "stop")

    async with generate_harness(
        tmp_path, plan_and_files(files, replace=mend), quirks=NATIVE, check=check
    ) as harness:
        task = await harness.run()
        assert (await harness.pushed())["a.py"] == whole.encode()
        (repair,) = await harness.events(task, "repair")
        assert repair.data["calls"] > 2


async def test_stored_repairs_are_restored_by_round_and_counted(tmp_path: Path) -> None:
    """As after a crash between two repairs."""
    files = {**BAD, "b.py": "BAD = 1\n"}
    first = ScriptedRepairs("x = 2\n", "y = 2\n")
    async with generate_harness(tmp_path / "1", plan_and_files(files, replace=first), check=check) as harness:
        task = await harness.run()
        checkpoints = await harness.store.checkpoints(task.id)
        assert {name for name in checkpoints if name.startswith("repair")} == {
            "repair1:1:a.py",
            "repair1:1:b.py",
        }
        without = {
            name: part for name, part in checkpoints.items() if name not in ("snapshot", "repair1:1:b.py")
        }
        left = {n: p for n, p in without.items() if n not in ("repo", "pushed")}
        draft = await harness.restored(task, left)
    assert list(draft.request.job.repairs[1]) == ["a.py"]
    assert draft.spent == draft.request.spent
