"""gencode doctor"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict

import anyio

from gencode.cli.display.printable import printable
from gencode.cli.output import show
from gencode.doctor.examination import examine
from gencode.doctor.finding import Finding


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--ask-models",
        action="store_true",
        help="ask each model for one token, which is paid, not for a list",
    )
    parser.add_argument("--json", action="store_true", help="JSON for scripts")


def run(chosen: argparse.Namespace) -> int:
    return anyio.run(_doctor, chosen)


async def _doctor(chosen: argparse.Namespace) -> int:
    found: list[Finding] = []
    async for finding in examine(ask_models=chosen.ask_models):
        found.append(finding)
        if not chosen.json:
            for line in _lines(finding):
                print(printable(line), flush=True)
    faults = sum(finding.state == "fault" for finding in found)
    show(chosen, _document(found), ["", f"{faults} to mend" if faults else "nothing to mend"])
    return 1 if faults else 0


def _lines(finding: Finding) -> Iterator[str]:
    yield f"{finding.state:<6} {finding.about}: {finding.message}"
    if finding.advice:
        yield f"       -> {finding.advice}"


def _document(found: Sequence[Finding]) -> dict[str, object]:
    faulty = any(finding.state == "fault" for finding in found)
    return {"ok": not faulty, "findings": [asdict(finding) for finding in found]}
