"""Gives all tasks of one client to another, while no process of the service runs."""

from __future__ import annotations

from gencode.domain.principal import Principal
from gencode.storage.ownership_transfer_result import OwnershipTransfer
from gencode.storage.postgres.connection import Connection
from gencode.storage.postgres.maintenance_lock import exclusive_connection, transaction

_COUNT = b"""
SELECT (SELECT count(*) FROM gencode.tasks WHERE principal = %(source)s),
    (SELECT count(*) FROM gencode.idempotency_keys WHERE principal = %(source)s),
    (SELECT count(*) FROM gencode.callbacks
     WHERE task_id IN (SELECT id FROM gencode.tasks WHERE principal = %(source)s))
"""
_ASSIGN_TASKS = (
    b"UPDATE gencode.tasks SET principal = %(target)s, principal_kind = %(kind)s WHERE principal = %(source)s"
)
_DROP_KEYS = b"""
DELETE FROM gencode.idempotency_keys AS own WHERE principal = %(source)s AND EXISTS
    (SELECT FROM gencode.idempotency_keys WHERE principal = %(target)s AND value = own.value)
"""
"""A key that both have used names the task that the other client submitted with it."""
_ASSIGN_KEYS = b"UPDATE gencode.idempotency_keys SET principal = %(target)s WHERE principal = %(source)s"
_OWNERS = (
    b"SELECT principal, count(*) FROM gencode.tasks GROUP BY principal"
    b" ORDER BY count(*) DESC, principal LIMIT 20"
)


async def transfer_tasks(
    dsn: str, source: str, target: Principal, *, dry_run: bool = False
) -> OwnershipTransfer:
    """Like the function of gencode.storage.sqlite.ownership_transfer. `dsn`: without a pooler. Raises
    StoreUnusable."""
    values = {"source": source, "target": target.id, "kind": target.kind.value}
    async with exclusive_connection(dsn) as connection, transaction(connection, is_kept=not dry_run):
        return await _transfer(connection, values)


async def owners(dsn: str) -> dict[str, int]:
    """How many tasks the clients with the most tasks have (at most 20 clients). Raises StoreUnusable."""
    async with exclusive_connection(dsn) as connection:
        return dict(await connection.fetch(_OWNERS))


async def _transfer(connection: Connection, values: dict[str, str]) -> OwnershipTransfer:
    ((tasks, keys, callbacks),) = await connection.fetch(_COUNT, values)
    await connection.run(_ASSIGN_TASKS, values)
    dropped = await connection.run(_DROP_KEYS, values)
    await connection.run(_ASSIGN_KEYS, values)
    return OwnershipTransfer(tasks=tasks, idempotency_keys=keys, callbacks=callbacks, dropped_keys=dropped)
