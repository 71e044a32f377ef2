"""Options of `gencode retry` for generated files and their repository."""

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
    parser.add_argument(
        "--allow-secrets",
        dest="changes",
        action="append_const",
        const=("allow_secrets", True),
        help="push what only looks like a secret; never one of the service",
    )
    parser.add_argument(
        "--repo-name",
        dest="changes",
        action="append",
        metavar="NAME",
        type=lambda name: ("repo_name", name),
        help="create the repository by another name, if none has been created yet",
    )
    parser.add_argument(
        "--org",
        dest="changes",
        action="append",
        metavar="NAME",
        type=lambda name: ("github_org", name or None),
        help="create it in another organisation; '' for the default account",
    )
