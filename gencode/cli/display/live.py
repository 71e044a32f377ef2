"""A picture of the task that moves, on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from gencode.cli.display.lines import interruption
from gencode.cli.display.printable import printable
from gencode.cli.display.view_model import STAGES, TaskViewModel, after
from gencode.client import Message, ServiceError

NEWEST = 12
"""Files shown; more would scroll away."""
_NAMES = {
    "pending": "in line",
    "generating": "writing files",
    "merging_files": "joining and checking",
    "creating_repo": "creating the repository",
    "pushing": "pushing",
    "completed": "done",
}


def live_screen(console: Console | None = None) -> LiveScreen:
    return LiveScreen(console or Console())


class LiveScreen:
    """Entered again after a pause, it goes on with the same picture."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._picture = TaskViewModel()
        self._lost = ""
        self._live = Live(console=console)

    def __enter__(self) -> Self:
        self._live = Live(self._drawn(), console=self._console, refresh_per_second=8)
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.update(self._drawn())
        self._live.stop()

    def show(self, message: Message) -> None:
        self._picture, self._lost = after(self._picture, message), ""
        self._live.update(self._drawn())

    def lost(self, error: ServiceError | None, seconds: float) -> None:
        self._lost = interruption(error, seconds)
        self._live.update(self._drawn())

    def _drawn(self) -> RenderableType:
        return Group(*drawn(self._picture, self._lost))


def drawn(view: TaskViewModel, lost: str = "") -> Iterator[RenderableType]:
    """Never a bar that nobody measured."""
    yield _stages(view)
    yield from _files(view)
    yield from _progress(view)
    if spent := _spent(view):
        yield Text(spent, style="dim")
    if view.note and view.note != view.message:
        yield Text(view.note, style="red" if view.status == "failed" else "dim", overflow="ellipsis")
    if lost:
        yield Text(lost, style="yellow")


def _stages(view: TaskViewModel) -> Table:
    table = Table.grid(padding=(0, 1))
    over = view.status in ("failed", "cancelled")
    for stage in STAGES[:-1]:
        current = stage == view.status
        seconds = view.seconds(stage)
        mark: RenderableType = Text("✓", style="green") if seconds is not None else Text("·", style="dim")
        if current:
            mark = Spinner("dots")
        took = Text(f"{seconds:.1f} s" if seconds is not None else "", style="dim")
        known = current or seconds is not None
        table.add_row(mark, Text(_NAMES[stage], style="" if known else "dim"), took)
    if over or view.status == "completed":
        style = "red" if over else "green"
        mark = Text("✗" if over else "✓", style=style)
        table.add_row(mark, Text(view.message, style=style), Text())
    return table


def _files(view: TaskViewModel) -> Iterator[RenderableType]:
    if not view.files:
        return
    yield Text(f"{view.whole} of {len(view.files)} files", style="bold")
    shown = [(path, size) for path, size in view.files.items() if size is not None][-NEWEST:]
    for path, size in shown:
        yield Text.assemble(("  ✓ ", "green"), path, (f"  {size:,} bytes", "dim"), overflow="ellipsis")


def _progress(view: TaskViewModel) -> Iterator[RenderableType]:
    known = view.progress
    if view.status in ("completed", "failed", "cancelled"):
        return
    percent, left = known.get("percent"), known.get("seconds_left")
    if isinstance(percent, int):
        row = Table.grid(padding=(0, 1))
        rest = f", about {left} s left" if isinstance(left, int) else ""
        row.add_row(ProgressBar(total=100, completed=percent, width=30), Text(f"{percent} %{rest}"))
        yield row
    if until := known.get("rate_limited_until"):
        yield Text(f"the other side asks to wait until {printable(str(until))}", style="yellow")
    if known.get("stalled"):
        yield Text("nothing has come for a while", style="yellow")


def _spent(view: TaskViewModel) -> str:
    if not view.tokens:
        return ""
    return f"{view.tokens:,} tokens" + (f", {view.cost}" if view.cost else "")
