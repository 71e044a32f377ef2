"""gencode replay FILE --into DIR"""

from __future__ import annotations

import argparse
from pathlib import Path

from gencode.cli.output import write
from gencode.pipelines.generate.repository_from_bundle import replay


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="what gencode download ID --bundle FILE wrote")
    parser.add_argument("--into", type=Path, required=True, help="folder for a bare repository, new or empty")
    parser.add_argument("--allow-workflows", action="store_true", help="also files in .github/workflows")
    parser.add_argument("--json", action="store_true", help="JSON for scripts")


def run(args: argparse.Namespace) -> int:
    sha = replay(args.file, args.into, workflows=args.allow_workflows)
    write(args, {"commit": sha, "repository": str(args.into)}, [sha, f"git clone {args.into}"])
    return 0
