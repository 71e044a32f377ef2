"""Events applied to the view model, and the view model rendered."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import Any

import pytest
from rich.console import Console, Group

from gencode.cli.display.kind_display import KindDisplay, apply_event, event_line
from gencode.cli.display.live_display import LiveScreen, render
from gencode.cli.display.view_model import TaskViewModel
from gencode.client import Kind, Message, ServiceError
from gencode.pipelines.generate.commands.display import DISPLAY


def status(name: str, second: int, id_: int = 1) -> Message:
    data = {"status": name, "message": f"now {name}", "at": f"2026-11-22T10:00:{second:02}.500Z"}
    return Message(id=id_, kind="status", data=data)


def event(kind: str, **data: Any) -> Message:
    return Message(id=0, kind=kind, data=data)


PLAN = event("plan", summary="s", files=[{"path": "a.py"}, {"path": "b.py"}])
FILE = event("file", path="b.py", bytes=1234, done=1, of=2)
USAGE = event("usage", about="x", tokens={}, total={"prompt": 1000, "completion": 500, "cost": "0.25"})
EVENTS = [status("pending", 0), status("generating", 1), PLAN, FILE, USAGE, status("merging_files", 4)]


def view(*messages: Message, display: KindDisplay = DISPLAY) -> TaskViewModel:
    found = TaskViewModel()
    for message in messages:
        found = apply_event(found, message, display)
    return found


def rendered(of: TaskViewModel, interruption: str = "", stages: Mapping[str, str] = DISPLAY.stages) -> str:
    console = Console(file=io.StringIO(), width=80, force_terminal=False)
    console.print(Group(*render(of, stages, interruption)))
    return console.file.getvalue()  # type: ignore[attr-defined]  # a StringIO


def test_events_update_the_view_model() -> None:
    found = view(*EVENTS)
    assert (found.status, found.message) == ("merging_files", "now merging_files")
    assert found.files == {"a.py": None, "b.py": 1234}
    assert (found.whole_files, found.tokens, found.cost) == (1, 1500, "0.25")
    assert (found.seconds("generating"), found.seconds("merging_files")) == (3.0, None)


def test_a_changed_plan_replaces_the_first() -> None:
    found = view(FILE, PLAN, event("plan", summary="s", files=[{"path": "c.py"}, {"path": "b.py"}]))
    assert found.files == {"c.py": None, "b.py": 1234}


def test_a_retried_task_enters_a_stage_again() -> None:
    found = view(*EVENTS, status("failed", 5), status("merging_files", 9), status("pushing", 11))
    assert found.seconds("merging_files") == 2.0
    assert found.status == "pushing"


@pytest.mark.parametrize(
    "message",
    [
        event("status"),
        event("status", status="x", message="y", at="yesterday"),
        event("plan", files=[{}]),
        event("file", path="a", bytes="many"),
        event("usage", total=None),
        event("something_new", a=1),
    ],
)
def test_unknown_events_and_fields_of_a_newer_service_are_skipped(message: Message) -> None:
    before = view(*EVENTS)
    assert apply_event(before, message, DISPLAY) == before
    assert isinstance(event_line(message, DISPLAY), str)


def test_the_display_shows_stages_files_and_cost() -> None:
    text = rendered(view(*EVENTS), interruption="the connection broke")
    for words in (
        "writing files",
        "3.0 s",
        "1 of 2 files",
        "b.py",
        "1,234 bytes",
        "1,500 tokens, 0.25",
        "broke",
    ):
        assert words in text
    assert "%" not in text


def test_a_bar_is_drawn_only_for_a_known_percentage() -> None:
    before = view(*EVENTS)
    unknown = apply_event(before, event("progress", percent=None, seconds_left=None, stalled=True), DISPLAY)
    assert "%" not in rendered(unknown)
    assert "nothing has come for a while" in rendered(unknown)
    known = apply_event(
        before, event("progress", percent=40, seconds_left=12, rate_limited_until="10:05"), DISPLAY
    )
    assert "40 %, about 12 s left" in rendered(known)
    assert "wait until 10:05" in rendered(known)


def test_a_failure_is_shown_last_with_its_code() -> None:
    error = event("error", code="LLM_AUTH", message="the key is refused", stage="generating")
    text = rendered(view(*EVENTS, status("failed", 5), error))
    assert "✗ now failed" in text
    assert "LLM_AUTH: the key is refused" in text


def test_a_failure_whose_status_has_the_same_message_is_shown_once() -> None:
    error = event("error", code="LLM_AUTH", message="now failed", stage="generating")
    text = rendered(view(*EVENTS, status("failed", 5), error))
    assert text.count("now failed") == 1
    assert "✗ LLM_AUTH: now failed" in text


def test_text_of_a_model_cannot_control_the_terminal() -> None:
    evil = [
        event("file", path="\x1b[2Jevil[red].py", bytes=5, done=1, of=1),
        event("progress", rate_limited_until="\x1b[2J"),
        Message(id=1, kind="status", data={**status("pushing", 9).data, "message": "\x1b[2J"}),
        status("\x1b[2Jstage", 10),
    ]
    text = rendered(view(*EVENTS, *evil), "\x1b[2J".replace("\x1b", ""))
    assert "\x1b" not in text
    assert "[red]" in text
    assert "\x1b" not in event_line(event("plan", files=[], summary="\x1b[2J"), DISPLAY)


def test_the_screen_may_be_left_and_entered_again() -> None:
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None)
    screen = LiveScreen(console, DISPLAY, DISPLAY.stages)
    with screen:
        screen.show(EVENTS[0])
    with screen:
        screen.show(EVENTS[1])
        screen.interrupted(ServiceError(503, "SHUTTING_DOWN", "it stops"), 2)
    assert "it stops; going on in 2 s" in console.file.getvalue()  # type: ignore[attr-defined]  # a StringIO


# --- kinds that register nothing --------------------------------------------------------------------

UNKNOWN = KindDisplay()
ASSESSMENT: Kind = {
    "kind": "assess",
    "title": {"en": "Assessment"},
    "stages": [
        {"name": "reading", "title": {"en": "reading the code"}},
        {"name": "scoring", "title": {"en": "scoring it"}},
    ],
}


def rows(text: str) -> list[str]:
    """Mark and title of each stage, without its seconds."""
    return [re.sub(r" +[0-9.]+ s *$", "", line).rstrip() for line in text.splitlines()]


def test_stages_of_an_unknown_kind_come_from_the_service() -> None:
    found = view(status("pending", 0), status("reading", 1), display=UNKNOWN)
    text = rendered(found, stages=UNKNOWN.merged_stages(ASSESSMENT))
    assert [row[2:] for row in rows(text)] == ["in line", "reading the code", "scoring it"]


def test_without_a_description_stages_appear_in_the_order_of_their_events() -> None:
    found = view(
        status("pending", 0),
        status("reading", 1),
        status("scoring", 3),
        status("completed", 4),
        display=UNKNOWN,
    )
    text = rendered(found, stages=UNKNOWN.merged_stages(None))
    assert rows(text) == ["✓ in line", "✓ reading", "✓ scoring", "✓ now completed"]


def test_a_stage_that_the_service_does_not_list_is_shown_after_the_others() -> None:
    found = view(status("reading", 1), status("dreaming", 2), display=UNKNOWN)
    text = rendered(found, stages=UNKNOWN.merged_stages(ASSESSMENT))
    assert [row[2:] for row in rows(text)] == ["in line", "reading the code", "scoring it", "dreaming"]


def test_registered_titles_go_before_those_of_the_service() -> None:
    described: Kind = {
        "kind": "generate",
        "title": {"en": "Generate"},
        "stages": [
            {"name": "generating", "title": {"en": "Generating files"}},
            {"name": "polishing", "title": {"en": "Polishing"}},
        ],
    }
    assert DISPLAY.merged_stages(described) == {"generating": "writing files", "polishing": "Polishing"}


def test_events_of_a_kind_have_lines_only_if_the_kind_registers_them() -> None:
    assert event_line(PLAN, DISPLAY).strip() == "planned 2 files: s"
    assert event_line(PLAN, UNKNOWN) == ""
    assert event_line(event("error", code="C", message="m"), UNKNOWN).strip() == "C: m"
