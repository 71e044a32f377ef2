"""A plan that waits: shown, changed in the user's editor, approved."""

from __future__ import annotations

import argparse
import json
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from gencode.cli.display.printable import printable
from gencode.cli.service import editor
from gencode.client import Client, Plan, ServiceError
from gencode.domain.errors import StartError


async def approve(client: Client, chosen: argparse.Namespace, task_id: str) -> bool:
    """Ask until there is an answer; whether it was approved."""
    while True:
        plan = await client.plan(task_id)
        for line in plan_lines(plan):
            print(printable(line))
        answer = _ask()
        if answer in ("y", "yes"):
            await client.approve(task_id, revision=plan["revision"])
            return True
        if answer not in ("e", "edit"):
            return False
        await edit(client, task_id, plan)


def _ask() -> str:
    """Nothing else runs meanwhile, and Ctrl-C ends it: the event loop's handler would wait for the answer."""
    with _sigint(signal.default_int_handler):
        try:
            return input("\napprove this plan? [y]es, [e]dit, [N]o: ").strip().lower()
        except EOFError:
            return "no"


@contextmanager
def _sigint(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def plan_lines(plan: Plan) -> Iterator[str]:
    yield f"plan: {plan['summary']}"
    for file in plan["files"]:
        lines = f" (about {file['lines']} lines)" if file.get("lines") else ""
        yield f"  {file['path']}{lines}: {file.get('purpose', '')}"
    if plan["approve_by"]:
        yield f"it waits until {plan['approve_by']}"


async def edit(client: Client, task_id: str, plan: Plan) -> Plan:
    """Hand the plan to the user's editor as JSON, and what is left of it to the service.

    Raises StartError, and ServiceError when the service refuses it; what was written is kept then."""
    text = json.dumps({"summary": plan["summary"], "files": plan["files"]}, ensure_ascii=False, indent=2)
    path = _written(text)
    _opened(path)
    if path.read_text(encoding="utf-8").strip() == text:
        print("nothing changed", file=sys.stderr)
        changed = plan
    else:
        changed = await _sent(client, task_id, plan["revision"], path)
    path.unlink()
    return changed


def _written(text: str) -> Path:
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8", delete=False) as file:
        file.write(text + "\n")
    return Path(file.name)


def _opened(path: Path) -> None:
    try:
        with _sigint(lambda _number, _frame: None):  # Ctrl-C in the editor is the editor's
            done = subprocess.run([*shlex.split(editor()), str(path)], check=False)  # noqa: S603  # the user's own
    except (OSError, ValueError) as error:
        path.unlink()
        raise StartError(f"the editor cannot be run ({error}): set EDITOR to another one") from None
    if done.returncode:
        raise StartError(f"the editor ended with {done.returncode}; what you wrote is kept in {path}")


async def _sent(client: Client, task_id: str, revision: int, path: Path) -> Plan:
    files, summary = _read(path)
    try:
        return await client.change_plan(task_id, files, summary, revision=revision)
    except ServiceError:
        print(f"what you wrote is kept in {path}", file=sys.stderr)
        raise


def _read(path: Path) -> tuple[Any, Any]:
    """Files and summary, as far as they can be told apart; the rest is the service's to refuse."""
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return list(found["files"]), found.get("summary")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StartError(f"what you wrote is no plan ({error}); it is kept in {path}") from None
