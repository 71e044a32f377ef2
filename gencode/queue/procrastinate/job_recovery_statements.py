"""The statements of job recovery. They read the store's table of tasks.

`stale` is in seconds. All times are the database's.
"""

from __future__ import annotations

from typing import LiteralString

# ruff: noqa: S608 - only constants are put into the texts

TRY_LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended('gencode keeper', 0))"
"""The name of the lock must not change: processes of other versions take it, too."""

LIMITS = (
    "SELECT set_config('idle_in_transaction_session_timeout', %(idle)s, true),"
    " set_config('lock_timeout', '5s', true), set_config('statement_timeout', '30s', true)"
)
"""`idle`: milliseconds. A process that is stopped (SIGSTOP) while it has the lock loses its connection, and
so the lock, which would block all others."""

_IS_ALIVE: LiteralString = "last_heartbeat > now() - make_interval(secs => %(stale)s)"

DELIVER_AGAIN = f"""
UPDATE procrastinate_jobs AS job
SET status = 'todo', attempts = attempts + 1, scheduled_at = NULL, abort_requested = false
WHERE status = 'doing' AND queue_name = 'gencode' AND (
    NOT EXISTS (SELECT FROM procrastinate_workers WHERE id = job.worker_id AND {_IS_ALIVE})
    OR (
        NOT EXISTS (SELECT FROM gencode.tasks WHERE id = job.lock AND owner = job.worker_id::text)
        AND NOT EXISTS (
            SELECT FROM procrastinate_events
            WHERE job_id = job.id AND type = 'started' AND at > now() - make_interval(secs => %(stale)s)
        )
    )
)
RETURNING lock, worker_id
"""
"""Jobs of dead workers, and jobs that a worker has had for longer than `stale` without owning their tasks. A
live worker does not run these: the response to its fetch, or its report of their end, was lost. Their lock
would block the task's next job forever."""

PRUNE_WORKERS = f"DELETE FROM procrastinate_workers WHERE NOT {_IS_ALIVE}"

DELIVER_NOW = f"""
UPDATE procrastinate_jobs AS job SET scheduled_at = NULL
WHERE status = 'todo' AND queue_name = 'gencode' AND scheduled_at > now() AND (
    scheduled_at > now() + make_interval(secs => %(stale)s)
    OR NOT EXISTS (
        SELECT FROM gencode.tasks JOIN procrastinate_workers ON procrastinate_workers.id::text = tasks.owner
        WHERE tasks.id = job.lock AND {_IS_ALIVE}
    )
)
RETURNING lock
"""
"""Jobs scheduled for the time when an owner would be dead, whose owner has gone."""

DELETE_JOBS = """
DELETE FROM procrastinate_jobs AS job WHERE status = 'todo' AND queue_name = 'gencode' AND NOT EXISTS (
    SELECT FROM gencode.tasks WHERE id = job.lock AND state NOT IN ('succeeded', 'failed', 'cancelled')
)
"""
"""Deletes jobs of tasks that were cancelled or deleted: they would occupy places in the queue until a worker
is free."""

ORPHANS = """
SELECT id FROM gencode.tasks
WHERE id > %(after)s AND state NOT IN ('succeeded', 'failed', 'cancelled') AND state IN ('queued', 'running')
    AND NOT EXISTS (
        SELECT 1 FROM procrastinate_jobs WHERE lock = tasks.id AND status IN ('todo', 'doing')
    )
ORDER BY id LIMIT %(limit)s
"""
"""The first condition of state is that of the store's index of unfinished tasks."""

DELETE_START_TAGS = """
DELETE FROM gencode.queue_turns WHERE principal IN (
    SELECT principal FROM gencode.queue_turns AS known WHERE NOT EXISTS (
        SELECT FROM procrastinate_jobs
        WHERE status = 'todo' AND queue_name = 'gencode' AND args ->> 'principal' = known.principal
    )
    FOR UPDATE SKIP LOCKED
)
"""
"""Deletes start tags of principals without waiting jobs: their next start tag follows the one in service.
Skips rows that another transaction has locked."""
