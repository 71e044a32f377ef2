"""The statements of the index."""

from __future__ import annotations

from gencode.retrieval.chunk_rows import CHUNK_COLUMNS

_JOINED = "gencode_retrieval.chunks JOIN gencode_retrieval.documents ON documents.id = document"
_FROM_CHUNKS = f"SELECT {CHUNK_COLUMNS} FROM {_JOINED}"  # noqa: S608
_BY_PLACE = "ORDER BY documents.name, ordinal"
_IS_UNENCODED = (
    "NOT EXISTS (SELECT 1 FROM gencode_retrieval.vectors"
    " WHERE vectors.chunk = chunks.id AND encoder = {encoder})"
)


BEGIN_READ = (
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = '30s';"
    " SET LOCAL idle_in_transaction_session_timeout = '10s'; SET LOCAL jit = off;"
    " SET LOCAL enable_seqscan = off"
)
"""All statements of a read see the same state. The planner's estimate for the terms of a new table is far too
high: it would compile the statement, or read all chunks for each term."""

BASE = b"SELECT id, position FROM gencode_retrieval.bases WHERE name = %s::text"
LOCK_BASE = BASE + b" FOR UPDATE"
ADD_BASE = (
    b"INSERT INTO gencode_retrieval.bases (name, position) VALUES (%s::text, 0) ON CONFLICT (name) DO NOTHING"
)
DROP_BASE = b"DELETE FROM gencode_retrieval.bases WHERE name = %s::text"
MOVE = b"UPDATE gencode_retrieval.bases SET position = position + 1 WHERE id = %s::bigint RETURNING position"

DOCUMENT = (
    b"SELECT sha256, chunker FROM gencode_retrieval.documents WHERE base = %s::bigint AND name = %s::text"
)
REMOVE = b"DELETE FROM gencode_retrieval.documents WHERE base = %s::bigint AND name = %s::text"
ADD_DOCUMENT = (
    b"INSERT INTO gencode_retrieval.documents (base, name, sha256, chunker, position)"
    b" VALUES (%s::bigint, %s::text, %s::text, %s::text, %s::bigint) RETURNING id"
)
ADD_CHUNKS = (
    b"INSERT INTO gencode_retrieval.chunks"
    b" (base, document, ordinal, start, page, page_breaks, sha256, text, length, terms)"
    b" SELECT a, b, c, d, e, f, g, h, i, j::tsvector FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[],"
    b" %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::text[])"
    b" AS made (a, b, c, d, e, f, g, h, i, j)"
)
CHUNK_TYPES = (*["bigint"] * 5, *["text"] * 3, "bigint", "text")

COUNTS = (
    b"SELECT (SELECT count(*) FROM gencode_retrieval.documents WHERE base = %(base)s::bigint),"
    b" (SELECT count(*) FROM gencode_retrieval.chunks WHERE base = %(base)s::bigint)"
)
ENCODERS = (
    b"SELECT name, dimensions, (SELECT count(*) FROM gencode_retrieval.vectors WHERE encoder = encoders.id),"
    b" is_active FROM gencode_retrieval.encoders WHERE base = %s::bigint ORDER BY id"
)
DOCUMENTS = (
    b"SELECT name, sha256, chunker,"
    b" (SELECT count(*) FROM gencode_retrieval.chunks WHERE document = documents.id), position"
    b" FROM gencode_retrieval.documents WHERE base = %s::bigint ORDER BY name"
)
CHUNKS = (
    f"{_FROM_CHUNKS} WHERE documents.base = %s::bigint AND name = %s::text AND ordinal >= %s::bigint"
    f" {_BY_PLACE} LIMIT %s::bigint"
).encode()
FIND = (
    f"{_FROM_CHUNKS} JOIN unnest(%s::text[], %s::bigint[], %s::text[]) AS wanted (name, ordinal, sha256)"
    " USING (ordinal) WHERE documents.base = %s::bigint AND documents.name = wanted.name"
    " AND chunks.sha256 = wanted.sha256"
).encode()
BY_ID = f"SELECT chunks.id, {CHUNK_COLUMNS} FROM {_JOINED} WHERE chunks.id = ANY (%s::bigint[])".encode()  # noqa: S608

ENCODER = (
    b"SELECT id, dimensions, is_active FROM gencode_retrieval.encoders"
    b" WHERE base = %s::bigint AND name = %s::text"
)
ADD_ENCODER = (
    b"INSERT INTO gencode_retrieval.encoders (base, name, dimensions, is_active)"
    b" VALUES (%s::bigint, %s::text, %s::bigint, false)"
)
UNENCODED = (
    f"{_FROM_CHUNKS} WHERE chunks.base = %(base)s::bigint AND"
    f" {_IS_UNENCODED.format(encoder='%(encoder)s::bigint')}"
    f" AND (%(document)s::text IS NULL OR documents.name = %(document)s::text)"
    f" {_BY_PLACE} LIMIT %(limit)s::bigint"
).encode()
STORE_VECTORS = (
    b"INSERT INTO gencode_retrieval.vectors (chunk, encoder, vector)"
    b" SELECT chunks.id, %s::bigint, decode(made.vector, 'hex')"
    b" FROM unnest(%s::text[], %s::bigint[], %s::text[], %s::text[]) AS made (name, ordinal, sha256, vector)"
    b" JOIN gencode_retrieval.documents ON documents.base = %s::bigint AND documents.name = made.name"
    b" JOIN gencode_retrieval.chunks ON document = documents.id AND chunks.ordinal = made.ordinal"
    b" AND chunks.sha256 = made.sha256"
    b" ON CONFLICT (chunk, encoder) DO UPDATE SET vector = excluded.vector"
)
DELETE_OTHER_ENCODERS = b"DELETE FROM gencode_retrieval.encoders WHERE base = %s::bigint AND id <> %s::bigint"
ACTIVATE = b"UPDATE gencode_retrieval.encoders SET is_active = true WHERE id = %s::bigint"
VECTORS = (
    "SELECT chunks.id, documents.name, vector FROM gencode_retrieval.vectors"  # noqa: S608
    " JOIN gencode_retrieval.chunks ON chunks.id = chunk"
    " JOIN gencode_retrieval.documents ON documents.id = document WHERE encoder = %(encoder)s::bigint"
    " AND document NOT IN (SELECT document FROM gencode_retrieval.chunks WHERE base = %(base)s::bigint AND"
    f" {_IS_UNENCODED.format(encoder='%(encoder)s::bigint')}) {_BY_PLACE}"
).encode()

BY_TEXT = b"""
    WITH matches AS (
        SELECT number, chunks.id, document, ordinal, length,
            round(1 / (1.644934 - least(ts_rank(chunks.terms, query::tsquery) / 0.0607927, 1.63)) - 0.5)
                AS frequency
        FROM unnest(%(queries)s::text[]) WITH ORDINALITY AS asked (query, number)
        JOIN gencode_retrieval.chunks ON chunks.terms @@ query::tsquery
    ),
    size AS (
        SELECT count(*)::float8 AS chunks, greatest(avg(length), 1)::float8 AS average
        FROM gencode_retrieval.chunks WHERE base = %(base)s::bigint
    ),
    weights AS (
        SELECT number,
            greatest(ln((min(size.chunks) - count(*) + 0.5) / (count(*) + 0.5)), 0.000001) AS weight
        FROM matches CROSS JOIN size GROUP BY number
    ),
    scores AS (
        SELECT matches.id, document, ordinal, round(sum((weight * frequency * 2.2
            / (frequency + 1.2 * (0.25 + 0.75 * length / average)))::numeric), 9)::float8 AS score
        FROM matches JOIN weights USING (number) CROSS JOIN size GROUP BY matches.id, document, ordinal
    )
    SELECT scores.id, score FROM scores JOIN gencode_retrieval.documents ON documents.id = document
    WHERE %(documents)s::text[] IS NULL OR documents.name = ANY (%(documents)s::text[])
    ORDER BY score DESC, documents.name, ordinal LIMIT %(limit)s::bigint
"""
"""BM25 as SQLite's. The frequency n of a term is computed from `ts_rank`, which is 0.0607927 (1 + 1/4 + ...
+ 1/n^2), about 0.0607927 (1.644934 - 1 / (n + 0.5)); 66 is the most. The sum is exact, so that equal texts
have equal scores. The terms name the base."""
