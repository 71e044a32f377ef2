"""Queues tasks within the transaction that stores them, in fair turns between principals.

Start-time fair queueing: a principal's next turn follows its last one, or the turn that is served now if that
is later. Five tasks of B that arrive behind sixty of A are served 3rd, 5th, 7th, 9th and 11th.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import psycopg
from procrastinate.jobs import Job
from procrastinate.manager import JobManager

QUEUE = "gencode"
RUN_TASK = "gencode.run_task"

_TAKE_TURNS = """
INSERT INTO gencode.queue_turns AS known (principal, turn, taken)
SELECT principal, served.turn + taken, taken
FROM unnest(%s::text[], %s::bigint[]) AS wanted (principal, taken),
    (SELECT greatest(
        (SELECT -min(priority) FROM procrastinate_jobs WHERE status = 'doing' AND queue_name = 'gencode'),
        coalesce(
            (
                SELECT -max(priority) FROM procrastinate_jobs
                WHERE status = 'todo' AND queue_name = 'gencode' AND attempts = 0
            ),
            (SELECT max(turn) FROM gencode.queue_turns),
            0
        )
    )) AS served (turn)
ORDER BY principal COLLATE "C"
ON CONFLICT (principal) DO UPDATE
SET turn = greatest(known.turn + excluded.taken, excluded.turn), taken = excluded.taken
RETURNING principal, turn
"""
"""The last of the turns that each principal has taken. In the order of their names, so that two transactions
cannot wait for each other.

The turn that is served is the last one that a worker has, or else the next one. Jobs that wait to be
delivered again do not count: their turns were served long ago, and who came new would precede everybody.
"""

_LAST_TURN = 2**31
"""Of a column of 32 bits, as a negative priority. Those beyond it are served in the order of arrival, until
the keeper finds nobody waiting."""


class JobWriter:
    """One job for each task: its lock, the task's id, keeps two workers from running the task at once."""

    def __init__(self, manager: JobManager) -> None:
        self._manager = manager

    async def __call__(
        self, connection: psycopg.AsyncConnection[Any], tasks: Sequence[tuple[str, str]]
    ) -> None:
        """`tasks`: ids and principals, oldest first. Raises psycopg.Error and ConnectorException."""
        tasks = [(task_id, principal.replace("\0", "\ufffd")) for task_id, principal in tasks]
        turns = await _take_turns(connection, Counter(principal for _, principal in tasks))
        jobs = []
        for task_id, principal in tasks:
            turns[principal] += 1
            jobs.append(_job(task_id, principal, -min(turns[principal], _LAST_TURN)))
        await self._manager.batch_defer_jobs_async(jobs, connection)


async def _take_turns(connection: psycopg.AsyncConnection[Any], wanted: Counter[str]) -> dict[str, int]:
    """By principal, the turn before the first one that it has taken now."""
    cursor = await connection.execute(_TAKE_TURNS, (list(wanted), list(wanted.values())))
    return {principal: turn - wanted[principal] for principal, turn in await cursor.fetchall()}


def _job(task_id: str, principal: str, priority: int) -> Job:
    return Job(
        id=None,
        queue=QUEUE,
        task_name=RUN_TASK,
        lock=task_id,
        queueing_lock=None,
        priority=priority,
        task_kwargs={"task_id": task_id, "principal": principal},
    )
