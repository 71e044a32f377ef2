"""Runs scripted tests of every kind on programs of QuixBugs: only what fails on the faulty twin may be kept.

python -m tests.campaigns.generated_tests [NAME ...]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

import anyio

from gencode.codegen.project_checker import ProjectChecker
from gencode.codegen.test_code.reader import TestCodeReader
from gencode.sandbox.bubblewrap import bubblewrap
from gencode.sandbox.launched import LaunchedSandbox
from tests.servers.quixbugs import GOOD, Program, programs, verified


async def main(names: Sequence[str]) -> int:
    print("| Program | Tests | Kept | Fail on the faulty twin | Wrongly kept | Wrongly discarded | Seconds |")
    print("|---|---|---|---|---|---|---|")
    wrong = 0
    async with ProjectChecker() as checker:
        for name in names or programs():
            wrong += await _measured(programs()[name], TestCodeReader(checker))
    return 1 if wrong else 0


async def _measured(program: Program, reader: TestCodeReader) -> int:
    """Prints a row; returns the number of wrong decisions."""
    began = time.monotonic()
    evidence, tests = await verified(LaunchedSandbox(bubblewrap(())), reader, program)
    kept = {test.name for test in tests} - evidence.faults.keys()
    failing = sum(evidence.fails_before.get(test, False) for test in kept)
    row = (len(tests), len(kept), failing, len(kept - GOOD), len(GOOD - kept))
    cells = " | ".join(map(str, row))
    print(f"| {program.name} | {cells} | {time.monotonic() - began:.0f} |", flush=True)
    return len(kept ^ GOOD) + len(kept) - failing


if __name__ == "__main__":
    sys.exit(anyio.run(main, sys.argv[1:]))
