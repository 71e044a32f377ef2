"""What happened in the database of a cluster, and when: triggers record starts of tasks and checkpoints."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from starlette.types import Receive, Scope, Send

from gencode.embedded.server import address, listen, serve
from tests.campaigns.model import Call, PacedModel
from tests.campaigns.orders import Order
from tests.campaigns.stored import StoredTask, stored_task
from tests.servers.cluster import Cluster, worker_of
from tests.servers.model import Body

_TRIGGERS = """
CREATE SCHEMA audit;
CREATE TABLE audit.starts (task_id text, worker int, at float8);
CREATE TABLE audit.checkpoints (task_id text, name text, at float8);
CREATE FUNCTION audit.started() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO audit.starts VALUES (
        NEW.id, current_setting('gencode_test.worker', true)::int, extract(epoch FROM clock_timestamp())
    );
    RETURN NULL;
END $$;
CREATE FUNCTION audit.stored() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO audit.checkpoints VALUES (NEW.task_id, NEW.name, extract(epoch FROM clock_timestamp()));
    RETURN NULL;
END $$;
CREATE TRIGGER started AFTER UPDATE ON gencode.tasks FOR EACH ROW
    WHEN (OLD.owner IS DISTINCT FROM NEW.owner AND NEW.owner <> '') EXECUTE FUNCTION audit.started();
CREATE TRIGGER stored AFTER INSERT ON gencode.checkpoints FOR EACH ROW EXECUTE FUNCTION audit.stored();
"""
_TASKS = """
SELECT id, state, attempts, sequence, data,
    ARRAY(SELECT name FROM gencode.checkpoints WHERE task_id = tasks.id)
FROM gencode.tasks JOIN gencode.requests ON task_id = id
"""
_EVENTS = "SELECT task_id, id, kind, data FROM gencode.events ORDER BY task_id, id"
_worker: ContextVar[int] = ContextVar("worker")


@dataclass(frozen=True, kw_only=True)
class ReceivedCall:
    """A call at the model. `at`: seconds since the epoch."""

    call: Call
    worker: int
    at: float


class WatchingModel(PacedModel):
    """`received`: the calls with the workers that made them, in the order of arrival."""

    def __init__(self, base_url: str, orders: Sequence[Order]) -> None:
        super().__init__(base_url, orders)
        self.received: list[ReceivedCall] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        _worker.set(worker_of(scope["path"]))
        await super().__call__(scope, receive, send)

    def _record_call(self, body: Body) -> tuple[Call, str, str]:
        call, text, finish = super()._record_call(body)
        self.received.append(ReceivedCall(call=call, worker=_worker.get(), at=time.time()))
        return call, text, finish


@asynccontextmanager
async def watching_model(orders: Sequence[Order]) -> AsyncIterator[WatchingModel]:
    sock = listen()
    model = WatchingModel(address(sock), orders)
    async with serve(model, sock):
        try:
            yield model
        finally:
            model.hang_up()


# --- the database -----------------------------------------------------------------------------------


@dataclass(kw_only=True)
class Audit:
    """By order: the starts, (seconds since the epoch, worker), and when each checkpoint was first stored."""

    starts: Mapping[int, Sequence[tuple[float, int]]] = field(default_factory=dict)
    stored: Mapping[tuple[int, str], float] = field(default_factory=dict)

    def owner(self, order: int, at: float) -> tuple[float, int]:
        """The last start before this moment. Each call comes after a start."""
        starts = self.starts[order]
        return starts[bisect_right(starts, (at, 2**31)) - 1]


async def install(cluster: Cluster) -> None:
    """Before anything is submitted."""
    await cluster.rows(_TRIGGERS)


async def stored_tasks(cluster: Cluster) -> dict[str, StoredTask]:
    """Every task by its id."""
    rows = await cluster.rows(_TASKS)
    return {str(row[0]): stored_task(row[:-1], frozenset(row[-1])) for row in rows}  # type: ignore[call-overload]


async def logs(cluster: Cluster) -> dict[str, list[bytes]]:
    """See tests.campaigns.stored.logs."""
    found: dict[str, list[bytes]] = defaultdict(list)
    for task_id, id_, kind, data in await cluster.rows(_EVENTS):
        retry = "retry: 1000\n" if id_ == 1 else ""
        found[str(task_id)].append(f"event: {kind}\nid: {id_}\ndata: {data}\n{retry}\n".encode())
    return found


async def read(cluster: Cluster, orders: Mapping[str, int]) -> Audit:
    """`orders`: their numbers by task id."""
    starts: dict[int, list[tuple[float, int]]] = defaultdict(list)
    for task_id, worker, at in await cluster.rows("SELECT task_id, worker, at FROM audit.starts ORDER BY at"):
        starts[orders[str(task_id)]].append((float(str(at)), int(str(worker))))
    rows = await cluster.rows("SELECT task_id, name, at FROM audit.checkpoints ORDER BY at DESC")
    stored = {(orders[str(task_id)], str(name)): float(str(at)) for task_id, name, at in rows}
    return Audit(starts=starts, stored=stored)


# --- what must hold for the calls -------------------------------------------------------------------


@dataclass(kw_only=True)
class CallFigures:
    """Model calls of all workers.

    again      answered completely more than once: the first answer was not stored
    displaced  sent by a worker after another one had started the task, and before that one had called the
               model: the reserve was stored before, the request left later
    faults     calls for what was stored already; calls of a displaced worker after its successor's
    """

    made: int = 0
    answered: int = 0
    again: int = 0
    displaced: int = 0
    faults: list[str] = field(default_factory=list)


def inspect_calls(model: WatchingModel, audit: Audit) -> CallFigures:
    figures = CallFigures(made=len(model.received))
    answered: set[tuple[int, str]] = set()
    for place, received in enumerate(model.received):
        call = received.call
        name = f"order {call.order}: {call.part}"
        if audit.stored.get((call.order, call.part), received.at) < received.at:
            figures.faults.append(f"{name} was requested although it was stored")
        since, owner = audit.owner(call.order, received.at)
        if owner != received.worker:
            figures.displaced += 1
            if _has_called(model.received[:place], call.order, owner, since):
                figures.faults.append(
                    f"{name}: worker {received.worker} called after its successor {owner} had"
                )
        if model.answered(call):
            figures.answered += 1
            figures.again += (call.order, call.part) in answered
            answered.add((call.order, call.part))
    return figures


def _has_called(before: Sequence[ReceivedCall], order: int, worker: int, since: float) -> bool:
    return any(one.call.order == order and one.worker == worker and one.at >= since for one in before)
