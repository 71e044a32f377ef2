"""A plan that waits: shown, changed in the user's editor, approved."""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from anyio import to_thread

from gencode.client import Client, Plan
from gencode.commands.service import editor
from gencode.errors import StartError
from gencode.screens.printable import printable


async def approve(client: Client, chosen: argparse.Namespace, task_id: str) -> bool:
    """Ask until there is an answer; whether it was approved."""
    while True:
        plan = await client.plan(task_id)
        for line in plan_lines(plan):
            print(printable(line))
        answer = await to_thread.run_sync(_ask)
        if answer in ("y", "yes"):
            await client.approve(task_id, revision=plan["revision"])
            return True
        if answer not in ("e", "edit"):
            return False
        await edit(client, task_id, plan)


def _ask() -> str:
    try:
        return input("\napprove this plan? [y]es, [e]dit, [N]o: ").strip().lower()
    except EOFError:
        return "no"


def plan_lines(plan: Plan) -> Iterator[str]:
    yield f"plan: {plan['summary']}"
    for file in plan["files"]:
        lines = f" (about {file['lines']} lines)" if file.get("lines") else ""
        yield f"  {file['path']}{lines}: {file.get('purpose', '')}"
    if plan["approve_by"]:
        yield f"it waits until {plan['approve_by']}"


async def edit(client: Client, task_id: str, plan: Plan) -> Plan:
    """Hand the plan to the user's editor as JSON, and what is left of it to the service.

    Raises StartError when nothing can be read from the editor's file; it is kept then."""
    text = json.dumps({"summary": plan["summary"], "files": plan["files"]}, ensure_ascii=False, indent=2)
    changed = await to_thread.run_sync(_edited, text)
    if changed is None:
        print("nothing changed", file=sys.stderr)
        return plan
    return await client.change_plan(
        task_id, changed["files"], changed.get("summary"), revision=plan["revision"]
    )


def _edited(text: str) -> dict[str, Any] | None:
    """None if it came back as it was."""
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8", delete=False) as file:
        file.write(text + "\n")
    path = Path(file.name)
    status = subprocess.run([*shlex.split(editor()), str(path)], check=False).returncode  # noqa: S603  # the user's own
    if status:
        path.unlink(missing_ok=True)
        raise StartError(f"the editor ({editor()}) ended with {status}; set EDITOR to another one")
    changed = path.read_text(encoding="utf-8")
    if changed.strip() == text.strip():
        path.unlink()
        return None
    try:
        found: dict[str, Any] = json.loads(changed)
        _ = found["files"]
    except (ValueError, KeyError, TypeError) as error:
        raise StartError(f"what you wrote is no plan ({error}); it is kept in {path}") from None
    path.unlink()
    return found
