"""The time that the files of a project take, against the minimum that the model's own speed allows."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

from gencode.observability.logs import configure_logging
from gencode.settings import NamedProvider
from tests.servers.calls import submit
from tests.servers.paced import paced_server
from tests.servers.service import App, running_app, settings
from tests.servers.stream import events

FILES = 30
RATE = 100.0  # tokens a second on each stream
ROUNDS = 3


@dataclass(frozen=True, kw_only=True)
class Project:
    """The model's answers, in tokens; `known`: the tokens of the plan after which a file's entry is
    complete."""

    plan: list[str]
    files: dict[str, list[str]]
    known: dict[str, int]

    @property
    def critical_path(self) -> float:
        return max(self.known[path] + len(said) for path, said in self.files.items()) / RATE

    @property
    def sequential(self) -> float:
        return (len(self.plan) + sum(map(len, self.files.values()))) / RATE

    @property
    def after_the_plan(self) -> float:
        return (len(self.plan) + max(map(len, self.files.values()))) / RATE


def project() -> Project:
    """Files of 80 to 720 tokens, each depending on up to two before it; the same every time."""
    chance = random.Random(4)
    entries: list[dict[str, Any]] = []
    for number in range(FILES):
        needs = chance.sample([entry["path"] for entry in entries], min(len(entries), chance.randrange(3)))
        entries.append({"path": f"m{number}.py", "needs": needs, "lines": chance.randrange(8, 72)})
    files = {e["path"]: [f"x = {n:4}\n" for n in range(e["lines"] * 10)] for e in entries}
    plan, ends = _plan(entries)
    known = {e["path"]: max(ends[path] for path in (e["path"], *e["needs"])) for e in entries}
    return Project(plan=plan, files=files, known=known)


def _plan(entries: list[dict[str, Any]]) -> tuple[list[str], dict[str, int]]:
    """In tokens of six characters; and by path, the number of tokens after which its entry is complete."""
    text, ends = '{"summary": "A shop.", "files": [', {}
    for entry in entries:
        text += json.dumps(entry)
        ends[entry["path"]] = -(-len(text) // 6)
        text += "]}" if entry is entries[-1] else ", "
    return [text[at : at + 6] for at in range(0, len(text), 6)], ends


async def seconds_to_generate(app: App, name: str) -> float:
    task_id = await submit(app.url, name)
    heard = await events(app.url, task_id)
    moments = {e.data["status"]: e.data["at"] for e in heard if e.kind == "status"}
    begin, end = (datetime.fromisoformat(moments[name]) for name in ("generating", "merging_files"))
    return (end - begin).total_seconds()


async def main(rounds: int = ROUNDS) -> None:
    configure_logging("ERROR", "console", tuple)
    sample = project()
    async with paced_server({"": sample.plan, **sample.files}, RATE) as url:
        with tempfile.TemporaryDirectory() as folder:
            model = NamedProvider(base_url=url, model="m")
            configured = settings(
                Path(folder), providers={"paced": model}, files_at_once=FILES, max_model_calls=FILES + 1
            )
            async with running_app(configured) as app:
                walls = [await seconds_to_generate(app, f"shop{n}") for n in range(rounds)]
    path = sample.critical_path
    print(f"{FILES} files, {RATE:g} tokens/s on each stream, critical path {path:.2f} s")
    print(f"one after the other     {sample.sequential / path:6.3f} x  (computed)")
    print(f"at once after the plan  {sample.after_the_plan / path:6.3f} x  (computed)")
    print(f"gencode, median of {rounds}    {median(walls) / path:6.3f} x  best {min(walls) / path:.3f}")


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
