"""How `gencode watch` shows the events of the kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gencode.cli.display.kind_display import INDENT, KindDisplay

SHOWN = 5


def _targets_line(data: Mapping[str, Any]) -> str:
    names = [f"{group['path']}:{name}" for group in data["groups"] for name in group["functions"]]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{INDENT}to test: {', '.join(names[:SHOWN])}{more}"


def _verified_line(data: Mapping[str, Any]) -> str:
    discarded = len(data["discarded"])
    return f"{INDENT}{data['path']}: {data['kept']} kept ({data['verification']}), {discarded} discarded"


DISPLAY = KindDisplay(
    lines={
        "targets": _targets_line,
        "test_file": lambda d: f"{INDENT}{d['path']} is written",
        "verified": _verified_line,
        "pushed": lambda d: f"{INDENT}pushed to the branch {d['branch']}",
    },
    stages={
        "collecting": "finding functions",
        "writing_tests": "writing tests",
        "verifying_tests": "checking the tests",
        "pushing_branch": "pushing a branch",
    },
    fields=(
        "tests",
        "test_files",
        "discarded_tests",
        "verification",
        "verification_reason",
        "branch",
        "commit",
        "model",
    ),
)
