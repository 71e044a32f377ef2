"""Options of `gencode retry` for generated files."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--best-effort",
        dest="changes",
        action="append_const",
        const=("deliver", "best_effort"),
        help="push even what the checks found faults in, from now on",
    )
