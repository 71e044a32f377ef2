"""The tables, and the numbered migrations that bring an older database up to them."""

from __future__ import annotations

import sqlite3

from gencode.domain.errors import StoreUnusable
from gencode.storage.task_query_sql import HAS_CACHE_KEY, UNFINISHED

APPLICATION_ID = 0x67656E63  # "genc", in the header of the file: see `file` and PRAGMA application_id
INDEX_APPLICATION_ID = 0x67656E69  # "geni": see gencode.retrieval.sqlite

# Ids grow with time, so that inserts only touch the right edge of each index.
_VERSION_1 = (
    """
    CREATE TABLE tasks (
        id         TEXT PRIMARY KEY NOT NULL,
        kind       TEXT NOT NULL,
        client     TEXT NOT NULL,
        language   TEXT NOT NULL,
        status     TEXT NOT NULL,
        message    TEXT NOT NULL,
        attempts   INTEGER NOT NULL,
        sequence   INTEGER NOT NULL,
        created_at TEXT NOT NULL,  -- RFC 3339
        updated_at TEXT NOT NULL,  -- RFC 3339
        failure    TEXT,           -- JSON
        result     TEXT NOT NULL,  -- JSON
        request    TEXT NOT NULL   -- JSON
    )
    """,
    "CREATE INDEX tasks_of_client ON tasks (client, id)",
    "CREATE INDEX tasks_unfinished ON tasks (id) WHERE status NOT IN ('completed', 'failed', 'cancelled')",
    """
    CREATE TABLE events (
        task_id TEXT NOT NULL REFERENCES tasks (id),
        id      INTEGER NOT NULL,
        kind    TEXT NOT NULL,
        data    TEXT NOT NULL,  -- JSON
        PRIMARY KEY (task_id, id)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE parts (
        position INTEGER PRIMARY KEY,  -- grows: the order in which parts were first kept
        task_id  TEXT NOT NULL REFERENCES tasks (id),
        name     TEXT NOT NULL,
        data     TEXT NOT NULL,
        UNIQUE (task_id, name)
    )
    """,
    """
    CREATE TABLE keys (
        client  TEXT NOT NULL,
        value   TEXT NOT NULL,
        digest  TEXT NOT NULL,
        task_id TEXT NOT NULL REFERENCES tasks (id),
        PRIMARY KEY (client, value)
    ) WITHOUT ROWID
    """,
)

# Tasks with a callback are few beside all others, and callbacks that are due fewer still.
_VERSION_2 = (
    """
    CREATE TABLE callbacks (
        task_id  TEXT PRIMARY KEY NOT NULL REFERENCES tasks (id),
        kind     TEXT NOT NULL,
        url      TEXT NOT NULL,
        host     TEXT NOT NULL,
        position INTEGER NOT NULL,  -- events up to this id were told
        failures INTEGER NOT NULL,
        due      INTEGER,           -- milliseconds since the epoch; NULL: nothing to tell
        ended    INTEGER NOT NULL,  -- 0 or 1
        reason   TEXT NOT NULL
    ) WITHOUT ROWID
    """,
    "CREATE INDEX callbacks_due ON callbacks (due, host) WHERE due IS NOT NULL",
)

_VERSION_3 = (
    "ALTER TABLE tasks ADD COLUMN retries TEXT NOT NULL DEFAULT '{}'",  # JSON
    "ALTER TABLE tasks ADD COLUMN digest TEXT NOT NULL DEFAULT ''",
    "CREATE INDEX tasks_by_digest ON tasks (client, digest, id) WHERE digest <> ''",
)

_VERSION_4 = ("ALTER TABLE tasks ADD COLUMN trace TEXT NOT NULL DEFAULT ''",)
_VERSION_5 = ("ALTER TABLE tasks ADD COLUMN held_until TEXT",)  # RFC 3339

# The state of the engine and the stage of the pipeline in place of one status; the immutable request in a
# table of its own. A row whose status no release wrote becomes a queued task in a stage of that name, which
# no pipeline has: it is shown and left alone. What is not JSON is copied as it is.
_VERSION_6 = (
    """
    CREATE TABLE new_tasks (
        id             TEXT PRIMARY KEY NOT NULL,
        kind           TEXT NOT NULL,
        principal      TEXT NOT NULL,
        principal_kind TEXT NOT NULL,
        language       TEXT NOT NULL,
        created_at     TEXT NOT NULL,     -- RFC 3339
        trace          TEXT NOT NULL,
        state          TEXT NOT NULL,
        stage          TEXT NOT NULL,
        message        TEXT NOT NULL,
        attempts       INTEGER NOT NULL,
        sequence       INTEGER NOT NULL,
        version        INTEGER NOT NULL,
        updated_at     TEXT NOT NULL,     -- RFC 3339
        paused_until   TEXT,              -- RFC 3339
        failure        TEXT,              -- JSON
        result         TEXT NOT NULL,     -- JSON
        parameters     TEXT NOT NULL,     -- JSON
        retries        TEXT NOT NULL,     -- JSON
        cache_key      TEXT NOT NULL
    )
    """,
    """
    INSERT INTO new_tasks
    SELECT
        id,
        kind,
        client,
        CASE WHEN client = 'local' THEN 'local'
             WHEN client LIKE 'slack:%' OR client LIKE 'mattermost:%' THEN 'service'
             ELSE 'api_key' END,
        language,
        created_at,
        trace,
        CASE WHEN status = 'completed' THEN 'succeeded'
             WHEN status IN ('failed', 'cancelled') THEN status
             WHEN status NOT IN ('generating', 'merging_files', 'creating_repo', 'pushing') THEN 'queued'
             WHEN held_until IS NULL THEN 'running'
             ELSE 'paused' END,
        CASE WHEN status = 'completed' THEN 'pushing'
             WHEN status IN ('pending', 'cancelled') THEN ''
             WHEN status <> 'failed' THEN status
             WHEN json_valid(failure)
             THEN coalesce(nullif(json_extract(failure, '$.stage'), 'pending'), '')
             ELSE '' END,
        message,
        attempts,
        sequence,
        0,
        updated_at,
        held_until,
        CASE WHEN json_valid(failure) AND json_extract(failure, '$.stage') = 'pending'
             THEN json_set(failure, '$.stage', '')
             ELSE failure END,
        result,
        CASE WHEN kind = 'generate' AND json_valid(request) THEN json_remove(request, '$.prompt')
             ELSE request END,
        retries,
        digest
    FROM tasks ORDER BY id
    """,
    # With a rowid: rows hold whole prompts, and large rows are slower without one (45,000 against 38,000
    # inserts/s at 4 KB).
    """
    CREATE TABLE requests (
        task_id TEXT PRIMARY KEY NOT NULL REFERENCES tasks (id),
        data    TEXT NOT NULL  -- JSON
    )
    """,
    "INSERT INTO requests SELECT id, request FROM tasks ORDER BY id",
    "DROP TABLE tasks",
    "ALTER TABLE new_tasks RENAME TO tasks",
    "CREATE INDEX tasks_by_principal ON tasks (principal, id)",
    f"CREATE INDEX tasks_unfinished ON tasks (id) WHERE {UNFINISHED}",
    f"CREATE INDEX tasks_by_cache_key ON tasks (principal, cache_key, id) WHERE {HAS_CACHE_KEY}",
    "ALTER TABLE parts RENAME TO checkpoints",
    "ALTER TABLE keys RENAME TO idempotency_keys",
    "ALTER TABLE idempotency_keys RENAME COLUMN client TO principal",
    "CREATE INDEX idempotency_keys_by_task ON idempotency_keys (task_id)",
    # Of deleted tasks.
    """
    CREATE TABLE usage_totals (
        principal         TEXT NOT NULL,
        kind              TEXT NOT NULL,
        model             TEXT NOT NULL,
        month             TEXT NOT NULL,     -- of the tasks' creation: 2026-11
        tasks             INTEGER NOT NULL,
        prompt_tokens     INTEGER NOT NULL,
        completion_tokens INTEGER NOT NULL,
        cached_tokens     INTEGER NOT NULL,
        cost              TEXT,              -- a decimal number; NULL: none is known
        PRIMARY KEY (principal, kind, model, month)
    ) WITHOUT ROWID
    """,
)

_VERSION_7 = ("ALTER TABLE tasks ADD COLUMN owner TEXT NOT NULL DEFAULT ''",)

MIGRATIONS = (_VERSION_1, _VERSION_2, _VERSION_3, _VERSION_4, _VERSION_5, _VERSION_6, _VERSION_7)
"""Step n brings version n to n+1. A step that was released is never changed; append another."""

VERSION = len(MIGRATIONS)


WRITE_HEADER = f"PRAGMA application_id = {APPLICATION_ID}"
"""Writes the first page, though it stays as it is."""


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the database to VERSION, or leave it as it was.

    The connection must be in autocommit mode and must not enforce foreign keys: tables are replaced.
    Always takes the write lock, so that a database that cannot be written to is found at the start.
    Raises StoreUnusable for another application's or a newer gencode's database, and sqlite3.Error.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in _missing(connection):
            connection.execute(statement)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _missing(connection: sqlite3.Connection) -> list[str]:
    version = _version(connection)
    if version == VERSION:
        return []
    steps = [statement for step in MIGRATIONS[version:] for statement in step]
    return [*steps, WRITE_HEADER, f"PRAGMA user_version = {VERSION}"]


def _version(connection: sqlite3.Connection) -> int:
    owner, version, tables = connection.execute(
        "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_master)"
        " FROM pragma_application_id, pragma_user_version"
    ).fetchone()
    if (owner, version, tables) == (0, 0, 0):
        return 0
    if owner != APPLICATION_ID:
        raise StoreUnusable("the database belongs to another application: choose another DATA_DIR")
    if version > VERSION:
        raise StoreUnusable(
            f"the database has schema version {version}, this gencode knows {VERSION}: upgrade gencode,"
            " or restore the database of before"
        )
    return int(version)
