"""gencode show ID"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator

from gencode.cli import service
from gencode.cli.output import show
from gencode.cli.retry_hint import retry_hint
from gencode.client import Client, FileList, Task

_SHOWN = ("status", "message", "repo_url", "clone_url", "commit", "model", "created_at", "updated_at")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("task_id")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--files", action="store_true", help="its files and how far they are")
    what.add_argument("--file", metavar="PATH", help="the text of one file")
    what.add_argument("--report", action="store_true", help="plan, files, findings, cost and times, as JSON")
    service.arguments(parser)


def run(chosen: argparse.Namespace) -> int:
    return service.run(_show, chosen)


async def _show(client: Client, chosen: argparse.Namespace) -> int:
    if chosen.files:
        files = await client.files(chosen.task_id)
        show(chosen, files, _files(files))
    elif chosen.file:
        text = await client.file(chosen.task_id, chosen.file)
        show(chosen, {"path": chosen.file, "text": text}, [text.removesuffix("\n")])
    elif chosen.report:
        report = await client.report(chosen.task_id)
        show(chosen, report, [json.dumps(report, ensure_ascii=False, indent=2)])
    else:
        task = await client.task(chosen.task_id)
        show(chosen, task, _task(task))
    return 0


def _task(task: Task) -> Iterator[str]:
    yield f"{'task':<12}{task['task_id']}"
    for name in _SHOWN:
        if value := task.get(name):
            yield f"{name:<12}{value}"
    if error := task["error"]:
        yield f"{'error':<12}{error['code']} while {error['stage']}: {error['message']}"
        yield f"{'':<12}{retry_hint(task)}"
    if task.get("awaiting_approval"):
        yield f"{'':<12}it waits for: gencode approve {task['task_id']}"


def _files(files: FileList) -> Iterator[str]:
    for file in files["files"]:
        yield f"{file['state']:<10}{file['bytes']:>9,}  {file['path']}"
    if not files["complete"]:
        yield "more files are to come, or to be finished"
