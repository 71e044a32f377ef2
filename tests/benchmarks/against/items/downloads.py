"""How long GET .../files takes (ms) alone, and while six downloads of a large archive go on in a loop."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

from tests.benchmarks.against.item import Figures, Item, Measure
from tests.benchmarks.against.load import GET, flood, load
from tests.benchmarks.against.model import Script, cut, plan_text, scripted
from tests.benchmarks.against.service import Checkout, Service, serving

FILES = 24
BYTES = 120_000  # of each file
DOWNLOADS = 6
SECONDS = 1.5, 3.0  # alone, during


def script() -> Script:
    chance = random.Random(4)
    texts = {f"part{n}_.txt": "\n".join(chance.randbytes(40).hex() for _ in range(BYTES // 81))
             for n in range(FILES)}  # fmt: skip
    files = {path: cut(text, 4_000) for path, text in texts.items()}
    return Script(plan=[plan_text([{"path": path} for path in files])], files=files)


def measured(service: Service, task: str) -> Figures:
    files = GET(f"{task}/files")
    alone = load(service, files, seconds=SECONDS[0])
    with flood(service, GET(f"{task}/archive.zip"), connections=DOWNLOADS):
        during = load(service, files, seconds=SECONDS[1])
    return {
        "files alone, p50 ms": alone.percentile(50),
        "files alone, p99 ms": alone.percentile(99),
        "during downloads, p50 ms": during.percentile(50),
        "during downloads, p99 ms": during.percentile(99),
    }


@contextmanager
def opened(checkout: Checkout) -> Iterator[Measure]:
    with scripted(script()) as model, serving(checkout, **model) as service:
        task_id = service.submit(allow_secrets=True)
        service.follow(task_id)
        yield lambda: measured(service, f"/api/v1/task/{task_id}")


ITEM = Item(opened=opened, rounds=5)
