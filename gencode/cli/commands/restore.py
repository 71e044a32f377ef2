"""gencode restore FILE"""

from __future__ import annotations

import argparse
from pathlib import Path

from gencode.cli.output import show
from gencode.settings import load_data_dir
from gencode.storage.backup import restore


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="what gencode backup wrote")
    parser.add_argument("--json", action="store_true", help="JSON for scripts")


def run(chosen: argparse.Namespace) -> int:
    data_dir = load_data_dir()
    restore(chosen.file, data_dir)
    words = f"{data_dir} is restored; tasks that had not ended go on with: gencode serve"
    show(chosen, {"data_dir": str(data_dir)}, [words])
    return 0
