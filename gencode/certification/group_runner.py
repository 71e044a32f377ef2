"""Runs one group in the sandbox, and reads what its driver says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files as resource_files
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gencode.certification.certificate import StepReport, StepStatus, digest_of, tail_of
from gencode.certification.environments import Environment
from gencode.certification.installing import SCRATCH
from gencode.certification.lock_files import Tool
from gencode.certification.steps import ENVIRONMENT, FRONTEND, Group, Step, model_count
from gencode.sandbox.bubblewrap import WORK
from gencode.sandbox.errors import SandboxFailed
from gencode.sandbox.port import MIB, KilledBy, Limits, Outcome, Sandbox, Shown
from gencode.sandbox.programs import shared_programs

USERS = Path(__file__).with_name("passwd.txt")
"""The database server asks for the name of its user."""
DRIVER = "gencode_build_driver.py"
PROGRAMS = ("bodies", "commands", "database", "driver", "factories", "requests")
_INSTALLING = ("install", "frontend_install")
_PACKAGES = "node_modules"
_SPARE_SECONDS = 150.0
"""For the start of a database, and the end of processes."""
_TEXT = 64 * 1024


class Unavailable(Exception):
    """What the group needs is not installed where the sandbox runs."""


class _Line(BaseModel):
    """What the driver says of a step."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    name: Annotated[str, Field(max_length=100)]
    exit_code: Annotated[int, Field(ge=-255, le=255)]
    reason: Annotated[str, Field(max_length=1000)]
    seconds: Annotated[float, Field(ge=0)]
    log_digest: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    log_tail: Annotated[str, Field(max_length=_TEXT)]
    versions: dict[str, str]


async def run_group(
    sandbox: Sandbox, group: Group, files: Mapping[str, bytes], environment: Environment
) -> list[StepReport]:
    """Reports up to the first step that fails. Raises SandboxFailed, Unavailable."""
    shown = (_environment(group, environment), Shown(path=USERS, place="/etc/passwd"))
    outcome = await sandbox.run(
        (sandbox.python, DRIVER), _sent(group, files), _limits(group), shown=shown, environment=_VARIABLES
    )
    return list(_reports(group, outcome, environment))


def _environment(group: Group, environment: Environment) -> Shown:
    """Node looks for packages in the folder of the project, and follows links out of it."""
    if group.tool is Tool.NODE:
        place = f"{WORK}/{FRONTEND}/{_PACKAGES}"
        return Shown(path=environment.folder / _PACKAGES, place=place, scratch=SCRATCH)
    return Shown(path=environment.folder, place=ENVIRONMENT)


_VARIABLES = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1", "NO_COLOR": "1", "CI": "1"}


def _limits(group: Group) -> Limits:
    """Node and databases reserve much memory, and use little of it."""
    return Limits(
        seconds=sum(step.seconds for step in group.steps) + _SPARE_SECONDS,
        cpu_seconds=600,
        address_space=2**40,
        memory=3072 * MIB,
        processes=512,
        file_bytes=512 * MIB,
        disk_bytes=1024 * MIB,
        output_bytes=8 * MIB,
    )


def _sent(group: Group, files: Mapping[str, bytes]) -> dict[str, bytes]:
    programs = resource_files("gencode.certification") / "programs"
    names = [f"gencode_build_{name}.py" for name in PROGRAMS]
    return {
        **{f"project/{path}": data for path, data in files.items()},
        **{name: (programs / name).read_bytes() for name in names},
        **shared_programs(),
        "job.json": json.dumps(_job(group, files)).encode(),
    }


def _job(group: Group, files: Mapping[str, bytes]) -> dict[str, Any]:
    steps = [
        {
            **step.options,
            "name": step.name,
            "kind": step.kind,
            "command": list(step.command),
            "folder": step.folder,
            "seconds": step.seconds,
        }
        for step in group.steps
    ]
    needed = ["node", "npm"] if group.tool is Tool.NODE else []
    return {"steps": steps, "database": group.database, "tables": model_count(files), "programs": needed}


def _reports(group: Group, outcome: Outcome, environment: Environment) -> Iterator[StepReport]:
    """A group whose driver did not say that it came to its end has failed at the step after the last one."""
    steps = iter(group.steps)
    said = list(_said(outcome))
    for line in (line for line in said if "name" in line):
        step = next(steps, None)
        report = _report(step, line, environment) if step and step.name == line["name"] else None
        if report is None:
            raise SandboxFailed("The driver of the build answered what cannot be read")
        yield report
        if not report.passed:
            return
    if {"end": True} in said:
        return
    missing = next(steps, None)
    if missing is not None:
        yield _ended(missing, group, outcome)


def _said(outcome: Outcome) -> Iterator[dict[str, Any]]:
    """The lines; the last one may be cut."""
    for text in outcome.output.splitlines():
        try:
            line = json.loads(text)
        except (ValueError, RecursionError):
            return
        if isinstance(line, dict):
            if "unavailable" in line:
                raise Unavailable(str(line["unavailable"])[:500])
            if "broken" in line:
                raise SandboxFailed(f"The build could not be run: {line['broken']}"[:1000])
            yield line


def _report(step: Step, line: Mapping[str, Any], environment: Environment) -> StepReport | None:
    try:
        said = _Line.model_validate(line)
    except ValidationError:
        return None
    passed = said.exit_code == 0 and not said.reason
    return StepReport(
        name=step.name,
        status=StepStatus.PASSED if passed else StepStatus.FAILED,
        reason=said.reason,
        command=step.shown_command,
        exit_code=said.exit_code,
        seconds=round(said.seconds, 3),
        versions=environment.versions if step.name in _INSTALLING else said.versions,
        log_digest=said.log_digest,
        log_tail=tail_of(said.log_tail.encode()),
    )


def _ended(step: Step, group: Group, outcome: Outcome) -> StepReport:
    """The driver was ended: by a limit, or by the project's code, which has its user."""
    if outcome.killed_by is KilledBy.SYSTEM:
        raise SandboxFailed("The system ended the sandbox, mostly for its memory")
    limit = outcome.killed_by
    reason = (
        f"the run was ended by a limit of the sandbox: {limit}" if limit else "the run ended without a result"
    )
    log = outcome.output[-_TEXT:]
    return StepReport(
        name=step.name,
        status=StepStatus.FAILED,
        reason=reason,
        command=step.shown_command,
        exit_code=outcome.exit_code or 1,
        seconds=round(outcome.seconds, 3),
        log_digest=digest_of(log),
        log_tail=tail_of(log),
    )


def failed(reports: Sequence[StepReport]) -> StepReport | None:
    return next((report for report in reports if not report.passed), None)
