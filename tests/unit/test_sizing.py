"""The sizing table of docs/cluster.md is what the program computes from the costs that stand above it."""

from __future__ import annotations

import re

import pytest

from tests.benchmarks.sizing import Costs, Load, needs
from tests.servers.service import ROOT

DOCUMENT = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")
NAMES = {
    "CPU of workers": "workers: CPU",
    "connections": "PostgreSQL: connections (500)",
    "deliveries": "web: CPU for deliveries",
    "live messages of others in each web process": "web: CPU for messages of others",
    "statements that notify": "PostgreSQL: statements that notify",
}
ROW = re.compile(
    r"^\| ([\d,]+)(, no live messages)? \| ([\d,]+) \| (\d+) \| (\d+) \| ([^|]+) \|$", re.MULTILINE
)


def documented_costs() -> Costs:
    event = re.search(r"with its commit / PostgreSQL \| (\d+) us / (\d+) us", DOCUMENT)
    live = re.search(r"or not \| (\d+) us / (\d+) us / (\d+) us", DOCUMENT)
    assert event
    assert live
    return Costs(
        worker_event=float(event[1]),
        database_event=float(event[2]),
        worker_live=float(live[1]),
        database_live=float(live[2]),
        database_live_listener=0,
        web_live=float(live[3]),
    )


@pytest.mark.parametrize("row", ROW.findall(DOCUMENT), ids=lambda row: f"{row[0]}{row[1]} {row[2]}")
def test_the_shares_of_the_table_are_computed(row: tuple[str, ...]) -> None:
    tasks, no_live, subscribers, webs, workers, listed = row
    load = Load(tasks=int(tasks.replace(",", "")), subscribers=int(subscribers.replace(",", "")))
    if no_live:
        load = Load(tasks=load.tasks, subscribers=load.subscribers, live_rate=0)
    found = needs(load, documented_costs(), int(webs), int(workers))
    shares = re.findall(r"([a-zA-Z ]+?) ([\d.]+)(?:, |$)", listed.replace("*", ""))
    assert {NAMES[name.strip()]: float(share) for name, share in shares} == {
        NAMES[name.strip()]: round(found[NAMES[name.strip()]], 2) for name, _ in shares
    }
    ends = [name for name, share in found.items() if share > 1]
    assert {NAMES[name.strip()] for name, _ in shares} >= {*ends}
    assert NAMES[shares[0][0].strip()] == max(found, key=lambda name: found[name])


def test_the_table_reaches_the_largest_size() -> None:
    assert ("10,000", "", "100,000") in {row[:3] for row in ROW.findall(DOCUMENT)}
