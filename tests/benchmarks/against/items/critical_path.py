"""One task at the speed of a scripted model, against the time that this speed makes unavoidable.

A file can be begun when its plan entry, and those of all that it needs, have been said: that moment plus its
own time, the longest over all files, is the critical path. The rest of the task (checks, repository, push to
the local forge) is what comes on top, in ms.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from tests.benchmarks.against.item import Figures, Item, Measure
from tests.benchmarks.against.model import Script, cut, plan_text, scripted
from tests.benchmarks.against.service import Checkout, Service, serving

FILES = 20
RATE = 100.0  # tokens a second on each stream
TOKEN = 6  # characters of the plan
AT_ONCE = {"FILES_AT_ONCE": str(FILES), "MAX_MODEL_CALLS": str(FILES + 1)}


def script() -> Script:
    """Files of 50 to 250 tokens, each needing up to two said before it; the same ones every time."""
    chance = random.Random(4)
    entries: list[dict[str, Any]] = []
    for number in range(FILES):
        needs = chance.sample([entry["path"] for entry in entries], min(number, chance.randrange(3)))
        entries.append({"path": f"module{number}_.py", "needs": needs, "lines": chance.randrange(50, 250)})
    files = {entry["path"]: [f"x = {n}\n" for n in range(entry["lines"])] for entry in entries}
    return Script(plan=cut(plan_text(entries), TOKEN), files=files, rate=RATE)


def ideal(plan: str, files: dict[str, Sequence[str]]) -> float:
    """The critical path, in seconds."""
    entries = {entry["path"]: entry for entry in json.loads(plan)["files"]}
    ends = {path: -(-(plan.index("}", plan.index(f'"path": "{path}"')) + 1) // TOKEN) for path in entries}
    known = {path: max(ends[p] for p in (path, *entry["needs"])) for path, entry in entries.items()}
    return max(known[path] + len(said) for path, said in files.items()) / RATE


def measured(service: Service, unavoidable: float) -> Figures:
    begin = time.perf_counter()
    heard = service.follow(service.submit())
    wall = time.perf_counter() - begin
    moments = {data["status"]: datetime.fromisoformat(data["at"]) for kind, data in heard if kind == "status"}
    generating = (moments["merging_files"] - moments["generating"]).total_seconds()
    return {
        "generating / critical path": generating / unavoidable,
        "whole task / critical path": wall / unavoidable,
        "whole task over the path, ms": (wall - unavoidable) * 1000,
    }


@contextmanager
def opened(checkout: Checkout) -> Iterator[Measure]:
    its = script()
    unavoidable = ideal("".join(its.plan), dict(its.files))
    with scripted(its) as model, serving(checkout, **model, **AT_ONCE) as service:
        yield lambda: measured(service, unavoidable)


ITEM = Item(opened=opened, rounds=5, goals={"generating / critical path": "<= 1.02"})
