"""Queues tasks within the transaction that stores them, fairly between principals.

Start-time fair queueing: each job has a start tag, and the lowest tag is served first. A principal's next tag
follows its last one, or the tag in service if that is higher. Five tasks of B that arrive behind sixty of A
are served 3rd, 5th, 7th, 9th and 11th.
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

_ADD_START_TAGS = """
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
"""The last start tag of each principal (column `turn`), after `taken` new ones. Rows are locked in the order
of the principals' names, so that two transactions cannot deadlock.

The tag in service is the highest one of a running job, or else the lowest of a waiting job. Jobs that wait
for redelivery do not count: their tags are old, and a new principal would precede everybody.
"""

_LAST_TAG = 2**31
"""The priority, its negative, is a column of 32 bits. Jobs with higher tags are served in the order of
arrival, until no principal waits and job recovery deletes the tags."""


class JobWriter:
    """Writes one job for each task. The job's lock, the task's id, prevents concurrent runs of the task."""

    def __init__(self, manager: JobManager) -> None:
        self._manager = manager

    async def __call__(
        self, connection: psycopg.AsyncConnection[Any], tasks: Sequence[tuple[str, str]]
    ) -> None:
        """`tasks`: ids and principals, oldest first. Raises psycopg.Error and ConnectorException."""
        tasks = [(task_id, principal.replace("\0", "\ufffd")) for task_id, principal in tasks]
        tags = await _add_start_tags(connection, Counter(principal for _, principal in tasks))
        jobs = []
        for task_id, principal in tasks:
            tags[principal] += 1
            jobs.append(_job(task_id, principal, -min(tags[principal], _LAST_TAG)))
        await self._manager.batch_defer_jobs_async(jobs, connection)


async def _add_start_tags(connection: psycopg.AsyncConnection[Any], wanted: Counter[str]) -> dict[str, int]:
    """The tag before the first one that was added now, by principal."""
    cursor = await connection.execute(_ADD_START_TAGS, (list(wanted), list(wanted.values())))
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
