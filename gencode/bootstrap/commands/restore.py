"""gencode restore FILE"""

from __future__ import annotations

import argparse
from pathlib import Path

from gencode.cli.output import write
from gencode.domain.errors import BadBackup
from gencode.settings import load_database
from gencode.storage.backup import restore
from gencode.storage.data_dir_lock import ENCRYPTION_KEY_FILE, WORKSPACE_DATABASE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="what gencode backup wrote")
    parser.add_argument("--json", action="store_true", help="JSON for scripts")


def run(args: argparse.Namespace) -> int:
    settings = load_database()
    if settings.direct_dsn:
        raise BadBackup(
            "the tasks are in PostgreSQL (DATABASE_URL), which this does not restore: use pg_restore, as"
            " docs/cluster.md shows"
        )
    data_dir = settings.data_dir
    restore(args.file, data_dir)
    message = f"{data_dir} is restored; tasks that had not ended go on with: gencode serve"
    lines = [message]
    if (data_dir / WORKSPACE_DATABASE).is_file():
        lines.append(
            f"stored keys and tokens of users need {ENCRYPTION_KEY_FILE} (put it into the folder) or"
            " ENCRYPTION_KEY; gencode doctor says whether each can be decrypted"
        )
    write(args, {"data_dir": str(data_dir)}, lines)
    return 0
