"""gencode download ID"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from gencode.cli import service
from gencode.cli.output import show
from gencode.client import BadArchive, Client, Task, unpack
from gencode.domain.errors import StartError


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("task_id")
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--into", type=Path, metavar="DIR", help="unpack them there; the folder is new or empty"
    )
    what.add_argument("--zip", type=Path, metavar="FILE", help="write the archive there (default: NAME.zip)")
    what.add_argument(
        "--bundle", type=Path, metavar="FILE", help="instead, what gencode replay takes; once it is pushed"
    )
    service.arguments(parser)


def run(chosen: argparse.Namespace) -> int:
    return service.run(_download, chosen)


async def _download(client: Client, chosen: argparse.Namespace) -> int:
    if chosen.bundle:
        bundle = await client.bundle(chosen.task_id)
        written = [_write(chosen.bundle, json.dumps(bundle, ensure_ascii=False).encode())]
    elif chosen.into:
        try:
            written = [
                str(chosen.into / path) for path in unpack(await client.archive(chosen.task_id), chosen.into)
            ]
        except BadArchive as error:
            raise StartError(str(error)) from None
    else:
        file = chosen.zip or _named(await client.task(chosen.task_id))
        written = [_write(file, await client.archive(chosen.task_id))]
    show(chosen, {"task_id": chosen.task_id, "written": written}, written)
    return 0


def _named(task: Task) -> Path:
    """In this folder, whatever the service calls it."""
    return Path(Path(f"{task['repo_name']}.zip").name)


def _write(file: Path, data: bytes) -> str:
    """Nothing that exists is overwritten."""
    try:
        with file.open("xb") as stream:
            stream.write(data)
    except FileExistsError:
        raise StartError(f"{file} exists: name another file") from None
    except OSError as error:
        raise StartError(f"{file} cannot be written: {error.strerror}") from None
    return str(file)
