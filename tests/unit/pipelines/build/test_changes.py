"""What a build tells of its differences from an earlier one."""

from __future__ import annotations

from gencode.pipelines.build.artifacts import HoleOutcome
from gencode.pipelines.build.changes import holes_lost
from gencode.pipelines.build.commands.display import DISPLAY


def outcome(name: str, source: str) -> HoleOutcome:
    return HoleOutcome.model_validate({"name": f"flow/{name}", "path": "a.py", "source": source})


def test_holes_are_lost_that_had_a_body_and_have_none() -> None:
    before = [outcome("kept", "model"), outcome("gone", "kept"), outcome("unwritten", "model")]
    before += [outcome("never", "default")]
    after = [outcome("kept", "kept"), outcome("unwritten", "default"), outcome("new", "model")]
    assert holes_lost(before, after) == ["flow/gone", "flow/unwritten"]


def test_the_command_line_shows_the_changes_and_the_update() -> None:
    step = {"text": "orders: drop column note", "destructive": True, "reason": ""}
    migration = {"steps": [step], "step_count": 2, "destructive": True, "has_revision": False}
    changes = {"added": 1, "changed": 2, "removed": 0, "migration": migration, "holes_lost": ["flow/gone"]}
    assert [line.strip() for line in str(DISPLAY.lines["changes"](changes)).splitlines()] == [
        "1 added, 2 changed, 0 removed",
        "database: orders: drop column note (may lose data)",
        "database: 2 steps in all",
        "flow/gone: what a model has written is lost",
    ]
    update = {"outcome": "branch", "branch": "gencode/regenerate-1", "commit": "0" * 40, "reason": "why"}
    shown = str(DISPLAY.lines["update"](update)).strip()
    assert shown == "pushed to a branch of its own: 000000000000 on gencode/regenerate-1: why"
