"""gencode show ID

A kind's extension may add options that set `args.view`: what is shown in place of the task.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any

from gencode.cli.client_options import add_service_arguments, run_with_client
from gencode.cli.display.kind_display import KindDisplay, display_for
from gencode.cli.output import write
from gencode.cli.task_hints import is_paused, retry_hint
from gencode.client import Client, Task
from gencode.domain.errors import StartError

View = Callable[[Client, str], Awaitable[tuple[Any, Iterable[str]]]]
"""What an option shows of a task (by its id): the document for --json, and text lines."""

SHORT = 60
"""Characters of a text that is shown on the line of its name."""
_FIRST, _LAST = ("status", "message"), ("created_at", "updated_at")
_NOT_LISTED = {*_FIRST, *_LAST, "task_id", "last_event_id", "status_url", "task_url", "approve_by"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("task_id")
    parser.add_argument("--request", action="store_true", help="what was asked for, with the whole prompt")
    parser.set_defaults(view=None)
    add_service_arguments(parser)


def run(args: argparse.Namespace) -> int:
    return run_with_client(_show, args)


async def _show(client: Client, args: argparse.Namespace) -> int:
    if args.request and args.view:
        raise StartError("--request shows nothing else: leave out the other option")
    if args.view or args.request:
        view: View = args.view or _request
        document, lines = await view(client, args.task_id)
        write(args, document, lines)
    else:
        task = await client.task(args.task_id)
        write(args, task, _lines(task, display_for(args, task.get("kind", ""))))
    return 0


async def _request(client: Client, task_id: str) -> tuple[Any, Iterable[str]]:
    request = await client.request(task_id)
    return request, _request_lines(request)


def _request_lines(request: dict[str, Any]) -> Iterator[str]:
    """Short values first, then long texts as they were sent."""
    given = {name: value for name, value in request.items() if value is not None}
    texts = {name: value for name, value in given.items() if _is_long(value)}
    for name, value in given.items():
        if name not in texts:
            yield f"{name:<15} {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
    for name, text in texts.items():
        yield f"{name}:"
        yield text


def _is_long(value: Any) -> bool:
    return isinstance(value, str) and (len(value) > SHORT or "\n" in value)


def _lines(task: Task, display: KindDisplay) -> Iterator[str]:
    values: dict[str, Any] = {**task}
    middle = _scalar_fields(values) if display.fields is None else display.fields
    yield f"{'task':<12}{task['task_id']}"
    error = values.get("error")
    for name in (*_FIRST, *middle, *_LAST):
        is_repeated = error and name == "message"  # the error has it
        if (value := values.get(name)) and not is_repeated:
            yield f"{name:<11} {value}"
    if error:
        stage = f" while {error['stage']}" if error.get("stage") else ""
        yield f"{'error':<12}{error['code']}{stage}: {error['message']}"
        yield f"{'':<12}{retry_hint(task, display)}"
    if is_paused(task):
        yield f"{'':<12}it waits for: gencode approve {task['task_id']}"


def _scalar_fields(values: dict[str, Any]) -> list[str]:
    """For kinds without a display: every text and number that is not shown elsewhere."""
    return [
        name
        for name, value in values.items()
        if name not in _NOT_LISTED and isinstance(value, (str, int, float)) and not isinstance(value, bool)
    ]
