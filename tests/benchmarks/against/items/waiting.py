"""Memory (MB) that WAITING tasks of long prompts take while they wait in line; a service for each round."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.benchmarks.against.item import Figures, Item, Measure
from tests.benchmarks.against.load import NUMBER, POST, load
from tests.benchmarks.against.model import SILENT, scripted
from tests.benchmarks.against.service import Checkout, Service, serving

WAITING = 900
CHARACTERS = 99_000
CONNECTIONS = 4
WARM_UP = 20  # tasks of the same size, which wait as well
SETTLE_SECONDS = 1.5
LINE = {"MAX_CONCURRENT_TASKS": "1", "MAX_WAITING_TASKS": "1000"}


def measured(service: Service) -> Figures:
    prompt = NUMBER + "x" * (CHARACTERS - len(NUMBER))
    request = POST("/api/v1/generate", prompt=prompt, repo_name="benchmark")
    load(service, request, connections=CONNECTIONS, count=WARM_UP)
    time.sleep(SETTLE_SECONDS)
    begin = service.rss
    load(service, request, connections=CONNECTIONS, count=WAITING)
    time.sleep(SETTLE_SECONDS)
    return {f"{WAITING} waiting tasks, MB": service.rss - begin}


@contextmanager
def opened(checkout: Checkout) -> Iterator[Measure]:
    with scripted(SILENT) as model:

        def measure() -> Figures:
            with serving(checkout, **model, **LINE) as service:
                return measured(service)

        yield measure


ITEM = Item(opened=opened, rounds=3, goals={f"{WAITING} waiting tasks, MB": "<= 20"})
