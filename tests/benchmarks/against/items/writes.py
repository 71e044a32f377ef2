"""Bytes written for each event of a task, for a short and a long prompt.

Written: `wchar` of /proc/PID/io, the bytes given to write calls, which are those of SQLite and of the local
forge (sockets do not count). `write_bytes` counts whole pages and leaves out what is written again before it
reaches the disk. Stored: how far the database and its log grow.

"Task" is a whole one of the offline model, from before its submission: the long prompt itself, stored once,
is 3 KB of each event, so that the least ratio is about 1.2. "Files" are the events of the files of a scripted
model, which come one after the other, from the approval of the plan to the last but one, which the model
keeps for itself: SQLite leaves what it can of a row as it is while the row's length does not change, so these
cost less than changes of status. Each round has a service of its own for each kind, and both prompts in turn.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.benchmarks.against.item import Figures, Item, Measure
from tests.benchmarks.against.model import Script, plan_text, scripted
from tests.benchmarks.against.service import Checkout, Service, serving

FILES = 40
HELD = "withheld.txt"
RATE = 100.0  # tokens a second of each file
SHORT, LONG = 100, 99_000  # characters of the prompt
SETTLE_SECONDS = 0.2


def script() -> Script:
    files = {f"part{n}_.txt": ["word word word\n"] * (5 + n * 7 % 12) for n in range(FILES)}
    plan = plan_text([{"path": path} for path in [*files, HELD]])
    return Script(plan=[plan], files={**files, HELD: []}, rate=RATE, silent=[HELD])


def prompt(characters: int) -> str:
    return ("Flask " * characters)[: characters - 1] + "."


def whole_task(service: Service, characters: int) -> Figures:
    written, stored = totals(service)
    task_id = service.submit(prompt=prompt(characters))
    service.follow(task_id)
    end, events = totals(service), events_of(service, task_id)
    return {"task, written": (end[0] - written) / events, "task, stored": (end[1] - stored) / events}


def files_alone(service: Service, characters: int) -> Figures:
    task_id = service.submit(prompt=prompt(characters), approve_plan=True)
    service.until(task_id, lambda kind, _: kind == "approval")
    (written, _), events = totals(service), events_of(service, task_id)
    service.ask("POST", f"/api/v1/task/{task_id}/approve", {}, code=202)
    service.until(task_id, lambda kind, data: kind == "file" and data["done"] == FILES)
    (end, _), events = totals(service), events_of(service, task_id) - events
    service.ask("POST", f"/api/v1/task/{task_id}/cancel", {})
    return {"files, written": (end - written) / events}


def totals(service: Service) -> tuple[int, int]:
    """Bytes written and stored so far."""
    time.sleep(SETTLE_SECONDS)
    return service.written, service.stored


def events_of(service: Service, task_id: str) -> int:
    count: int = service.ask("GET", f"/api/v1/task/{task_id}")["last_event_id"]
    return count


def compared(service: Service, per_event: Callable[[Service, int], Figures]) -> Figures:
    short, long = per_event(service, SHORT), per_event(service, LONG)
    found: Figures = {}
    for name in short:
        found |= {
            f"{name}, {SHORT} characters, B/event": short[name],
            f"{name}, {LONG} characters, B/event": long[name],
            f"{name}, long / short": long[name] / short[name],
        }
    return found


@contextmanager
def opened(checkout: Checkout) -> Iterator[Measure]:
    with scripted(script()) as model:

        def measure() -> Figures:
            with serving(checkout) as service:
                figures = compared(service, whole_task)
            with serving(checkout, **model) as service:
                return figures | compared(service, files_alone)

        yield measure


ITEM = Item(
    opened=opened,
    rounds=3,
    goals={f"{name}, long / short": "~ 1" for name in ("task, written", "task, stored", "files, written")},
)
