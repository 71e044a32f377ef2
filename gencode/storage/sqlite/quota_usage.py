"""The usage of quotas by clients in the current day and month, read beside a running service."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

import anyio

from gencode.domain.errors import StoreUnusable
from gencode.engine.ports.retention_store import UsageTotal
from gencode.engine.quota import Period
from gencode.engine.quota_usage import QuotaUse, TaskUsage, Uses, uses_of
from gencode.storage.data_dir_lock import DATABASE
from gencode.storage.sqlite import reads
from gencode.storage.sqlite.errors import store_unusable
from gencode.storage.sqlite.schema import APPLICATION_ID, VERSION


def client_uses(data_dir: Path, clients: Iterable[str], at: datetime) -> dict[str, Uses]:
    """The use of the present day and month, by client; `at`: in UTC. Without a database nothing is used.
    Raises StoreUnusable."""
    path, names = data_dir / DATABASE, dict.fromkeys(clients)
    if not path.is_file():
        return {name: dict.fromkeys(Period, QuotaUse()) for name in names}
    try:
        with _opened(path) as connection:
            return anyio.run(uses_of, _Reader(connection), names, at)
    except sqlite3.Error as error:
        raise store_unusable(path, error) from error


class _Reader:
    """A UsageStore of one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def task_usages(self, principal: str, after: str, limit: int) -> list[TaskUsage]:
        return reads.task_usages(self._connection, principal, after, limit)

    async def usage_totals(self, principal: str | None = None) -> list[UsageTotal]:
        return reads.usage_totals(self._connection, principal)


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Read-only, as for a backup: a second connection that writes could damage the file of a running service.
    The lock of the folder is not taken: it could keep a service from starting."""
    uri = f"{path.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, timeout=5, isolation_level=None)) as connection:
        found = connection.execute(
            "SELECT application_id, user_version FROM pragma_application_id, pragma_user_version"
        ).fetchone()
        if found != (APPLICATION_ID, VERSION):
            raise StoreUnusable(f"{path} is of another version: start the service once to migrate it")
        yield connection
