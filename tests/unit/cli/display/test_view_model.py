"""Events folded into a picture, and the picture drawn."""

from __future__ import annotations

import io
from functools import reduce
from typing import Any

import pytest
from rich.console import Console, Group

from gencode.cli.display.lines import line
from gencode.cli.display.live import LiveScreen, drawn
from gencode.cli.display.view_model import TaskViewModel, after
from gencode.client import Message, ServiceError


def status(name: str, second: int, id_: int = 1) -> Message:
    data = {"status": name, "message": f"now {name}", "at": f"2026-11-22T10:00:{second:02}.500Z"}
    return Message(id=id_, kind="status", data=data)


def event(kind: str, **data: Any) -> Message:
    return Message(id=0, kind=kind, data=data)


PLAN = event("plan", summary="s", files=[{"path": "a.py"}, {"path": "b.py"}])
FILE = event("file", path="b.py", bytes=1234, done=1, of=2)
USAGE = event("usage", about="x", tokens={}, total={"prompt": 1000, "completion": 500, "cost": "0.25"})
STORY = [status("pending", 0), status("generating", 1), PLAN, FILE, USAGE, status("merging_files", 4)]


def view(*messages: Message) -> TaskViewModel:
    return reduce(after, messages, TaskViewModel())


def shown(of: TaskViewModel, lost: str = "") -> str:
    console = Console(file=io.StringIO(), width=80, force_terminal=False)
    console.print(Group(*drawn(of, lost)))
    return console.file.getvalue()  # type: ignore[attr-defined]  # a StringIO


def test_events_make_a_picture() -> None:
    found = view(*STORY)
    assert (found.status, found.message) == ("merging_files", "now merging_files")
    assert found.files == {"a.py": None, "b.py": 1234}
    assert (found.whole, found.tokens, found.cost) == (1, 1500, "0.25")
    assert (found.seconds("generating"), found.seconds("merging_files")) == (3.0, None)


def test_a_changed_plan_replaces_the_first() -> None:
    found = view(FILE, PLAN, event("plan", summary="s", files=[{"path": "c.py"}, {"path": "b.py"}]))
    assert found.files == {"c.py": None, "b.py": 1234}


def test_a_retried_task_enters_a_stage_again() -> None:
    found = view(*STORY, status("failed", 5), status("merging_files", 9), status("pushing", 11))
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
def test_what_a_newer_service_says_breaks_nothing(message: Message) -> None:
    before = view(*STORY)
    assert after(before, message) == before
    assert isinstance(line(message), str)


def test_the_picture_shows_what_is_known() -> None:
    text = shown(view(*STORY), lost="the connection broke")
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
    before = view(*STORY)
    unknown = after(before, event("progress", percent=None, seconds_left=None, stalled=True))
    assert "%" not in shown(unknown)
    assert "nothing has come for a while" in shown(unknown)
    known = after(before, event("progress", percent=40, seconds_left=12, rate_limited_until="10:05"))
    assert "40 %, about 12 s left" in shown(known)
    assert "wait until 10:05" in shown(known)


def test_a_failure_is_the_last_word() -> None:
    error = event("error", code="LLM_AUTH", message="the key is refused", stage="generating")
    text = shown(view(*STORY, status("failed", 5), error))
    assert "✗ now failed" in text
    assert "LLM_AUTH: the key is refused" in text


def test_what_a_model_wrote_does_not_steer_the_terminal() -> None:
    evil = [
        event("file", path="\x1b[2Jevil[red].py", bytes=5, done=1, of=1),
        event("progress", rate_limited_until="\x1b[2J"),
        Message(id=1, kind="status", data={**status("pushing", 9).data, "message": "\x1b[2J"}),
    ]
    text = shown(view(*STORY, *evil), "\x1b[2J".replace("\x1b", ""))
    assert "\x1b" not in text
    assert "[red]" in text
    assert "\x1b" not in line(event("plan", files=[], summary="\x1b[2J"))


def test_the_screen_may_be_left_and_entered_again() -> None:
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None)
    screen = LiveScreen(console)
    with screen:
        screen.show(STORY[0])
    with screen:
        screen.show(STORY[1])
        screen.lost(ServiceError(503, "SHUTTING_DOWN", "it stops"), 2)
    assert "it stops; going on in 2 s" in console.file.getvalue()  # type: ignore[attr-defined]  # a StringIO
