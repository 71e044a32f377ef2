"""gencode backup FILE"""

from __future__ import annotations

import argparse
from pathlib import Path

from gencode.cli.output import show
from gencode.settings import load_data_dir
from gencode.storage.backup import backup


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="a new file; keep it as safe as DATA_DIR")
    parser.add_argument("--json", action="store_true", help="JSON for scripts")


def run(chosen: argparse.Namespace) -> int:
    size = backup(load_data_dir(), chosen.file)
    show(chosen, {"file": str(chosen.file), "bytes": size}, [f"{chosen.file}: {size} bytes"])
    return 0
