"""How `gencode watch` shows the events of the kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gencode.cli.display.kind_display import INDENT, KindDisplay
from gencode.cli.output import counted

Data = Mapping[str, Any]


def _rendered(data: Data) -> str:
    holes = f", {counted(len(data['holes']), 'business flow')}" if data["holes"] else ""
    return f"{INDENT}{counted(data['files'], 'file')}{holes}"


def _hole(data: Data) -> str:
    how = {"model": "written", "kept": "written by an earlier build"}.get(data["source"], "not written")
    return f"{INDENT}{data['name']}: {how}{': ' if data['reason'] else ''}{data['reason']}"


def _step(data: Data) -> str:
    reason = f": {data['reason']}" if data["reason"] else ""
    return f"{INDENT}{data['name']}: {data['status']} in {data['seconds']:.1f} s{reason}"


def _certificate(data: Data) -> str:
    return f"{INDENT}{data['status']}{': ' if data['reason'] else ''}{data['reason']}"


def _changes(data: Data) -> str:
    lines = [f"{data['added']} added, {data['changed']} changed, {data['removed']} removed"]
    for step in (migration := data.get("migration", {})).get("steps", ()):
        lines.append(f"database: {step['text']}{' (may lose data)' if step['destructive'] else ''}")
    if migration and migration["step_count"] > len(migration["steps"]):
        lines.append(f"database: {counted(migration['step_count'], 'step')} in all")
    lines += [f"{name}: what a model has written is lost" for name in data.get("holes_lost", ())]
    return "\n".join(INDENT + line for line in lines)


def _update(data: Data) -> str:
    where = f": {data['commit'][:12]} on {data['branch']}" if "branch" in data else ""
    return f"{INDENT}{_UPDATES[data['outcome']]}{where}{': ' if data['reason'] else ''}{data['reason']}"


_UPDATES = {
    "advanced": "pushed",
    "branch": "pushed to a branch of its own",
    "unchanged": "nothing to push",
    "not_pushed": "not pushed",
}
DISPLAY = KindDisplay(
    lines={
        "rendered": _rendered,
        "hole": _hole,
        "archived": lambda d: f"{INDENT}commit {d['commit'][:12]}, {d['bytes']} bytes",
        "changes": _changes,
        "verification_step": _step,
        "certificate": _certificate,
        "repo": lambda d: f"{INDENT}created {d['repo_url']}",
        "update": _update,
        "pushed": lambda d: f"{INDENT}pushed {d['commit'][:12]} to {d['branch']}",
    },
    stages={
        "rendering": "rendering the templates",
        "approving_migration": "looking for steps that may lose data",
        "writing_holes": "writing business flows",
        "archiving": "making the archive",
        "verifying": "checking the project",
        "creating_repo": "creating the repository",
        "pushing": "pushing",
        "updating_repo": "updating the repository",
    },
    fields=(
        *("blueprint_id", "version_tag", "project_name", "file_count", "qa_status", "qa_reason"),
        *("commit", "checksum", "archive_sha256", "repo_url", "branch", "model"),
    ),
    advice={
        "VERIFICATION_FAILED": "read GET /api/v1/task/ID/qa-report; then build another version, or with "
        "--holes skeleton",
    },
)
