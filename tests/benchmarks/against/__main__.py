"""Two checkouts of gencode, measured in one interleaved run (before, now, before, now, ...).

    python -m tests.benchmarks.against --before PATH [--now PATH] [--only NAME ...] [--rounds N]

`now` is by default the checkout that this file is in. Only what is public is used: the service as a child
process, HTTP, its data folder, and what the kernel says of the process; gencode is never imported here.
Printed for each figure: the median of each checkout, the ratio of the two, and the least and greatest ratio
of a single round. The same path twice shows nothing but noise.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from tests.benchmarks.against.item import Figures, Item
from tests.benchmarks.against.items import (
    accepts,
    critical_path,
    downloads,
    fanout,
    listing,
    start,
    waiting,
    writes,
)
from tests.benchmarks.against.service import Checkout, serving

ITEMS: Mapping[str, Item] = {
    "start": start.ITEM,
    "accepts": accepts.ITEM,
    "fanout": fanout.ITEM,
    "critical_path": critical_path.ITEM,
    "writes": writes.ITEM,
    "waiting": waiting.ITEM,
    "listing": listing.ITEM,
    "downloads": downloads.ITEM,
}
SECONDS = 52.0
"""Most that the rounds of an item may take, unless their number is asked for."""
LINE = "{:<46} {:>10} {:>10} {:>10}  {:<13} {}"

Pair = tuple[Figures, Figures]
"""One round: before and now."""


def rounds_of(item: Item, checkouts: Sequence[Checkout], asked: int | None) -> list[Pair]:
    found: list[Pair] = []
    with ExitStack() as stack:
        before, now = [stack.enter_context(item.opened(checkout)) for checkout in checkouts]
        begin = time.perf_counter()
        while len(found) < (asked or item.rounds):
            found.append((before(), now()))
            each = (time.perf_counter() - begin) / len(found)
            if not asked and each * (len(found) + 1) > SECONDS:
                break
    return found


def print_figures(item: Item, pairs: Sequence[Pair]) -> None:
    for name in pairs[0][0]:
        before, now = [before[name] for before, _ in pairs], [now[name] for _, now in pairs]
        each = [ratio(n, b) for b, n in zip(before, now, strict=True)]
        values = (shown(median(before)), shown(median(now)), f"{ratio(median(now), median(before)):.3f}")
        print(LINE.format(name, *values, f"{min(each):.2f} - {max(each):.2f}", item.goals.get(name, "")))


def ratio(now: float, before: float) -> float:
    return now / before if before else float("nan")


def shown(value: float) -> str:
    """With four digits that count, or all of a whole number's."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def measure(name: str, checkouts: Sequence[Checkout], asked: int | None) -> bool:
    """Measure and print an item; whether that went well."""
    begin = time.perf_counter()
    try:
        pairs = rounds_of(ITEMS[name], checkouts, asked)
    except (RuntimeError, OSError) as error:
        print(f"\n{name}: failed: {error}", flush=True)
        return False
    print(f"\n{name}: {len(pairs)} rounds in {time.perf_counter() - begin:.0f} s")
    print_figures(ITEMS[name], pairs)
    sys.stdout.flush()
    return True


def main() -> int:
    asked = arguments()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(prefix="against-compiled-") as folder:
        paths = {"before": asked.before, "now": asked.now}
        checkouts = [
            Checkout(name=name, path=path.resolve(), compiled=Path(folder)) for name, path in paths.items()
        ]
        for checkout in checkouts:
            checkout.prove()
            print(f"{checkout.name:<7} {checkout.path}")
            with serving(checkout) as service:
                service.follow(service.submit())  # so that all is compiled
        print(LINE.format("median of the rounds", "before", "now", "now/before", "each round", "goal"))
        went_well = [measure(name, checkouts, asked.rounds) for name in asked.only]
    return 0 if all(went_well) else 1


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.against")
    parser.add_argument("--before", type=Path, required=True, help="a checkout of gencode")
    parser.add_argument("--now", type=Path, default=Path(__file__).parents[3], help="another one; this one")
    parser.add_argument("--only", nargs="+", choices=ITEMS, default=list(ITEMS), help="some of the items")
    parser.add_argument("--rounds", type=int, help="of each item, however long they take")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
