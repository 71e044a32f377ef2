"""Renders generated blueprints, and parses every file of every project.

    python -m tests.campaigns.blueprints --count 10000 --seed 1 --types 50

The blueprints have hostile names and texts, every type, every relation, every component, and properties that
fit or do not. Each is repaired, and rendered for one of the databases with a front end. All files are parsed,
all paths are in the folder, and what is exported is parsed, too. Of `--types` projects, chosen by the seed,
the types are checked (mypy, vue-tsc) in the sandbox as builds do.

Prints each fault with its seed, then the figures; the exit status is 1 if there is a fault.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import anyio

from gencode.blueprints import Blueprint, is_valid, repaired
from gencode.blueprints.exporting import Dialect, exported_dbml, exported_sql
from gencode.blueprints.importing import SourceFormat
from gencode.blueprints.importing.reading import import_text
from gencode.blueprints.rendering import Database, Stack, render_project
from gencode.certification import StepReport
from gencode.certification.environments import prepare_environment, prepared_environment
from gencode.certification.group_runner import failed, run_group
from gencode.certification.lock_files import needed_locks
from gencode.certification.steps import groups_of
from gencode.domain.tree import MAX_RENDERED_FILES, Tree
from gencode.sandbox.bubblewrap import bubblewrap
from gencode.sandbox.launched import LaunchedSandbox
from tests.campaigns.parsing import fault_of_file, fault_of_sql
from tests.servers.build_environments import FOLDER
from tests.unit.blueprints.generated_details import detailed_blueprint
from tests.unit.blueprints.generated_pages import with_generated_pages

TYPE_STEPS = ("types", "frontend_types")
TYPES_AT_ONCE = 2
PROGRESS = 500
"""Blueprints after which the figures so far are printed."""


@dataclass(frozen=True, kw_only=True)
class Examined:
    """faults  what is wrong, each with its place
    left_out  the blueprint has errors that have no fix, so it is not rendered
    """

    seed: int
    files: int = 0
    size: int = 0
    left_out: bool = False
    faults: Sequence[str] = ()


def project_of(seed: int) -> tuple[Blueprint, Stack, bool]:
    """A repaired blueprint, its stack, and whether it is valid."""
    blueprint, findings = repaired(detailed_blueprint(seed))
    stack = Stack(database=list(Database)[seed % 2], frontend="vue")
    if not is_valid(findings) or not blueprint.data_models:
        return blueprint, stack, is_valid(findings)
    return with_generated_pages(blueprint, seed), stack, True


def examine(seed: int) -> Examined:
    """Renders, exports and parses one blueprint."""
    try:
        blueprint, stack, valid = project_of(seed)
        if not valid:
            return Examined(seed=seed, left_out=True)
        files = render_project(blueprint, stack).files
        Tree.of({path: text.encode() for path, text in files.items()}, most=MAX_RENDERED_FILES)
        faults = [*_outside(files), *_unparsed(files), *_exports(blueprint, stack.database)]
    except Exception:
        return Examined(seed=seed, faults=[traceback.format_exc(limit=-3)])
    return Examined(seed=seed, files=len(files), size=sum(map(len, files.values())), faults=faults)


def _outside(paths: Iterable[str]) -> Iterator[str]:
    folder = Path("/folder")
    for path in paths:
        if not (folder / path).resolve().is_relative_to(folder):
            yield f"{path!r} is outside of the folder"


def _unparsed(files: Mapping[str, str]) -> Iterator[str]:
    for path, text in files.items():
        if fault := fault_of_file(path, text):
            yield f"{path}: {fault}"


def _exports(blueprint: Blueprint, database: Database) -> Iterator[str]:
    dialect = Dialect.MYSQL if database is Database.MYSQL else Dialect.POSTGRES
    if fault := fault_of_sql(exported_sql(blueprint, dialect), dialect.value):
        yield f"exported {dialect.value}: {fault}"
    if blueprint.data_models:
        count = len(import_text(SourceFormat.DBML, exported_dbml(blueprint)).blueprint.data_models)
        if count != len(blueprint.data_models):
            yield f"exported DBML: {count} data models of {len(blueprint.data_models)}"


async def checked_types(seeds: Sequence[int], environments: Path) -> list[str]:
    """Faults of the projects' types, by the steps of the certificate. Prints each project."""
    places = anyio.CapacityLimiter(TYPES_AT_ONCE)
    faults: list[str] = []

    async def one(seed: int) -> None:
        async with places:
            report = await _types_of(seed, environments)
        print(f"types of seed {seed}: {'in order' if report is None else report.name}", flush=True)
        if report is not None:
            faults.append(f"seed {seed}: {report.name}: {report.reason}\n{report.log_tail}")

    async with anyio.create_task_group() as group:
        for seed in seeds:
            group.start_soon(one, seed)
    return faults


async def _types_of(seed: int, environments: Path) -> StepReport | None:
    """The step that failed."""
    blueprint, stack, _ = await anyio.to_thread.run_sync(project_of, seed)
    rendered = await anyio.to_thread.run_sync(render_project, blueprint, stack)
    files = {path: text.encode() for path, text in rendered.files.items()}
    locks = {lock.tool: lock for lock in needed_locks(stack).values() if lock is not None}
    sandbox = LaunchedSandbox(bubblewrap(()))
    for group in groups_of(files, stack):
        steps = tuple(step for step in group.steps if step.name in TYPE_STEPS)
        environment = prepared_environment(environments, locks[group.tool])
        assert environment is not None, group.tool
        if not steps:
            continue
        reports = await run_group(sandbox, replace(group, steps=steps), files, environment)
        if fault := failed(reports):
            return fault
    return None


def _told(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} {what}" for what, count in counts.items())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--count", type=int, default=1000, help="generated blueprints (default: 1000)")
    parser.add_argument("--seed", type=int, default=1, help="of the first of them (default: 1)")
    parser.add_argument("--types", type=int, default=0, help="projects whose types are checked (default: 0)")
    parser.add_argument("--jobs", type=int, default=2, help="processes that render (default: 2)")
    options = parser.parse_args()
    began = time.monotonic()
    counts: Counter[str] = Counter()
    rendered: list[int] = []
    with multiprocessing.Pool(options.jobs) as pool:
        seeds = range(options.seed, options.seed + options.count)
        for one in pool.imap_unordered(examine, seeds, chunksize=10):
            counts["blueprints"] += 1
            counts["left out: they have errors without a fix"] += one.left_out
            counts["files"] += one.files
            counts["characters"] += one.size
            counts["faults"] += len(one.faults)
            rendered += [one.seed] if one.files else []
            for fault in one.faults:
                print(f"--- seed {one.seed}: {fault}", flush=True)
            if counts["blueprints"] % PROGRESS == 0:
                print(_told(counts), flush=True)
    print(_told(counts), flush=True)
    print(f"{time.monotonic() - began:.0f} s", flush=True)
    chosen = Random(options.seed).sample(sorted(rendered), min(options.types, len(rendered)))
    for lock in needed_locks(Stack(frontend="vue")).values() if chosen else ():
        assert lock is not None
        prepare_environment(FOLDER, lock)
    faults = anyio.run(checked_types, chosen, FOLDER)
    print("\n".join(faults) + f"\n{len(chosen)} type-checked, {len(faults)} with faults")
    return 1 if counts["faults"] or faults or not rendered else 0


if __name__ == "__main__":
    sys.exit(main())
