"""Shows the plan of a task that waits for approval, and lets the user change it in an editor."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gencode.cli.approval import Review, sigint_handler
from gencode.client import Client, Plan, ServiceError
from gencode.domain.errors import StartError
from gencode.pipelines.generate.commands.estimate_lines import writing_line

_REASONS = {
    "binary": "a binary file",
    "workflow": "workflow files are off, see ALLOW_WORKFLOWS",
    "git": "a file that Git itself reads",
    "directory": "a directory",
    "removed": "removed from the plan",
}


def reason_text(reason: str) -> str:
    """The reason why a planned file is not written; an unknown reason of a newer service is returned
    unchanged."""
    return _REASONS.get(reason, reason)


class PlanReviewer:
    """A Reviewer. An approval names the plan's revision."""

    noun = "plan"
    can_edit = True

    async def read(self, client: Client, task_id: str) -> Review:
        return _review(await client.plan(task_id))

    async def edit(self, client: Client, task_id: str, review: Review) -> Review:
        """Open the plan in the user's editor as JSON, and store the result.

        Raises StartError, and ServiceError when the service refuses the plan; the edited file stays then.
        """
        plan: Plan = review.document
        text = json.dumps({"summary": plan["summary"], "files": plan["files"]}, ensure_ascii=False, indent=2)
        path = _write_temporary(text)
        _open_editor(path)
        if path.read_text(encoding="utf-8").strip() == text:
            print("nothing changed", file=sys.stderr)
            changed = plan
        else:
            changed = await _store(client, task_id, plan["revision"], path)
        path.unlink()
        return _review(changed)


REVIEWER = PlanReviewer()


def _review(plan: Plan) -> Review:
    return Review(document=plan, lines=list(_lines(plan)), revision=plan["revision"])


def _lines(plan: Plan) -> Iterator[str]:
    yield f"plan: {plan['summary']}"
    for file in plan["files"]:
        lines = f" (about {file['lines']} lines)" if file.get("lines") else ""
        yield f"  {file['path']}{lines}: {file.get('purpose', '')}"
    for entry in plan.get("left_out", ()):
        users = f"; it was needed by {', '.join(entry['needed_by'])}" if entry["needed_by"] else ""
        yield f"  not written: {entry['path']} ({reason_text(entry['reason'])}){users}"
    if estimate := plan.get("estimate"):
        yield writing_line(estimate)
    if plan["approve_by"]:
        yield f"it waits until {plan['approve_by']}"


def _write_temporary(text: str) -> Path:
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8", delete=False) as file:
        file.write(text + "\n")
    return Path(file.name)


def _open_editor(path: Path) -> None:
    """Run the editor. Ctrl-C does not end this process meanwhile."""
    try:
        with sigint_handler(lambda _number, _frame: None):
            done = subprocess.run([*shlex.split(_editor()), str(path)], check=False)  # noqa: S603  # the user's own
    except (OSError, ValueError) as error:
        path.unlink()
        raise StartError(f"the editor cannot be run ({error}): set EDITOR to another one") from None
    if done.returncode:
        raise StartError(f"the editor ended with {done.returncode}; what you wrote is kept in {path}")


def _editor() -> str:
    return os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"


async def _store(client: Client, task_id: str, revision: int, path: Path) -> Plan:
    files, summary = _parse(path)
    try:
        return await client.change_plan(task_id, files, summary, revision=revision)
    except ServiceError:
        print(f"what you wrote is kept in {path}", file=sys.stderr)
        raise


def _parse(path: Path) -> tuple[Any, Any]:
    """The files and the summary of the edited text; the service validates them."""
    try:
        plan: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return list(plan["files"]), plan.get("summary")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StartError(f"what you wrote is no plan ({error}); it is kept in {path}") from None
