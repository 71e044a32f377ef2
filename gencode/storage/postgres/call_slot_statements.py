"""The statements of call slots."""

# ruff: noqa: S608 - only constants are put into the texts

from __future__ import annotations

_IS_AHEAD = "(until > clock_timestamp() AND until < clock_timestamp() + interval '300 s')"
_UNFLUSHED = "set_config('synchronous_commit', 'off', true)"
"""A column that makes a statement's commit wait for no flush: lost leases and pauses would expire anyway."""

ADD = f"""
INSERT INTO gencode.call_slots (name, slot) SELECT %s::text, generate_series(0, %s::int - 1)
ON CONFLICT DO NOTHING RETURNING {_UNFLUSHED}
""".encode()
TAKE = f"""
WITH paused AS (
    SELECT extract(epoch FROM until - clock_timestamp())::float8 AS seconds
    FROM gencode.call_pauses WHERE name = %(name)s::text AND {_IS_AHEAD}
), free AS (
    SELECT slot FROM gencode.call_slots
    WHERE name = %(name)s::text AND slot < %(count)s::bigint AND NOT {_IS_AHEAD}
        AND NOT EXISTS (SELECT FROM paused)
    ORDER BY slot LIMIT 1 FOR UPDATE SKIP LOCKED
), taken AS (
    UPDATE gencode.call_slots
    SET holder = %(holder)s::text, until = clock_timestamp() + make_interval(secs => %(lease)s::float8)
    FROM free WHERE call_slots.name = %(name)s::text AND call_slots.slot = free.slot
    RETURNING call_slots.changes
)
SELECT (SELECT changes FROM taken), coalesce((SELECT seconds FROM paused), 0),
    coalesce((SELECT pauses FROM gencode.call_pauses WHERE name = %(name)s::text), 0), {_UNFLUSHED}
""".encode()
RENEW = f"""
UPDATE gencode.call_slots SET until = clock_timestamp() + make_interval(secs => %s::float8)
FROM unnest(%s::text[], %s::text[]) AS held (name, holder)
WHERE call_slots.name = held.name AND call_slots.holder = held.holder RETURNING {_UNFLUSHED}
""".encode()
RELEASE = f"""
UPDATE gencode.call_slots
SET holder = '', until = clock_timestamp() + make_interval(secs => %s::float8), changes = changes + %s::int
WHERE name = %s::text AND holder = %s::text RETURNING {_UNFLUSHED}
""".encode()
PAUSE = f"""
INSERT INTO gencode.call_pauses AS old (name, until, pauses)
VALUES (%(name)s::text, clock_timestamp() + make_interval(secs => coalesce(
    %(told)s::float8, (%(growing)s::float8[])[1])), 1)
ON CONFLICT (name) DO UPDATE SET
    pauses = CASE WHEN {_IS_AHEAD.replace("until", "old.until")} THEN old.pauses ELSE old.pauses + 1 END,
    until = CASE WHEN {_IS_AHEAD.replace("until", "old.until")}
        THEN greatest(old.until, clock_timestamp() + make_interval(secs => coalesce(%(told)s::float8, 0)))
        ELSE clock_timestamp() + make_interval(secs => coalesce(%(told)s::float8,
            (%(growing)s::float8[])[least(old.pauses + 1, cardinality(%(growing)s::float8[]))])) END
RETURNING extract(epoch FROM until - clock_timestamp())::float8, {_UNFLUSHED}
""".encode()
ANSWERED = f"""
UPDATE gencode.call_pauses SET pauses = 0 WHERE name = %s::text AND pauses > 0 RETURNING {_UNFLUSHED}
""".encode()
