"""gencode serve"""

from __future__ import annotations

import argparse

from gencode.bootstrap.process_roles import Role
from gencode.bootstrap.serve import serve
from gencode.settings import load


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """All settings come from the environment."""
    parser.add_argument(
        "--role",
        choices=[Role.ALL.value, Role.WEB.value],
        default=Role.ALL.value,
        help="web: accept requests and stream events, and leave the work to `gencode worker` (DATABASE_URL)",
    )


def run(args: argparse.Namespace) -> None:
    serve(load(), role=Role(args.role))
