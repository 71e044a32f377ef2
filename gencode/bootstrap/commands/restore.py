"""gencode restore FILE"""

from __future__ import annotations

import argparse
from pathlib import Path

from gencode.cli.output import write
from gencode.settings import load_data_dir
from gencode.storage.backup import restore


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="what gencode backup wrote")
    parser.add_argument("--json", action="store_true", help="JSON for scripts")


def run(args: argparse.Namespace) -> int:
    data_dir = load_data_dir()
    restore(args.file, data_dir)
    message = f"{data_dir} is restored; tasks that had not ended go on with: gencode serve"
    write(args, {"data_dir": str(data_dir)}, [message])
    return 0
