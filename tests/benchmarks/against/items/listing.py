"""How long an accept takes (median, ms) alone, and while clients list tasks in a closed loop.

All tasks have prompts of 5,000 characters and wait in line.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from tests.benchmarks.against.item import Figures, Item, Measure
from tests.benchmarks.against.load import GET, POST, flood, load
from tests.benchmarks.against.model import SILENT, scripted
from tests.benchmarks.against.service import Checkout, Service, serving

STORED = 200
CHARACTERS = 5_000
CLIENTS = 4
SECONDS = 0.7, 1.8  # alone, during
LINE = {"MAX_CONCURRENT_TASKS": "1", "MAX_WAITING_TASKS": "1000000"}
ACCEPT = POST("/api/v1/generate", prompt="x" * CHARACTERS, repo_name="benchmark")
LISTS = {"limit=100": GET("/api/v1/tasks?limit=100"), "the default limit": GET("/api/v1/tasks")}


def measured(service: Service) -> Figures:
    """Alone is measured before each of the lists, so that it meets the same disturbances."""
    alone: list[float] = []
    during: dict[str, float] = {}
    for name, request in LISTS.items():
        alone += load(service, ACCEPT, seconds=SECONDS[0]).latencies
        with flood(service, request, connections=CLIENTS):
            during[name] = load(service, ACCEPT, seconds=SECONDS[1]).percentile(50)
    base = median(alone) * 1000
    figures = {"accept alone, p50 ms": base}
    for name, latency in during.items():
        figures |= {f"during {name}, p50 ms": latency, f"during {name} / alone": latency / base}
    return figures


@contextmanager
def opened(checkout: Checkout) -> Iterator[Measure]:
    with scripted(SILENT) as model, serving(checkout, **model, **LINE) as service:
        load(service, ACCEPT, connections=CLIENTS, count=STORED)
        load(service, ACCEPT, count=STORED)  # what the first ones warm up
        yield lambda: measured(service)


ITEM = Item(opened=opened, rounds=5, goals={f"during {name} / alone": "<= 2" for name in LISTS})
