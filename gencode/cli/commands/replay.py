"""gencode replay FILE --into DIR"""

from __future__ import annotations

import argparse
from pathlib import Path

from gencode.cli.output import show
from gencode.pipelines.generate.replay import replay


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="what gencode download ID --bundle FILE wrote")
    parser.add_argument("--into", type=Path, required=True, help="folder for a bare repository, new or empty")
    parser.add_argument("--allow-workflows", action="store_true", help="also files in .github/workflows")
    parser.add_argument("--json", action="store_true", help="JSON for scripts")


def run(chosen: argparse.Namespace) -> int:
    sha = replay(chosen.file, chosen.into, workflows=chosen.allow_workflows)
    show(chosen, {"commit": sha, "repository": str(chosen.into)}, [sha, f"git clone {chosen.into}"])
    return 0
