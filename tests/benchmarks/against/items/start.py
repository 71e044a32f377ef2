"""From the command to /readyz in an empty DATA_DIR (s), and idle memory (MB); no key, the offline model."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.benchmarks.against.item import Figures, Item, Measure
from tests.benchmarks.against.service import Checkout, serving

IDLE_SECONDS = 2.0


@contextmanager
def opened(checkout: Checkout) -> Iterator[Measure]:
    def measure() -> Figures:
        with serving(checkout) as service:
            seconds = time.perf_counter() - service.began
            time.sleep(IDLE_SECONDS)
            return {"start to ready, s": seconds, "idle memory, MB": service.rss}

    yield measure


ITEM = Item(opened=opened, rounds=5)
