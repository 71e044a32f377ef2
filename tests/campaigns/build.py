"""Proves rendered projects: blueprints of a random generator with hostile names, and those of a folder.

    python -m tests.campaigns.build --count 30 --seed 1 --databases postgresql,mysql
    python -m tests.campaigns.build --count 0 --corpus FOLDER --sample 30 --seed 1 --frontend vue

A corpus has blueprints as JSON, and what the importers read. Each blueprint is repaired, rendered, and
certified in the sandbox as a build is. Prints the commit, a line for each project with the digest of its
files, then the figures; the exit status is 1 if one of them is not verified. `--keep FOLDER` writes those
projects there.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import anyio

from gencode.blueprints import Blueprint, is_valid, repaired
from gencode.blueprints.rendering import Database, Stack, render_project
from gencode.certification import Certificate, CertificateStatus, Certifier, StepReport
from gencode.certification.environments import prepare_environment
from gencode.certification.lock_files import needed_locks
from gencode.sandbox.bubblewrap import bubblewrap
from gencode.sandbox.launched import LaunchedSandbox
from tests.campaigns.sources import imported_blueprints
from tests.servers.build_environments import FOLDER
from tests.unit.blueprints.generated_blueprints import generated_blueprint

Frontend = Literal["vue", "none"]
AT_ONCE = 2
NAME, SHOWN = 60, 160


@dataclass(frozen=True, kw_only=True)
class Case:
    name: str
    blueprint: Blueprint
    stack: Stack


@dataclass(frozen=True, kw_only=True)
class Result:
    """digest       of the files, so that projects of two commits can be compared
    certificate  None for a blueprint that cannot be repaired, which is not rendered
    """

    case: Case
    files: int
    digest: str
    seconds: float
    certificate: Certificate | None

    @property
    def is_fault(self) -> bool:
        return self.certificate is not None and self.certificate.status is not CertificateStatus.VERIFIED

    def line(self) -> str:
        status = self.certificate.status if self.certificate else "left out: it has errors without a fix"
        reason = f"  {' '.join(self.certificate.reason.split())[:SHOWN]}" if self.certificate else ""
        counts = f"{len(self.case.blueprint.data_models):3} models {self.files:4} files"
        stack = f"{self.case.stack.database.value:10}"
        name = self.case.name[-NAME:]
        return f"{name:{NAME}} {stack} {counts} {self.digest} {self.seconds:6.1f} s  {status}{reason}"


def cases(
    count: int,
    seed: int,
    databases: Sequence[Database],
    frontend: Frontend,
    corpus: Path | None = None,
    sample: int | None = None,
) -> Iterator[Case]:
    """The databases take turns."""
    named = [(f"seed {number}", generated_blueprint(number)) for number in range(seed, seed + count)]
    if corpus:
        named += imported_blueprints(corpus, sample, seed)
    for number, (name, blueprint) in enumerate(named):
        stack = Stack(database=databases[number % len(databases)], frontend=frontend)
        yield Case(name=name, blueprint=blueprint, stack=stack)


async def prove(certifier: Certifier, case: Case, keep: Path | None = None) -> Result:
    began = time.monotonic()
    blueprint, findings = repaired(case.blueprint)
    files: dict[str, bytes] = {}
    certificate = None
    if is_valid(findings):
        rendered = render_project(blueprint, case.stack).files
        files = {path: text.encode() for path, text in rendered.items()}
        certificate = await certifier.certify(files, case.stack, _ignored)
    result = Result(
        case=case,
        files=len(files),
        digest=_digest(files),
        seconds=time.monotonic() - began,
        certificate=certificate,
    )
    if keep and result.is_fault:
        _write(keep / case.name.replace(" ", "-").replace("/", "-"), files, certificate)
    return result


def _digest(files: Mapping[str, bytes]) -> str:
    """The beginning of SHA-256."""
    parts = (f"{path}\0{hashlib.sha256(data).hexdigest()}\n" for path, data in sorted(files.items()))
    return hashlib.sha256("".join(parts).encode()).hexdigest()[:12]


async def _ignored(_: StepReport) -> None:
    """The certificate has it, too."""


def _write(folder: Path, files: dict[str, bytes], certificate: Certificate | None) -> None:
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    if certificate:
        (folder / "certificate.json").write_text(certificate.model_dump_json(indent=2), "utf-8")


async def run(given: Sequence[Case], environments: Path, keep: Path | None = None) -> list[Result]:
    """Prints each result when it is there."""
    certifier = Certifier(sandbox=LaunchedSandbox(bubblewrap(())), environments=environments)
    places = anyio.CapacityLimiter(AT_ONCE)
    results: list[Result] = []

    async def one(case: Case) -> None:
        async with places:
            result = await prove(certifier, case, keep)
        results.append(result)
        print(result.line(), flush=True)

    async with anyio.create_task_group() as group:
        for case in given:
            group.start_soon(one, case)
    return results


def figures(results: Sequence[Result]) -> Iterator[str]:
    statuses = Counter(str(one.certificate.status) if one.certificate else "left out" for one in results)
    counts = ", ".join(f"{count} {status}" for status, count in statuses.most_common())
    steps = sum(len(one.certificate.steps) for one in results if one.certificate)
    yield f"{len(results)} blueprints: {counts}; {sum(one.files for one in results)} files, {steps} steps"
    yield f"  seconds: {_seconds(results)}"
    reasons = Counter(
        one.certificate.reason.partition(":")[0] for one in results if one.certificate and one.is_fault
    )
    for step, count in reasons.most_common():
        yield f"  {count:4} failed at {step}"


def _seconds(results: Sequence[Result]) -> str:
    """Of each step, in all."""
    seconds: defaultdict[str, float] = defaultdict(float)
    for certificate in (one.certificate for one in results if one.certificate):
        for step in certificate.steps:
            seconds[step.name] += step.seconds
    longest = sorted(seconds.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {total:.0f}" for name, total in longest)


def _commit() -> str:
    """What is proven; "-dirty" where files differ from it."""
    command = ("git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*")
    return "commit " + subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--count", type=int, default=10, help="generated blueprints (default: 10)")
    parser.add_argument("--seed", type=int, default=1, help="of the first of them (default: 1)")
    parser.add_argument("--databases", default="postgresql,mysql", help="comma-separated; they take turns")
    parser.add_argument("--frontend", choices=("vue", "none"), default="none", help="(default: none)")
    parser.add_argument("--corpus", type=Path, help="a folder with files that are imported")
    parser.add_argument("--sample", type=int, help="files of the corpus, chosen by the seed (default: all)")
    parser.add_argument("--keep", type=Path, help="where projects that are not verified are written")
    options = parser.parse_args()
    databases = [Database(name) for name in options.databases.split(",")]
    began = time.monotonic()
    print(_commit(), flush=True)
    given = list(
        cases(options.count, options.seed, databases, options.frontend, options.corpus, options.sample)
    )
    for name, lock in needed_locks(Stack(frontend=options.frontend)).items():
        assert lock is not None, name
        prepare_environment(FOLDER, lock)
    results = anyio.run(run, given, FOLDER, options.keep)
    print("\n".join(figures(results)), f"\n{time.monotonic() - began:.0f} s")
    return 1 if any(one.is_fault for one in results) or not results else 0


if __name__ == "__main__":
    sys.exit(main())
