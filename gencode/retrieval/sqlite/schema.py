"""The tables of the index. Each base has a text index of its own, whose ranks do not depend on other bases.

The text index keeps no text: it reads terms from a view, which makes them from the text of the chunks.
"""

from __future__ import annotations

import sqlite3

from gencode.domain.errors import StoreUnusable
from gencode.retrieval.tokens import TOKENIZER, index_terms
from gencode.storage.sqlite.schema import INDEX_APPLICATION_ID

VERSION = 1

_TABLES = (
    """
    CREATE TABLE bases (
        id        INTEGER PRIMARY KEY AUTOINCREMENT,
        name      TEXT NOT NULL UNIQUE,
        position  INTEGER NOT NULL
    )
    """,
    """
    CREATE TABLE documents (
        id        INTEGER PRIMARY KEY AUTOINCREMENT,
        base      INTEGER NOT NULL REFERENCES bases (id) ON DELETE CASCADE,
        name      TEXT NOT NULL,
        sha256    TEXT NOT NULL,
        chunker   TEXT NOT NULL,
        position  INTEGER NOT NULL,
        UNIQUE (base, name)
    )
    """,
    """
    CREATE TABLE chunks (
        id           INTEGER PRIMARY KEY AUTOINCREMENT,
        base         INTEGER NOT NULL,
        document     INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
        ordinal      INTEGER NOT NULL,
        start        INTEGER NOT NULL,
        page         INTEGER,
        page_breaks  TEXT NOT NULL,  -- JSON
        sha256       TEXT NOT NULL,
        text         TEXT NOT NULL,
        UNIQUE (document, ordinal)
    )
    """,
    "CREATE INDEX chunks_of_base ON chunks (base)",
    """
    CREATE TABLE encoders (
        id          INTEGER PRIMARY KEY AUTOINCREMENT,
        base        INTEGER NOT NULL REFERENCES bases (id) ON DELETE CASCADE,
        name        TEXT NOT NULL,
        dimensions  INTEGER NOT NULL,
        is_active   INTEGER NOT NULL,
        UNIQUE (base, name)
    )
    """,
    """
    CREATE TABLE vectors (
        chunk    INTEGER NOT NULL REFERENCES chunks (id) ON DELETE CASCADE,
        encoder  INTEGER NOT NULL REFERENCES encoders (id) ON DELETE CASCADE,
        vector   BLOB NOT NULL,
        PRIMARY KEY (chunk, encoder)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX vectors_of_encoder ON vectors (encoder)",
    "CREATE TABLE tokenizer (version TEXT NOT NULL)",
)


def prepare(connection: sqlite3.Connection) -> None:
    """Create the tables if there are none; build the text indexes again if their terms are of another one.

    Raises StoreUnusable for a file of another application or of a newer version.
    """
    connection.create_function("index_terms", 1, _joined_terms, deterministic=True)
    _check_file(connection)
    connection.execute("BEGIN IMMEDIATE")
    try:
        if not _pragma(connection, "user_version"):
            _create(connection)
        if connection.execute("SELECT version FROM tokenizer").fetchone() != (TOKENIZER,):
            _rebuild(connection)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def create_text_index(connection: sqlite3.Connection, base: int) -> None:
    # ascii: only ASCII characters other than letters and digits separate terms.
    connection.execute(
        f"CREATE VIEW terms_{base:d} AS SELECT id, index_terms(text) AS terms"  # noqa: S608
        f" FROM chunks WHERE base = {base:d}"
    )
    connection.execute(
        f"CREATE VIRTUAL TABLE text_{base:d} USING fts5"
        f" (terms, content='terms_{base:d}', content_rowid='id', tokenize='ascii')"
    )


def drop_text_index(connection: sqlite3.Connection, base: int) -> None:
    connection.execute(f"DROP TABLE text_{base:d}")
    connection.execute(f"DROP VIEW terms_{base:d}")


def _joined_terms(text: str) -> str:
    return " ".join(index_terms(text))


def _check_file(connection: sqlite3.Connection) -> None:
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if tables and _pragma(connection, "application_id") != INDEX_APPLICATION_ID:
        raise StoreUnusable("the file of the index belongs to another application: move it away")
    if _pragma(connection, "user_version") > VERSION:
        raise StoreUnusable("the index was made by a newer gencode: upgrade, or delete it and index again")


def _create(connection: sqlite3.Connection) -> None:
    for statement in _TABLES:
        connection.execute(statement)
    connection.execute("INSERT INTO tokenizer VALUES (?)", (TOKENIZER,))
    connection.execute(f"PRAGMA application_id = {INDEX_APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {VERSION}")


def _rebuild(connection: sqlite3.Connection) -> None:
    for (base,) in connection.execute("SELECT id FROM bases").fetchall():
        connection.execute(f"INSERT INTO text_{base:d} (text_{base:d}) VALUES ('rebuild')")  # noqa: S608
    connection.execute("UPDATE tokenizer SET version = ?", (TOKENIZER,))


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
