"""The tables of the index with their columns, to copy them from SQLite to PostgreSQL.

The texts and the vectors are copied; the text index is made again, because each database has one of its own.
"""

from __future__ import annotations

from gencode.storage.table_copy import Table

SCHEMA = "gencode_retrieval"
_ACTIVE = {"is_active": "iif(is_active, 'true', 'false')"}
_VECTOR = {"vector": "'\\x' || lower(hex(vector))"}

BASES = Table(schema=SCHEMA, name="bases", columns=("id", "name", "position"), order=("id",))
DOCUMENTS = Table(
    schema=SCHEMA,
    name="documents",
    columns=("id", "base", "name", "sha256", "chunker", "position"),
    order=("id",),
)
CHUNKS = Table(
    schema=SCHEMA,
    name="chunks",
    columns=("id", "base", "document", "ordinal", "start", "page", "page_breaks", "sha256", "text"),
    order=("id",),
)
ENCODERS = Table(
    schema=SCHEMA,
    name="encoders",
    columns=("id", "base", "name", "dimensions", "is_active"),
    order=("id",),
    sources=_ACTIVE,
)
VECTORS = Table(
    schema=SCHEMA,
    name="vectors",
    columns=("chunk", "encoder", "vector"),
    order=("chunk", "encoder"),
    sources=_VECTOR,
)
INDEX_TABLES = (BASES, DOCUMENTS, CHUNKS, ENCODERS, VECTORS)
"""In the order in which they refer to each other."""
