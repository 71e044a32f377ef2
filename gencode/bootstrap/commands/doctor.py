"""gencode doctor"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict

import anyio

from gencode.bootstrap.doctor.check_result import CheckResult
from gencode.bootstrap.doctor.checks import run_checks
from gencode.cli.output import printable, write


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--ask-models",
        action="store_true",
        help="ask each model for one token, which is paid, not for a list",
    )
    parser.add_argument("--json", action="store_true", help="JSON for scripts")


def run(args: argparse.Namespace) -> int:
    return anyio.run(_doctor, args)


async def _doctor(args: argparse.Namespace) -> int:
    results: list[CheckResult] = []
    async for result in run_checks(ask_models=args.ask_models):
        results.append(result)
        if not args.json:
            for line in _lines(result):
                print(printable(line), flush=True)
    faults = sum(result.state == "fault" for result in results)
    write(args, _document(results), ["", f"{faults} to fix" if faults else "nothing to fix"])
    return 1 if faults else 0


def _lines(result: CheckResult) -> Iterator[str]:
    yield f"{result.state:<6} {result.about}: {result.message}"
    if result.advice:
        yield f"       -> {result.advice}"


def _document(results: Sequence[CheckResult]) -> dict[str, object]:
    faulty = any(result.state == "fault" for result in results)
    return {"ok": not faulty, "findings": [asdict(result) for result in results]}
