"""Deliveries of one task's events to many subscribers, for a second of the service's processor time.

The model says DELTAS small pieces of FILES files, so many a second that the service need not hurry. The
processor time is that of the whole task from its approval on (0.2 s without any subscriber). Wall: until
the last stream has ended, over the time that the model takes. Pieces that came together may be one event.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.benchmarks.against.item import Figures, Item, Measure
from tests.benchmarks.against.model import Script, plan_text, scripted
from tests.benchmarks.against.service import Checkout, Service, serving
from tests.benchmarks.against.subscribers import subscribing

SUBSCRIBERS = 500
FILES = 4
DELTAS = 100  # of each file
RATE = 25.0  # a second of each file, all at once


def script() -> Script:
    files = {f"part{n}.txt": [f"word {d}\n" for d in range(DELTAS)] for n in range(FILES)}
    return Script(plan=[plan_text([{"path": path} for path in files])], files=files, rate=RATE)


def measured(service: Service) -> Figures:
    task_id = service.submit(approve_plan=True)
    service.until(task_id, lambda kind, _: kind == "approval")
    with subscribing(service, task_id, SUBSCRIBERS) as child:
        cpu, begin = service.cpu, time.perf_counter()
        service.ask("POST", f"/api/v1/task/{task_id}/approve", {}, code=202)
        heard = child.hear()
        wall, cpu = time.perf_counter() - begin, service.cpu - cpu
    return {
        "deliveries, 1/CPU-s": heard["events"] / cpu,
        "processor time of the task, s": cpu,
        "wall / time of the model": wall / (DELTAS / RATE),
        "events of a subscriber (least)": heard["least"],
    }


@contextmanager
def opened(checkout: Checkout) -> Iterator[Measure]:
    with scripted(script()) as model, serving(checkout, **model) as service:
        service.follow(service.submit())
        yield lambda: measured(service)


ITEM = Item(opened=opened, rounds=5)
