"""`python -m gencode ...` that kills itself (kill -9) at a point named by FAILPOINT=name:n.

    create|commit|note.before|after   the transactions of the store; those that only reserve the cost of a
                                      model call are not counted
    publish.before|after              of the hub
    repo|push.before|after            of the Git host
    row.before|after                  the transactions of the workspace's database
    index|vectors.before|after        the writes of the index of knowledge bases
    findings.before|after             the rows that a code review stores after its result
    answer.after                      a model's answer is complete, and nothing of it is processed yet
    reserve.after                     the cost of a model call is reserved, and nothing of it is sent: here
                                      the process stops itself (SIGSTOP)

n counts from 1, in each process anew. The product has no code for this: its methods are wrapped here.
"""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager
from importlib import import_module
from typing import Any

from gencode.bootstrap.command_registry import main
from gencode.githosts.rest_host import RestGitHost
from gencode.hub.in_process import InProcessHub
from gencode.llm.openai.provider import OpenAICompatibleProvider
from gencode.storage.sqlite.store import SQLiteStore


class Failpoint:
    """Counts the passages of each point, and kills the process at the given one."""

    def __init__(self, failpoint: str) -> None:
        name, _, count = failpoint.partition(":")
        self._target = name, int(count)
        self._passed: Counter[str] = Counter()

    def is_at(self, name: str) -> bool:
        return self._target[0].startswith(f"{name}.")

    def reach(self, point: str, sent: signal.Signals = signal.SIGKILL) -> None:
        self._passed[point] += 1
        if (point, self._passed[point]) == self._target:
            os.kill(os.getpid(), sent)

    def around_await(self, call: Callable[..., Any], name: str) -> Callable[..., Any]:
        async def around(*arguments: Any, **options: Any) -> Any:
            if _only_reserves(*arguments):
                value = await call(*arguments, **options)
                self.reach("reserve.after", signal.SIGSTOP)
                return value
            self.reach(f"{name}.before")
            value = await call(*arguments, **options)
            self.reach(f"{name}.after")
            return value

        return around

    def around_call(self, call: Callable[..., Any], name: str) -> Callable[..., Any]:
        def around(*arguments: Any, **options: Any) -> None:
            self.reach(f"{name}.before")
            call(*arguments, **options)
            self.reach(f"{name}.after")

        return around

    def around_block(self, call: Callable[..., Any], name: str) -> Callable[..., Any]:
        @asynccontextmanager
        async def around(*arguments: Any, **options: Any) -> AsyncIterator[Any]:
            async with call(*arguments, **options) as value:
                yield value
                self.reach(f"{name}.before")
            self.reach(f"{name}.after")

        return around

    def around_stream(self, call: Callable[..., Any], name: str) -> Callable[..., Any]:
        async def around(*arguments: Any, **options: Any) -> AsyncGenerator[Any, None]:
            async with aclosing(call(*arguments, **options)) as items:
                async for item in items:
                    yield item
            self.reach(f"{name}.after")

        return around


def _only_reserves(*arguments: Any) -> bool:
    """Of a commit: store, task, events, checkpoints."""
    if len(arguments) < 4 or arguments[2] or not isinstance(arguments[3], dict) or not arguments[3]:
        return False
    return all(name.startswith("call:") for name in arguments[3])


def _store() -> Any:
    """The class of the store that the settings choose."""
    if "DATABASE_URL" in os.environ:
        return import_module("gencode.storage.postgres.store").PostgresStore
    return SQLiteStore


def install(failpoint: Failpoint) -> None:
    if failpoint.is_at("findings"):
        reviews = import_module("gencode.workspace.reviews.store").ReviewStore
        reviews.record = failpoint.around_await(reviews.record, "findings")
    store = _store()
    for wrap, owner, method, name in (
        (failpoint.around_await, store, "create", "create"),
        (failpoint.around_await, store, "commit", "commit"),
        (failpoint.around_await, store, "save_callback", "note"),
        (failpoint.around_call, InProcessHub, "publish", "publish"),
        (failpoint.around_await, RestGitHost, "create", "repo"),
        (failpoint.around_await, RestGitHost, "push", "push"),
        (failpoint.around_stream, OpenAICompatibleProvider, "stream", "answer"),
        *(_workspace(failpoint) if os.environ.get("WORKSPACE") == "true" else ()),
    ):
        setattr(owner, method, wrap(getattr(owner, method), name))


def _workspace(failpoint: Failpoint) -> Iterator[tuple[Any, Any, str, str]]:
    """Imported only where it is used: the core runs without what the workspace needs."""
    yield failpoint.around_block, import_module("gencode.workspace.database").Database, "transaction", "row"
    index = import_module("gencode.retrieval.sqlite.index").SQLiteIndex
    yield failpoint.around_await, index, "apply", "index"
    yield failpoint.around_await, index, "store_vectors", "vectors"


if __name__ == "__main__":
    install(Failpoint(os.environ["FAILPOINT"]))
    sys.exit(main(sys.argv[1:]))
