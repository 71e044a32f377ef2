"""Stores the rows of another database's index, with their ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gencode.retrieval.index_tables import BASES, CHUNKS, DOCUMENTS, ENCODERS, VECTORS
from gencode.retrieval.postgres.schema import prepare, tsvector
from gencode.retrieval.tokens import index_terms
from gencode.storage.postgres.schedulers import prepared_connection
from gencode.storage.postgres.statements import RowsStatement
from gencode.storage.rows import Row
from gencode.storage.table_copy import Table

# ruff: noqa: S608 - only names of tables and columns are put into the texts

TYPES: Mapping[str, str] = {
    **dict.fromkeys(("id", "base", "document", "encoder", "chunk", "position", "ordinal"), "bigint"),
    **dict.fromkeys(("start", "page", "dimensions", "length"), "bigint"),
}
"""Of the parameters; all others are text, and are cast."""
CASTS: Mapping[str, str] = {"is_active": "boolean", "vector": "bytea", "terms": "tsvector"}
_BASE, _TEXT = CHUNKS.columns.index("base"), CHUNKS.columns.index("text")


def _insert(table: Table, *made: str) -> RowsStatement:
    """`made`: columns that the other database does not have."""
    names = (*table.columns, *made)
    types = [TYPES.get(name, "text") for name in names]
    arrays = ", ".join(f"%s::{type_}[]" for type_ in types)
    values = ", ".join(f"{name}::{CASTS[name]}" if name in CASTS else name for name in names)
    sql = (
        f"INSERT INTO {table.place} ({', '.join(names)}) OVERRIDING SYSTEM VALUE"
        f" SELECT {values} FROM unnest({arrays}) AS made ({', '.join(names)})"
    )
    return RowsStatement(sql.encode(), types)


INSERTS: Mapping[str, RowsStatement] = {
    CHUNKS.name: _insert(CHUNKS, "length", "terms"),
    **{table.name: _insert(table) for table in (BASES, DOCUMENTS, ENCODERS, VECTORS)},
}
SET_SEQUENCES = tuple(
    f"SELECT setval(pg_get_serial_sequence('{table.place}', 'id'), max(id)) FROM {table.place}"
    " HAVING max(id) IS NOT NULL".encode()
    for table in (BASES, DOCUMENTS, CHUNKS, ENCODERS)
)
"""New rows follow those that were stored."""


async def prepare_index(dsn: str) -> None:
    """Makes the tables if they are missing. Raises StoreUnusable."""
    connection = await prepared_connection(dsn, prepare)
    await connection.close()


def prepared_rows(table: Table, page: Sequence[Row]) -> Sequence[Row]:
    """The rows for the table's statement of INSERTS."""
    return [_with_terms(row) for row in page] if table == CHUNKS else page


def _with_terms(row: Row) -> Row:
    terms = index_terms(row[_TEXT])
    return (*row, len(terms), tsvector(row[_BASE], terms))
