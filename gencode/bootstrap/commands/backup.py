"""gencode backup FILE"""

from __future__ import annotations

import argparse
from pathlib import Path

from gencode.cli.output import write
from gencode.settings import load_data_dir
from gencode.storage.backup import backup


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="a new file; keep it as safe as DATA_DIR")
    parser.add_argument("--json", action="store_true", help="JSON for scripts")


def run(args: argparse.Namespace) -> int:
    size = backup(load_data_dir(), args.file)
    write(args, {"file": str(args.file), "bytes": size}, [f"{args.file}: {size} bytes"])
    return 0
