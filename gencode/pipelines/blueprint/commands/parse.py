"""gencode blueprint parse FILE|TEXT [--update ID]"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from gencode.cli.client_options import run_with_client
from gencode.cli.commands.blueprint.options import add_common_arguments, read_text
from gencode.cli.commands.blueprint.validate import finding_lines
from gencode.cli.display.event_printers import LineScreen
from gencode.cli.display.kind_display import KindDisplay, display_for, event_line
from gencode.cli.limit_options import add_limit_arguments, given_limits
from gencode.cli.output import as_json, counted, printable
from gencode.cli.task_hints import retry_hint
from gencode.cli.watching import follow
from gencode.client import Client, Message
from gencode.domain.errors import StartError

UPLOAD, SUBMIT = "/api/v1/requirements/upload", "/api/v1/pipelines/blueprint"
BINARY = (".pdf", ".doc", ".docx")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verb = parser.get_default("verbs").add_parser(
        "parse", help="make a draft of requirements, or propose a change of one (--update)"
    )
    verb.add_argument(
        "requirements", metavar="FILE|TEXT", help="a document, the text itself, or - for standard input"
    )
    verb.add_argument("--update", metavar="ID", help="the draft for which a change is proposed")
    verb.add_argument("--name", help="of the new draft")
    verb.add_argument("--project", metavar="ID", help="the project that the new draft belongs to")
    verb.add_argument("--tag", help="version tag of the new draft")
    verb.add_argument("--model", help="provider, provider/model-id, or config/ID")
    add_limit_arguments(verb)
    add_common_arguments(verb)
    verb.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Standard output has the result alone. Status 1 if the task fails, or the blueprint has errors."""
    return run_with_client(_parse, args)


class _Progress(LineScreen):
    """On standard error."""

    def show(self, message: Message) -> None:
        if line := event_line(message, self._display):
            print(line, file=sys.stderr, flush=True)


async def _parse(client: Client, args: argparse.Namespace) -> int:
    display = display_for(args, "blueprint")
    body = await _body(client, args)
    if body is None:
        return 1
    submitted = await client.submit_to(SUBMIT, body)
    args.task_id = submitted["task_id"]
    if not await _completes(client, args, display):
        return 1
    task: dict[str, Any] = {**await client.task(args.task_id)}
    made = json.loads(await client.result(args.task_id, "blueprint"))
    shown = {"blueprint_id": task["blueprint_id"], "proposal_id": task["proposal_id"], **made}
    print(as_json(shown) if args.json else printable("\n".join(_lines(task, made))))
    return int(bool(task["error_count"]))


async def _body(client: Client, args: argparse.Namespace) -> dict[str, Any] | None:
    """None for a file that could not be read."""
    given = {
        "blueprint_id": args.update,
        "name": args.name,
        "project_id": args.project,
        "version_tag": args.tag,
        "model": args.model,
        **given_limits(args),
    }
    body = {name: value for name, value in given.items() if value is not None}
    path = Path(args.requirements)
    if args.requirements != "-" and not _is_file(path):
        return {**body, "text": args.requirements}
    if path.suffix.lower() not in BINARY:
        return {**body, "text": read_text(args.requirements)}
    document = await client.upload(UPLOAD, path.name, _bytes(path))
    args.task_id = document["parse_task_id"]
    is_read = await _completes(client, args, display_for(args, "parse_document"))
    return {**body, "requirement_ids": [document["id"]]} if is_read else None


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise StartError(f"{path} cannot be read: {error.strerror}") from None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a text that is no path
        return False


async def _completes(client: Client, args: argparse.Namespace, display: KindDisplay) -> bool:
    await follow(client, args.task_id, _Progress(display))
    over = await client.task(args.task_id)
    if over["status"] == "failed":
        print(printable(retry_hint(over, display)), file=sys.stderr)
    return bool(over["status"] == "completed")


def _lines(task: dict[str, Any], made: dict[str, Any]) -> list[str]:
    spec = made["spec"]
    lines = [f"{model['name']}: {', '.join(_members(model))}" for model in spec["dataModels"]]
    pages = counted(len(spec["pages"]), "page")
    lines.append(f"{counted(len(spec['dataModels']), 'data model')}, {pages}")
    lines += finding_lines(made["findings"])
    if made["by_rules"]:
        lines.append("made by rules of the offline model, which understand nothing")
    if task["proposal_id"]:
        lines.append(f"proposed for blueprint {task['blueprint_id']}: proposal {task['proposal_id']}")
    else:
        lines.append(f"draft {task['blueprint_id']}")
    return lines


def _members(model: dict[str, Any]) -> list[str]:
    return [field["name"] for field in model["fields"]] + [one["name"] for one in model["relations"]]
