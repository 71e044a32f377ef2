"""Reads the state of the queue from its tables, for commands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

_STATE = """
SELECT
    (SELECT count(*) FROM procrastinate_workers
     WHERE last_heartbeat > now() - make_interval(secs => %(stale)s)),
    (SELECT count(*) FROM procrastinate_workers
     WHERE last_heartbeat <= now() - make_interval(secs => %(stale)s)),
    (SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo' AND queue_name = 'gencode'),
    (SELECT coalesce(extract(epoch FROM now() - min(at)), 0)::float8 FROM procrastinate_events
     JOIN procrastinate_jobs AS job ON job.id = job_id
     WHERE type = 'deferred' AND status = 'todo' AND queue_name = 'gencode')
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueState:
    """alive, stale   workers with and without a recent heartbeat
    waiting        queued tasks
    longest_wait   age of the oldest of them, in seconds
    """

    alive: int
    stale: int
    waiting: int
    longest_wait: float


async def inspect_queue(connection: psycopg.AsyncConnection[Any], stale: float) -> QueueState:
    """`stale`: see WorkerTimeouts. Raises psycopg.Error."""
    row = await (await connection.execute(_STATE.encode(), {"stale": stale})).fetchone()
    alive, stale_workers, waiting, seconds = row or (0, 0, 0, 0.0)
    return QueueState(alive=alive, stale=stale_workers, waiting=waiting, longest_wait=seconds)
