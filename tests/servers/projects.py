"""A scripted model that writes several projects, each for the tasks whose prompt names it.

projects = Projects({"notes": {"app.py": "x = 1\\n"}}, waits={("notes", "app.py", 1): event})
async with model_server(projects) as model:
    await projects.arrival("notes", "app.py")       # of tasks with the prompt prompt_of("notes")
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping

import anyio

from tests.servers.model import Body, Reply, call_of, plan_and_files

FileCall = tuple[str, str, int]
"""The project, the path ("" for the plan), and the number of the request for it, from 1."""


class Projects:
    """`asked`: the number of requests by project and path; `waits`: answers that wait for their event."""

    def __init__(
        self,
        texts: Mapping[str, Mapping[str, str]],
        waits: Mapping[FileCall, anyio.Event] | None = None,
    ) -> None:
        self._texts = texts
        self._waits = waits or {}
        self._arrivals: defaultdict[FileCall, anyio.Event] = defaultdict(anyio.Event)
        self.asked: Counter[tuple[str, str]] = Counter()

    def __call__(self, body: Body) -> Reply:
        name, (_, path) = project_of(body), call_of(body)
        self.asked[name, path] += 1
        this = name, path, self.asked[name, path]
        self._arrivals[this].set()
        gates = {path: self._waits[this]} if this in self._waits else None
        return plan_and_files(self._texts[name], gates=gates)(body)

    async def arrival(self, name: str, path: str, number: int = 1) -> None:
        """Wait until the file has been requested so often."""
        await self._arrivals[name, path, number].wait()

    def asked_of(self, name: str) -> dict[str, int]:
        """How often each path of a project was requested."""
        return {path: count for (project, path), count in self.asked.items() if project == name}


def prompt_of(name: str) -> str:
    return f"Project {name}. Write what it needs."


def project_of(body: Body) -> str:
    """The project that the prompt of a request names."""
    said = "\n".join(message["content"] for message in body["messages"] if message["role"] == "user")
    found = re.search(r"Project (\w+)\. Write", said)
    assert found, said
    return found[1]
