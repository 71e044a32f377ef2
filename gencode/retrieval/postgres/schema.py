"""The tables of the index, in the schema `gencode_retrieval`.

A tsvector is written as its own literal, not by `to_tsvector`: that would split terms again, by rules of the
server's locale. Each of its words begins with the number of the base, so that a search reads only what its
base has:

    软件工程 in base 12     '12 软件':1 '12 件工':2 '12 工程':3 '12 程':4
"""

from __future__ import annotations

from collections.abc import Sequence

from gencode.domain.errors import StoreUnusable
from gencode.retrieval.tokens import PREFIX, TOKENIZER, index_terms
from gencode.storage.postgres.array_parameters import BigintArray, TextArray
from gencode.storage.postgres.connection import Connection

VERSION = 1
MAX_POSITION = 16_383
"""Of a word in a tsvector."""
PAGE = 500

_LOCK = b"SELECT pg_advisory_xact_lock(hashtextextended('gencode_retrieval schema', 0))"
_EXISTS = b"SELECT to_regclass('gencode_retrieval.versions') IS NOT NULL"
_VERSIONS = b"SELECT schema, tokenizer FROM gencode_retrieval.versions"
_CREATE = (
    "CREATE SCHEMA IF NOT EXISTS gencode_retrieval",
    "CREATE TABLE gencode_retrieval.versions (schema bigint NOT NULL, tokenizer text NOT NULL)",
    """
    CREATE TABLE gencode_retrieval.bases (
        id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        name      text NOT NULL UNIQUE,
        position  bigint NOT NULL
    )
    """,
    """
    CREATE TABLE gencode_retrieval.documents (
        id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        base      bigint NOT NULL REFERENCES gencode_retrieval.bases ON DELETE CASCADE,
        name      text COLLATE "C" NOT NULL,
        sha256    text NOT NULL,
        chunker   text NOT NULL,
        position  bigint NOT NULL,
        UNIQUE (base, name)
    )
    """,
    """
    CREATE TABLE gencode_retrieval.chunks (
        id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        base         bigint NOT NULL,
        document     bigint NOT NULL REFERENCES gencode_retrieval.documents ON DELETE CASCADE,
        ordinal      bigint NOT NULL,
        start        bigint NOT NULL,
        page         bigint,
        page_breaks  text NOT NULL,  -- JSON
        sha256       text NOT NULL,
        text         text NOT NULL,
        length       bigint NOT NULL,  -- in terms
        terms        tsvector NOT NULL,
        UNIQUE (document, ordinal)
    )
    """,
    "CREATE INDEX chunks_of_base ON gencode_retrieval.chunks (base, length)",
    "CREATE INDEX chunks_by_term ON gencode_retrieval.chunks USING gin (terms)",
    """
    CREATE TABLE gencode_retrieval.encoders (
        id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        base        bigint NOT NULL REFERENCES gencode_retrieval.bases ON DELETE CASCADE,
        name        text NOT NULL,
        dimensions  bigint NOT NULL,
        is_active   boolean NOT NULL,
        UNIQUE (base, name)
    )
    """,
    """
    CREATE TABLE gencode_retrieval.vectors (
        chunk    bigint NOT NULL REFERENCES gencode_retrieval.chunks ON DELETE CASCADE,
        encoder  bigint NOT NULL REFERENCES gencode_retrieval.encoders ON DELETE CASCADE,
        vector   bytea NOT NULL,
        PRIMARY KEY (chunk, encoder)
    )
    """,
    "CREATE INDEX vectors_of_encoder ON gencode_retrieval.vectors (encoder)",
)
_INSERT_VERSIONS = b"INSERT INTO gencode_retrieval.versions VALUES (%s::bigint, %s::text)"
_SET_TOKENIZER = b"UPDATE gencode_retrieval.versions SET tokenizer = %s::text"
_PAGE = (
    b"SELECT id, base, text FROM gencode_retrieval.chunks WHERE id > %s::bigint ORDER BY id LIMIT %s::bigint"
)
_UPDATE_TERMS = (
    b"UPDATE gencode_retrieval.chunks SET length = made.length, terms = made.terms::tsvector"
    b" FROM unnest(%s::bigint[], %s::bigint[], %s::text[]) AS made (id, length, terms)"
    b" WHERE chunks.id = made.id"
)


async def prepare(connection: Connection) -> None:
    """Create the tables if there are none; make the terms again if they are of another tokeniser.

    Raises StoreUnusable for tables of a newer version, and psycopg.Error.
    """
    await connection.begin()
    try:
        await connection.fetch(_LOCK)
        if not (await connection.fetch(_EXISTS))[0][0]:
            for statement in _CREATE:
                await connection.run(statement.encode())
            await connection.run(_INSERT_VERSIONS, (VERSION, TOKENIZER))
        version, tokenizer = (await connection.fetch(_VERSIONS))[0]
        if version > VERSION:
            raise StoreUnusable("the index was made by a newer gencode: upgrade this one")
        if tokenizer != TOKENIZER:
            await _make_terms_again(connection)
        await connection.commit()
    except BaseException:
        await connection.roll_back()
        raise


async def _make_terms_again(connection: Connection) -> None:
    last = 0
    while rows := await connection.fetch(_PAGE, (last, PAGE)):
        terms = [index_terms(text) for _, _, text in rows]
        vectors = [tsvector(base, found) for (_, base, _), found in zip(rows, terms, strict=True)]
        columns = (BigintArray(row[0] for row in rows), BigintArray(map(len, terms)), TextArray(vectors))
        await connection.run(_UPDATE_TERMS, columns)
        last = rows[-1][0]
    await connection.run(_SET_TOKENIZER, (TOKENIZER,))


def tsvector(base: int, terms: Sequence[str]) -> str:
    """Terms have neither quotes nor backslashes."""
    return " ".join(f"'{base} {term}':{min(n, MAX_POSITION)}" for n, term in enumerate(terms, 1))


def tsquery(base: int, term: str) -> str:
    """A term of a question, see `tokens.query_terms`."""
    word = f"'{base} {term.removesuffix(PREFIX)}'"
    return f"{word}:*" if term.endswith(PREFIX) else word
