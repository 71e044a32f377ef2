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


DISPLAY = KindDisplay(
    lines={
        "rendered": _rendered,
        "hole": _hole,
        "archived": lambda d: f"{INDENT}commit {d['commit'][:12]}, {d['bytes']} bytes",
        "changes": lambda d: f"{INDENT}{d['added']} added, {d['changed']} changed, {d['removed']} removed",
        "verification_step": _step,
        "certificate": _certificate,
        "repo": lambda d: f"{INDENT}created {d['repo_url']}",
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
