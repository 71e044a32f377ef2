"""The display of events and tasks of `generate` on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from gencode.cli.display.kind_display import INDENT, KindDisplay
from gencode.cli.display.view_model import TaskViewModel
from gencode.cli.output import printable
from gencode.pipelines.generate.commands.estimate_lines import writing_line

Data = Mapping[str, Any]
SHOWN_FINDINGS = 5


def _findings_line(data: Data) -> str:
    findings: Sequence[Data] = data["findings"]
    shown = [f"{found['path']}:{found['line']} ({found['rule']})" for found in findings[:SHOWN_FINDINGS]]
    return f"{INDENT}found: {', '.join(shown)}" + (", ..." if len(findings) > SHOWN_FINDINGS else "")


def _plan_line(data: Data) -> str:
    left_out = ", ".join(str(entry["path"]) for entry in data.get("left_out", ())[:SHOWN_FINDINGS])
    note = f" (not written: {left_out})" if left_out else ""
    return f"{INDENT}planned {len(data['files'])} files: {data['summary']}{note}"


def _approval_line(data: Data) -> str:
    estimate = f"; {writing_line(data['estimate'])}" if data.get("estimate") else ""
    return f"{INDENT}{data['message']}{estimate}"


def _plan_files(view: TaskViewModel, data: Data) -> TaskViewModel:
    """A changed plan may have lost files. Files that are whole may have come before the plan."""
    paths = [printable(str(file["path"])) for file in data["files"]]
    whole = {path: size for path, size in view.files.items() if size is not None}
    return replace(view, files={**dict.fromkeys(paths), **whole})


def _add_file(view: TaskViewModel, data: Data) -> TaskViewModel:
    return replace(view, files={**view.files, printable(str(data["path"])): int(data["bytes"])})


DISPLAY = KindDisplay(
    lines={
        "plan": _plan_line,
        "approval": _approval_line,
        "cached": lambda d: f"{INDENT}plan and files are those of task {d['from_task']}",
        "part": lambda d: f"{INDENT}{d['path']}: part {d['part']} of {d['of']}",
        "file": lambda d: f"{INDENT}{d['path']} ({d['bytes']} bytes, {d['done']} of {d['of'] or '?'})",
        "findings": _findings_line,
        "repair": lambda d: f"{INDENT}{d['path']} written anew",
        "pushed": lambda d: f"{INDENT}pushed commit {d['commit']}",
    },
    updates={"plan": _plan_files, "file": _add_file},
    stages={
        "generating": "writing files",
        "merging_files": "joining and checking",
        "creating_repo": "creating the repository",
        "pushing": "pushing",
    },
    fields=("repo_url", "clone_url", "commit", "model"),
    options={"deliver": "--best-effort", "github_org": "--org"},
    advice={
        "SECRET_FOUND": "ask for placeholders in the prompt and submit it again; --allow-secrets pushes what "
        "only looks like a secret"
    },
)
