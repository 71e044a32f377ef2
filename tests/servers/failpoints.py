"""`python -m gencode serve` that kills itself (kill -9) at a point named by FAILPOINT=name:n.

    create|commit|note.before|after   the store's transactions
    publish.before|after           telling the hub
    repo|push.before|after         the Git host
    answer.after                   a model's whole answer has come, and nobody knows it yet

n counts from 1, in each process anew. The product knows nothing of this: the seams are wrapped here.
"""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

from gencode.bootstrap.command_line import main
from gencode.githosts.rest_host import RestGitHost
from gencode.hub.in_process import InProcessHub
from gencode.llm.openai.provider import OpenAICompatibleProvider
from gencode.storage.sqlite.store import SQLiteStore


class Fate:
    """Counts how often each point is passed, and ends the process at the one that was asked for."""

    def __init__(self, failpoint: str) -> None:
        name, _, count = failpoint.partition(":")
        self._doom = name, int(count)
        self._passed: Counter[str] = Counter()

    def meet(self, point: str) -> None:
        self._passed[point] += 1
        if (point, self._passed[point]) == self._doom:
            os.kill(os.getpid(), signal.SIGKILL)

    def around_await(self, call: Callable[..., Any], name: str) -> Callable[..., Any]:
        async def around(*arguments: Any, **options: Any) -> Any:
            self.meet(f"{name}.before")
            value = await call(*arguments, **options)
            self.meet(f"{name}.after")
            return value

        return around

    def around_call(self, call: Callable[..., Any], name: str) -> Callable[..., Any]:
        def around(*arguments: Any, **options: Any) -> None:
            self.meet(f"{name}.before")
            call(*arguments, **options)
            self.meet(f"{name}.after")

        return around

    def around_stream(self, call: Callable[..., Any], name: str) -> Callable[..., Any]:
        async def around(*arguments: Any, **options: Any) -> AsyncGenerator[Any, None]:
            async with aclosing(call(*arguments, **options)) as items:
                async for item in items:
                    yield item
            self.meet(f"{name}.after")

        return around


def doom(fate: Fate) -> None:
    for wrap, owner, method, name in (
        (fate.around_await, SQLiteStore, "create", "create"),
        (fate.around_await, SQLiteStore, "commit", "commit"),
        (fate.around_await, SQLiteStore, "save_callback", "note"),
        (fate.around_call, InProcessHub, "publish", "publish"),
        (fate.around_await, RestGitHost, "create", "repo"),
        (fate.around_await, RestGitHost, "push", "push"),
        (fate.around_stream, OpenAICompatibleProvider, "stream", "answer"),
    ):
        setattr(owner, method, wrap(getattr(owner, method), name))


if __name__ == "__main__":
    doom(Fate(os.environ["FAILPOINT"]))
    sys.exit(main(["serve"]))
