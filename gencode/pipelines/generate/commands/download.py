"""gencode download ID"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from gencode.cli.client_options import add_service_arguments, run_with_client
from gencode.cli.output import write
from gencode.client import BadArchive, Client, unpack
from gencode.domain.errors import StartError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("task_id")
    target = parser.add_mutually_exclusive_group()
    target.add_argument(
        "--into", type=Path, metavar="DIR", help="unpack them there; the folder is new or empty"
    )
    target.add_argument(
        "--zip", type=Path, metavar="FILE", help="write the archive there (default: NAME.zip)"
    )
    target.add_argument(
        "--bundle", type=Path, metavar="FILE", help="instead, what gencode replay takes; once it is pushed"
    )
    add_service_arguments(parser)


def run(args: argparse.Namespace) -> int:
    return run_with_client(_download, args)


async def _download(client: Client, args: argparse.Namespace) -> int:
    if args.bundle:
        bundle = await client.bundle(args.task_id)
        written = [_write_new(args.bundle, json.dumps(bundle, ensure_ascii=False).encode())]
    elif args.into:
        written = await _unpack(client, args.task_id, args.into)
    else:
        file = args.zip or await _archive_name(client, args.task_id)
        written = [_write_new(file, await client.archive(args.task_id))]
    write(args, {"task_id": args.task_id, "written": written}, written)
    return 0


async def _unpack(client: Client, task_id: str, directory: Path) -> list[str]:
    try:
        return [str(directory / path) for path in unpack(await client.archive(task_id), directory)]
    except BadArchive as error:
        raise StartError(str(error)) from None


async def _archive_name(client: Client, task_id: str) -> Path:
    """A name without directories: the service's must not lead out of the current one."""
    task = await client.task(task_id)
    return Path(Path(f"{task['repo_name']}.zip").name)


def _write_new(file: Path, data: bytes) -> str:
    """Raises StartError rather than overwrite a file."""
    try:
        with file.open("xb") as stream:
            stream.write(data)
    except FileExistsError:
        raise StartError(f"{file} exists: name another file") from None
    except OSError as error:
        raise StartError(f"{file} cannot be written: {error.strerror}") from None
    return str(file)
