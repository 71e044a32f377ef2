"""The API keys of `gencode keys` in a PostgreSQL database, for all processes that use it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

import anyio
import structlog

from gencode.auth.key_store import Change, StoredKey, StoredKeys, key_document
from gencode.domain.errors import StoreError
from gencode.engine.quota_usage import Uses, uses_of
from gencode.storage.postgres.api_keys import KeyDocument, change_keys, keys_if_changed, read_keys
from gencode.storage.postgres.connection import place
from gencode.storage.postgres.statement_runner import StatementRunner, open_statement_runner
from gencode.storage.postgres.store import open_postgres

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.5

T = TypeVar("T")


class DatabaseKeys(StoredKeys):
    """`version` and `read` return what was read last: at first, and every POLL_SECONDS by `watch`. While the
    database is unreachable, the keys stay valid."""

    scope = "this database"

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.place = f"the database {place(dsn)}"
        self._known: KeyDocument = _run(read_keys, dsn)
        self._is_away = False

    def version(self) -> int | None:
        return self._known.version or None

    def _document(self) -> str | None:
        return self._known.text if self._known.version else None

    def _change(self, change: Change) -> None:
        def changed(text: str) -> str:
            keys = self._parsed(text) if text else []
            wanted = change(keys)
            return text if wanted == keys else key_document(wanted)

        self._known = _run(change_keys, self.dsn, changed)

    async def watch(self, look: Callable[[], None]) -> None:
        async with open_statement_runner(self.dsn) as statements:
            while True:
                await anyio.sleep(POLL_SECONDS)
                await self._refresh(statements)
                look()

    async def _refresh(self, statements: StatementRunner) -> None:
        try:
            self._known = await keys_if_changed(statements, self._known)
            self._is_away = False
        except StoreError as error:
            if not self._is_away:
                log.warning("changes of API keys cannot be read now", reason=error.message)
            self._is_away = True


def uses(store: DatabaseKeys, keys: Iterable[StoredKey], at: datetime) -> dict[str, Uses]:
    """The usage by client. Raises StartError."""
    return _run(_uses, store.dsn, [key.client for key in keys], at)


async def _uses(dsn: str, clients: Iterable[str], at: datetime) -> dict[str, Uses]:
    async with open_postgres(dsn, readers=1) as store:
        return await uses_of(store, clients, at)


def _run(function: Callable[..., Coroutine[Any, Any, T]], *args: Any) -> T:
    """Runs a coroutine function in a thread, since the caller's thread may already run an event loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(anyio.run, partial(function, *args)).result()
