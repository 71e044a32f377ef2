"""The tables, and the numbered migrations that bring an older database up to them.

All tables are in a schema of their own, `gencode`, and every statement names it: the database may hold other
applications' tables, and nothing depends on the search path.

Texts compare byte by byte (COLLATE "C"), as ids must. JSON is text: jsonb changes what it stores, and cannot
hold U+0000 (see `text_escaping`). There are no foreign keys: what refers to a task is written in one
transaction with the task's row, which that transaction has locked.
"""

from __future__ import annotations

from collections.abc import Mapping

from gencode.storage.task_query_sql import HAS_CACHE_KEY, UNFINISHED

# ruff: noqa: S608 - only constants are put into the texts

SCHEMA = "gencode"

INTEGERS: Mapping[str, frozenset[str]] = {
    "tasks": frozenset({"attempts", "sequence", "version"}),
    "events": frozenset({"id"}),
    "callbacks": frozenset({"position", "failures", "due", "ended"}),
    "usage_totals": frozenset({"tasks", "prompt_tokens", "completion_tokens", "cached_tokens"}),
}
"""Columns of type bigint; all others are texts."""

_TEXT = 'text COLLATE "C"'

_VERSION_1 = f"""
CREATE TABLE gencode.tasks (
    id             {_TEXT} PRIMARY KEY,
    kind           {_TEXT} NOT NULL,
    principal      {_TEXT} NOT NULL,
    principal_kind {_TEXT} NOT NULL,
    language       {_TEXT} NOT NULL,
    created_at     {_TEXT} NOT NULL,  -- RFC 3339
    trace          {_TEXT} NOT NULL,
    state          {_TEXT} NOT NULL,
    stage          {_TEXT} NOT NULL,
    message        {_TEXT} NOT NULL,
    attempts       bigint NOT NULL,
    sequence       bigint NOT NULL,
    version        bigint NOT NULL,
    updated_at     {_TEXT} NOT NULL,  -- RFC 3339
    paused_until   {_TEXT},           -- RFC 3339
    failure        {_TEXT},           -- JSON
    result         {_TEXT} NOT NULL,  -- JSON
    parameters     {_TEXT} NOT NULL,  -- JSON
    retries        {_TEXT} NOT NULL,  -- JSON
    cache_key      {_TEXT} NOT NULL,
    owner          {_TEXT} NOT NULL DEFAULT ''
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);  -- a task is updated many times
CREATE INDEX tasks_by_principal ON gencode.tasks (principal, id);
CREATE INDEX tasks_unfinished ON gencode.tasks (id) WHERE {UNFINISHED};
CREATE INDEX tasks_by_cache_key ON gencode.tasks (principal, cache_key, id) WHERE {HAS_CACHE_KEY};

CREATE TABLE gencode.requests (
    task_id {_TEXT} PRIMARY KEY,
    data    {_TEXT} NOT NULL  -- JSON
);

CREATE TABLE gencode.events (
    task_id {_TEXT} NOT NULL,
    id      bigint NOT NULL,
    kind    {_TEXT} NOT NULL,
    data    {_TEXT} NOT NULL,  -- JSON
    PRIMARY KEY (task_id, id)
);

CREATE TABLE gencode.checkpoints (
    task_id  {_TEXT} NOT NULL,
    name     {_TEXT} NOT NULL,
    position bigint NOT NULL GENERATED ALWAYS AS IDENTITY,  -- the order in which they were first stored
    data     {_TEXT} NOT NULL,
    PRIMARY KEY (task_id, name)
);

CREATE TABLE gencode.idempotency_keys (
    principal {_TEXT} NOT NULL,
    value     {_TEXT} NOT NULL,
    digest    {_TEXT} NOT NULL,
    task_id   {_TEXT} NOT NULL,
    PRIMARY KEY (principal, value)
);
CREATE INDEX idempotency_keys_by_task ON gencode.idempotency_keys (task_id);

CREATE TABLE gencode.callbacks (
    task_id  {_TEXT} PRIMARY KEY,
    kind     {_TEXT} NOT NULL,
    url      {_TEXT} NOT NULL,
    host     {_TEXT} NOT NULL,
    position bigint NOT NULL,  -- events up to this id were told
    failures bigint NOT NULL,
    due      bigint,           -- milliseconds since the epoch; NULL: nothing to tell
    ended    bigint NOT NULL,  -- 0 or 1
    reason   {_TEXT} NOT NULL
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX callbacks_due ON gencode.callbacks (due) WHERE due IS NOT NULL;

-- Keys that sign tickets and callbacks, the same in all processes.
CREATE TABLE gencode.signing_keys (
    name text PRIMARY KEY,
    key  bytea NOT NULL
);

-- The API keys that were made at run time: one row.
CREATE TABLE gencode.api_keys (
    id       int PRIMARY KEY CHECK (id = 1),
    version  bigint NOT NULL,
    document text NOT NULL  -- JSON
);

-- Slots of limits that all processes share, such as those of the calls to a model account.
CREATE TABLE gencode.call_slots (
    name    text NOT NULL,
    slot    bigint NOT NULL,
    holder  text NOT NULL DEFAULT '',
    until   timestamptz NOT NULL DEFAULT 'epoch',  -- when it is free, unless its holder renews it
    changes bigint NOT NULL DEFAULT 0,             -- how many holders have changed what the slot stands for
    PRIMARY KEY (name, slot)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

CREATE TABLE gencode.call_pauses (
    name   text PRIMARY KEY,
    until  timestamptz NOT NULL,
    pauses bigint NOT NULL  -- in a row
) WITH (fillfactor = 50);

-- Counted submissions.
CREATE TABLE gencode.rate_hits (
    name   text NOT NULL,
    at     timestamptz NOT NULL,
    number bigint NOT NULL,      -- rises by one from each hit of the name to the next
    ends   timestamptz NOT NULL  -- when it counts no more
);
CREATE INDEX rate_hits_by_name ON gencode.rate_hits (name, at, number);
CREATE INDEX rate_hits_by_end ON gencode.rate_hits (ends);

-- Counts a submission unless `amount` were counted within the last `seconds`. Each statement of the function
-- sees what was committed before it, so all is counted that had the lock earlier. Two rows are read, however
-- many there are. Hits of the future do not count: the clock was set back.
CREATE FUNCTION gencode.spend_rate(
    spent_name text, amount bigint, seconds bigint,
    OUT allowed boolean, OUT used bigint, OUT reset double precision
) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    period CONSTANT interval := make_interval(secs => seconds);
    present timestamptz;
    newest gencode.rate_hits;
    oldest gencode.rate_hits;
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true), set_config('enable_seqscan', 'off', true),
        set_config('enable_bitmapscan', 'off', true);  -- by an index, also before the first ANALYZE
    PERFORM pg_advisory_xact_lock(hashtextextended('gencode rate ' || spent_name, 0));
    present := clock_timestamp();
    DELETE FROM gencode.rate_hits WHERE name = spent_name AND at > present + interval '1 s';
    SELECT * INTO newest FROM gencode.rate_hits WHERE name = spent_name
        ORDER BY at DESC, number DESC LIMIT 1;
    present := greatest(present, newest.at);
    SELECT * INTO oldest FROM gencode.rate_hits WHERE name = spent_name AND at > present - period
        ORDER BY at, number LIMIT 1;
    used := coalesce(newest.number - oldest.number + 1, 0);
    allowed := used < amount;
    IF allowed THEN
        INSERT INTO gencode.rate_hits
            VALUES (spent_name, present, coalesce(newest.number, 0) + 1, present + period);
        used := used + 1;
    END IF;
    reset := extract(epoch FROM coalesce(oldest.at, present) + period - present);
    DELETE FROM gencode.rate_hits WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM gencode.rate_hits WHERE ends <= present ORDER BY ends LIMIT 5
        FOR UPDATE SKIP LOCKED));
END
$$;

-- Of deleted tasks.
CREATE TABLE gencode.usage_totals (
    principal         {_TEXT} NOT NULL,
    kind              {_TEXT} NOT NULL,
    model             {_TEXT} NOT NULL,
    month             {_TEXT} NOT NULL,  -- of the tasks' creation: 2026-11
    tasks             bigint NOT NULL,
    prompt_tokens     bigint NOT NULL,
    completion_tokens bigint NOT NULL,
    cached_tokens     bigint NOT NULL,
    cost              {_TEXT},           -- a decimal number; NULL: none is known
    PRIMARY KEY (principal, kind, model, month)
);
"""

MIGRATIONS = (_VERSION_1,)
"""Step n brings version n to n+1. A step that was released is never changed; append another."""

VERSION = len(MIGRATIONS)

CREATE_SCHEMA = """
CREATE SCHEMA IF NOT EXISTS gencode;
CREATE TABLE gencode.schema_versions (
    version    bigint PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
);
"""


def column_types(table: str, names: tuple[str, ...]) -> list[str]:
    """`text` or `bigint` for each column."""
    integers = INTEGERS.get(table, ())
    return ["bigint" if name in integers else "text" for name in names]
