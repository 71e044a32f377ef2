"""A display of the task on a terminal that is redrawn as events come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from gencode.cli.display.event_printers import interruption_line
from gencode.cli.display.kind_display import KindDisplay, apply_event
from gencode.cli.display.view_model import FINAL, PENDING, TaskViewModel
from gencode.cli.output import printable
from gencode.client import Message, ServiceError

NEWEST = 12
"""Files shown; more would not fit on a terminal of common height."""
_PENDING_TITLE = "in line"


def live_screen(display: KindDisplay, stages: Mapping[str, str]) -> LiveScreen:
    """On standard output. `stages`: as in KindDisplay; empty if they are not known."""
    return LiveScreen(Console(), display, stages)


class LiveScreen:
    """A Screen. Entered again, it draws the same view model further down."""

    def __init__(self, console: Console, display: KindDisplay, stages: Mapping[str, str]) -> None:
        self._console = console
        self._display = display
        self._stages = stages
        self._view = TaskViewModel()
        self._interruption = ""
        self._live = Live(console=console)

    def __enter__(self) -> Self:
        self._live = Live(self._rendered(), console=self._console, refresh_per_second=8)
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.update(self._rendered())
        self._live.stop()

    def show(self, message: Message) -> None:
        self._view, self._interruption = apply_event(self._view, message, self._display), ""
        self._live.update(self._rendered())

    def interrupted(self, error: ServiceError | None, seconds: float) -> None:
        self._interruption = interruption_line(error, seconds)
        self._live.update(self._rendered())

    def _rendered(self) -> RenderableType:
        return Group(*render(self._view, self._stages, self._interruption))


def render(
    view: TaskViewModel, stages: Mapping[str, str], interruption: str = ""
) -> Iterator[RenderableType]:
    """The display from top to bottom. A progress bar is drawn only for a percentage that was measured."""
    yield _stage_table(view, stages)
    yield from _files(view)
    yield from _progress(view)
    if spent := _spent(view):
        yield Text(spent, style="dim")
    if view.note and view.note != view.message:
        yield Text(view.note, style="red" if view.status == "failed" else "dim", overflow="ellipsis")
    if interruption:
        yield Text(interruption, style="yellow")


def _stage_table(view: TaskViewModel, stages: Mapping[str, str]) -> Table:
    table = Table.grid(padding=(0, 1))
    for name, title in _rows(view, stages).items():
        table.add_row(*_stage_row(view, name, title))
    if view.status in FINAL:
        mark, style = ("✓", "green") if view.status == "completed" else ("✗", "red")
        table.add_row(Text(mark, style=style), Text(view.message, style=style), Text())
    return table


def _rows(view: TaskViewModel, stages: Mapping[str, str]) -> Mapping[str, str]:
    """The stages that are known, then others in the order in which events brought them, by their names."""
    others = {name: printable(name) for name in view.began if name not in (PENDING, *stages, *FINAL)}
    return {PENDING: _PENDING_TITLE, **stages, **others}


def _stage_row(view: TaskViewModel, name: str, title: str) -> tuple[RenderableType, Text, Text]:
    seconds = view.seconds(name)
    mark: RenderableType = Text("·", style="dim")
    if name == view.status:
        mark = Spinner("dots")
    elif seconds is not None:
        mark = Text("✓", style="green")
    was_entered = name == view.status or seconds is not None
    took = Text(f"{seconds:.1f} s" if seconds is not None else "", style="dim")
    return mark, Text(title, style="" if was_entered else "dim"), took


def _files(view: TaskViewModel) -> Iterator[RenderableType]:
    if not view.files:
        return
    yield Text(f"{view.whole_files} of {len(view.files)} files", style="bold")
    newest = [(path, size) for path, size in view.files.items() if size is not None][-NEWEST:]
    for path, size in newest:
        yield Text.assemble(("  ✓ ", "green"), path, (f"  {size:,} bytes", "dim"), overflow="ellipsis")


def _progress(view: TaskViewModel) -> Iterator[RenderableType]:
    progress = view.progress
    if view.status in FINAL:
        return
    percent, left = progress.get("percent"), progress.get("seconds_left")
    if isinstance(percent, int):
        row = Table.grid(padding=(0, 1))
        rest = f", about {left} s left" if isinstance(left, int) else ""
        row.add_row(ProgressBar(total=100, completed=percent, width=30), Text(f"{percent} %{rest}"))
        yield row
    if until := progress.get("rate_limited_until"):
        yield Text(f"the other side asks to wait until {printable(str(until))}", style="yellow")
    if progress.get("stalled"):
        yield Text("nothing has come for a while", style="yellow")


def _spent(view: TaskViewModel) -> str:
    if not view.tokens:
        return ""
    return f"{view.tokens:,} tokens" + (f", {view.cost}" if view.cost else "")
