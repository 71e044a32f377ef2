"""gencode backup FILE"""

from __future__ import annotations

import argparse
from pathlib import Path

from gencode.cli.output import write
from gencode.domain.errors import BadBackup
from gencode.settings import load_database
from gencode.storage.backup import backup
from gencode.storage.data_dir_lock import ENCRYPTION_KEY_FILE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="a new file; keep it as safe as DATA_DIR")
    parser.add_argument("--json", action="store_true", help="JSON for scripts")


def run(args: argparse.Namespace) -> int:
    settings = load_database()
    if settings.direct_dsn:
        raise BadBackup(
            "the tasks are in PostgreSQL (DATABASE_URL), which this does not copy: use pg_dump, as"
            " docs/cluster.md shows"
        )
    size = backup(settings.data_dir, args.file)
    lines, left_out = [f"{args.file}: {size} bytes"], []
    if (settings.data_dir / ENCRYPTION_KEY_FILE).is_file():
        left_out.append(ENCRYPTION_KEY_FILE)
        lines.append(f"{ENCRYPTION_KEY_FILE}, which stored keys and tokens need, is not in it: keep it apart")
    write(args, {"file": str(args.file), "bytes": size, "left_out": left_out}, lines)
    return 0
