"""Runs generated tests in the sandbox."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from gencode.codegen.test_code.python_tests import TestFunction
from gencode.codegen.test_code.reader import MutatedCode, TestCodeReader
from gencode.pipelines.test_generation.artifacts import Given, TargetGroup
from gencode.pipelines.test_generation.evidence import Evidence
from gencode.pipelines.test_generation.frameworks import is_test_file
from gencode.pipelines.test_generation.verification.report import RunReport, evidence_of
from gencode.sandbox.port import MIB, KilledBy, Limits, Outcome, Sandbox
from gencode.sandbox.programs import shared_programs

PROGRAMS = (
    *("gencode_test_driver", "gencode_test_run", "gencode_test_state"),
    *("gencode_tool_driver", "gencode_tool_runs"),
)
REPEATS = 5
SECONDS = 400.0
MUTANT_SECONDS = 150.0
"""No further mutant is tried after them."""
LIMITS = Limits(
    seconds=SECONDS, cpu_seconds=120, address_space=1024 * MIB, memory=1280 * MIB, output_bytes=4 * MIB
)
OFF = "the sandbox is off"


TOOL_LIMITS = replace(
    LIMITS,
    address_space=2**40,  # node and go reserve much, and use little of it
    memory=2048 * MIB,
    processes=256,
    file_bytes=64 * MIB,
    disk_bytes=512 * MIB,
)
"""For node and go."""
TOOL_REPEATS = 3


class SandboxVerifier:
    """Implements Verifier."""

    def __init__(self, sandbox: Sandbox, reader: TestCodeReader) -> None:
        self._sandbox = sandbox
        self._reader = reader

    async def __call__(
        self,
        given: Given,
        group: TargetGroup,
        text: str,
        tests: Sequence[TestFunction],
        *,
        is_again: bool = False,
    ) -> Evidence:
        if self._sandbox.off_reason:
            return Evidence(unverified=OFF)
        source = given.files[group.source]
        ranges = [(function.first, function.last) for function in group.functions]
        mutated = await self._reader.mutated(group.source, source, ranges)
        if not mutated.control:
            return Evidence(unverified=f"{group.source} does not parse")
        job = _job(given, group, mutated)
        if is_again:
            job |= {"mutants": [], "before": None, "existing": [], "repeats": 2}
        is_python = group.language == "python"
        if not is_python:
            job |= {
                "tests": [test.name for test in tests],
                "probe": probe_of(group, source),
                "repeats": TOOL_REPEATS,
            }
        outcome = await self._sandbox.run(
            (self._sandbox.python, f"{'gencode_test_driver' if is_python else 'gencode_tool_driver'}.py"),
            _files(given, group, text, job),
            LIMITS if is_python else TOOL_LIMITS,
        )
        return _evidence(outcome, tests)


def _evidence(outcome: Outcome, tests: Sequence[TestFunction]) -> Evidence:
    """A run that ended otherwise than by itself proves nothing good: its tests are discarded. Only the driver
    has its output: what tests write is not in it."""
    if outcome.killed_by is not KilledBy.NOTHING:
        reason = f"the run was ended by a limit of the sandbox: {outcome.killed_by}"
        return Evidence(faults={test.name: reason for test in tests})
    try:
        if outcome.exit_code:
            raise ValueError
        report = RunReport.model_validate_json(outcome.output)
    except ValueError:
        lines = outcome.text.strip().splitlines() or [f"status {outcome.exit_code}"]
        return Evidence(faults={test.name: f"the run gave no result: {lines[-1][:200]}" for test in tests})
    return evidence_of(report, tests)


def _job(given: Given, group: TargetGroup, mutated: MutatedCode) -> dict[str, Any]:
    existing = sorted(
        path
        for path in given.files
        if is_test_file(path) and path.endswith(".py") and path != group.test_path and _has_tests(path)
    )
    return {
        "framework": group.framework,
        "test_file": group.test_path,
        "source": group.source,
        "module": group.module if all(part.isidentifier() for part in group.module.split(".")) else "",
        "ranges": [[function.first, function.last] for function in group.functions],
        "existing": existing,
        "control": mutated.control,
        "before": group.before,
        "mutants": [mutant.text for mutant in mutated.mutants],
        "repeats": REPEATS,
        "seconds": MUTANT_SECONDS,
    }


def probe_of(group: TargetGroup, source: str) -> str:
    """A test file that only loads the source."""
    name = group.source.rpartition("/")[2]
    if group.language == "go":
        package = re.search(r"^package\s+(\w+)", source, re.MULTILINE)
        name = package[1] if package else "main"
        return f'package {name}\n\nimport "testing"\n\nfunc TestGencodeProbe(t *testing.T) {{}}\n'
    depth = len([part for part in group.test_path.split("/")[:-1] if part == "__tests__"])
    place = "../" * depth or "./"
    imported = "" if group.framework == "jest" else 'import { test } from "vitest";\n'
    return f'{imported}test("gencode probe", async () => {{ await import({json.dumps(place + name)}); }});\n'


def _files(given: Given, group: TargetGroup, text: str, job: Mapping[str, Any]) -> Mapping[str, bytes]:
    project = {**given.files, group.test_path: text}
    programs = Path(__file__).parent / "programs"
    return {
        **{f"project/{path}": content.encode("utf-8", "replace") for path, content in project.items()},
        **{f"{name}.py": (programs / f"{name}.py").read_bytes() for name in PROGRAMS},
        **shared_programs(),
        "job.json": json.dumps(job).encode(),
    }


def _has_tests(path: str) -> bool:
    """As pytest finds them. It takes what is behind a bracket for a parameter."""
    name = path.rpartition("/")[2]
    return (name.startswith("test") or name.endswith("_test.py")) and "[" not in path
