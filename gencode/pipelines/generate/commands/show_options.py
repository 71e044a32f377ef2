"""Options of `gencode show` for generated files and the report."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from typing import Any

from gencode.cli.commands.show import View
from gencode.client import Client, FileList


def add_arguments(parser: argparse.ArgumentParser) -> None:
    views = parser.add_mutually_exclusive_group()
    views.add_argument(
        "--files",
        dest="view",
        action="store_const",
        const=_files,
        help="its files and how far they are",
    )
    views.add_argument("--file", dest="view", metavar="PATH", type=_file, help="the text of one file")
    views.add_argument(
        "--report",
        dest="view",
        action="store_const",
        const=_report,
        help="plan, files, findings, cost and times, as JSON",
    )


async def _files(client: Client, task_id: str) -> tuple[Any, Iterable[str]]:
    files = await client.files(task_id)
    return files, _file_lines(files)


def _file_lines(files: FileList) -> Iterator[str]:
    for file in files["files"]:
        yield f"{file['state']:<10}{file['bytes']:>9,}  {file['path']}"
    if not files["complete"]:
        yield "more files are to come, or to be finished"


def _file(path: str) -> View:
    async def view(client: Client, task_id: str) -> tuple[Any, Iterable[str]]:
        text = await client.file(task_id, path)
        return {"path": path, "text": text}, [text.removesuffix("\n")]

    return view


async def _report(client: Client, task_id: str) -> tuple[Any, Iterable[str]]:
    report = await client.report(task_id)
    return report, [json.dumps(report, ensure_ascii=False, indent=2)]
