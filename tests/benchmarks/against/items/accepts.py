"""Durable accepts over HTTP, a second of wall and of the service's processor time; none of the tasks runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.benchmarks.against.item import Figures, Item, Measure
from tests.benchmarks.against.load import POST, load
from tests.benchmarks.against.model import SILENT, scripted
from tests.benchmarks.against.service import Checkout, serving

CONNECTIONS = 64
SECONDS = 2.0
WAITING = {"MAX_CONCURRENT_TASKS": "1", "MAX_WAITING_TASKS": "1000000"}


@contextmanager
def opened(checkout: Checkout) -> Iterator[Measure]:
    request = POST("/api/v1/generate", prompt="x" * 200, repo_name="benchmark")
    with scripted(SILENT) as model, serving(checkout, **model, **WAITING) as service:

        def measure() -> Figures:
            begin = service.cpu
            report = load(service, request, connections=CONNECTIONS, seconds=SECONDS)
            return {
                "accepts, 1/s": report.done / report.seconds,
                "accepts, 1/CPU-s": report.done / (service.cpu - begin),
            }

        measure()  # what is loaded and warmed up by the first ones
        yield measure


ITEM = Item(opened=opened, rounds=7)
