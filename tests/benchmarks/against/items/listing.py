"""How long an accept takes (median, ms) alone, and while clients list tasks in a closed loop.

All tasks have prompts of 5,000 characters and wait in line.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.benchmarks.against.item import Figures, Item, Measure
from tests.benchmarks.against.load import GET, POST, flood, load
from tests.benchmarks.against.model import SILENT, scripted
from tests.benchmarks.against.service import Checkout, Service, serving

STORED = 200
CHARACTERS = 5_000
CLIENTS = 4
SECONDS = 1.0, 2.2  # alone, during
LINE = {"MAX_CONCURRENT_TASKS": "1", "MAX_WAITING_TASKS": "1000000"}
ACCEPT = POST("/api/v1/generate", prompt="x" * CHARACTERS, repo_name="benchmark")
LISTS = {"limit=100": GET("/api/v1/tasks?limit=100"), "the default limit": GET("/api/v1/tasks")}


def median_of_an_accept(service: Service, seconds: float) -> float:
    return load(service, ACCEPT, seconds=seconds).percentile(50)


def measured(service: Service) -> Figures:
    alone = median_of_an_accept(service, SECONDS[0])
    figures = {"accept alone, p50 ms": alone}
    for name, request in LISTS.items():
        with flood(service, request, connections=CLIENTS):
            during = median_of_an_accept(service, SECONDS[1])
        figures |= {f"during {name}, p50 ms": during, f"during {name} / alone": during / alone}
    return figures


@contextmanager
def opened(checkout: Checkout) -> Iterator[Measure]:
    with scripted(SILENT) as model, serving(checkout, **model, **LINE) as service:
        load(service, ACCEPT, connections=CLIENTS, count=STORED)
        yield lambda: measured(service)


ITEM = Item(opened=opened, rounds=5, goals={f"during {name} / alone": "<= 2" for name in LISTS})
