"""What the driver says becomes reports; what it does not say is a failed step, or a fault of the machine."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from gencode.certification import StepReport, StepStatus
from gencode.certification.certificate import digest_of
from gencode.certification.environments import Environment
from gencode.certification.group_runner import Unavailable, run_group
from gencode.certification.steps import PYTHON, Group, Step
from gencode.sandbox.errors import SandboxFailed
from gencode.sandbox.port import KilledBy, Outcome

ENVIRONMENT = Environment(folder=Path("/nowhere"), versions={"fastapi": "1.0"})
GROUP = Group(
    steps=(
        Step(name="install", command=(PYTHON, "-m", "pip"), seconds=60),
        Step(name="tests", command=(PYTHON, "-m", "pytest"), seconds=60),
    )
)
END = {"end": True}


def line(name: str, exit_code: int = 0, reason: str = "", **more: Any) -> dict[str, Any]:
    said = {"log_digest": digest_of(b""), "log_tail": "log", "seconds": 1.0, "versions": {}}
    return {"name": name, "exit_code": exit_code, "reason": reason, **said, **more}


class Scripted:
    """A sandbox whose driver says these lines. `sent`: its files."""

    off_reason, python, can_show = "", "python3", True

    def __init__(self, *lines: object, killed_by: KilledBy = KilledBy.NOTHING, cut: int = 0) -> None:
        output = b"".join(json.dumps(one).encode() + b"\n" for one in lines)
        output = output[: len(output) - cut]
        self.outcome = Outcome(exit_code=0, output=output, seconds=9.0, killed_by=killed_by)
        self.sent: Mapping[str, bytes] = {}

    async def run(self, command: Sequence[str], files: Mapping[str, bytes], *_: Any, **__: Any) -> Outcome:
        self.sent = files
        return self.outcome


async def reports(sandbox: Scripted, files: Mapping[str, bytes] | None = None) -> list[StepReport]:
    return await run_group(sandbox, GROUP, files or {}, ENVIRONMENT)


async def test_a_report_has_the_command_the_versions_and_the_digest_of_the_log() -> None:
    first, second = await reports(Scripted(line("install"), line("tests"), END))
    assert (first.status, first.command) == (StepStatus.PASSED, "python -m pip")
    assert (first.versions, second.versions) == ({"fastapi": "1.0"}, {})
    assert second.log_digest == digest_of(b"")


async def test_the_driver_gets_the_project_and_the_number_of_its_models() -> None:
    sandbox = Scripted(line("install"), line("tests"), END)
    models = ("__init__.py", "join_tables.py", "order.py", "tag.py")
    await reports(sandbox, {f"backend/app/models/{name}": b"" for name in models})
    assert json.loads(sandbox.sent["job.json"])["tables"] == 2
    assert sandbox.sent["project/backend/app/models/order.py"] == b""
    assert {"gencode_build_driver.py", "gencode_processes.py"} <= set(sandbox.sent)


async def test_a_step_that_fails_is_the_last_one() -> None:
    (report,) = await reports(Scripted(line("install", 1, "the exit code is 1"), END))
    assert (report.status, report.exit_code, report.reason) == (StepStatus.FAILED, 1, "the exit code is 1")


@pytest.mark.parametrize(
    ("killed_by", "reason"), [(KilledBy.MEMORY, "memory"), (KilledBy.NOTHING, "without a result")]
)
async def test_a_driver_that_is_ended_is_a_fault_of_the_step_that_was_running(
    killed_by: KilledBy, reason: str
) -> None:
    first, second = await reports(Scripted(line("install"), line("tests"), killed_by=killed_by, cut=10))
    assert first.passed
    assert (second.name, second.status) == ("tests", StepStatus.FAILED)
    assert reason in second.reason
    assert second.exit_code != 0


async def test_a_driver_that_does_not_say_it_came_to_its_end_has_not_proven_the_group() -> None:
    assert [one.passed for one in await reports(Scripted(line("install")))] == [True, False]


@pytest.mark.parametrize(
    "said",
    [
        line("tests"),
        line("install", log_digest="no digest"),
        line("install", exit_code="0"),
        {"broken": "no database"},
    ],
)
async def test_what_no_driver_says_is_a_fault_of_the_machine(said: object) -> None:
    with pytest.raises(SandboxFailed):
        await reports(Scripted(said, END))


async def test_a_sandbox_that_the_system_ended_is_a_fault_of_the_machine() -> None:
    with pytest.raises(SandboxFailed):
        await reports(Scripted(line("install"), killed_by=KilledBy.SYSTEM))


async def test_what_is_not_installed_is_named() -> None:
    with pytest.raises(Unavailable, match="mariadbd"):
        await reports(Scripted({"unavailable": "mariadbd is not installed in the sandbox"}))
