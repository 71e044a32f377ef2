"""The columns of a stored chunk, which both databases have, and the chunk of a row."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from gencode.retrieval.records import Chunk

CHUNK_COLUMNS = "documents.name, ordinal, start, text, page, page_breaks"


def chunk_of(row: Sequence[Any]) -> Chunk:
    document, ordinal, start, text, page, page_breaks = row
    return Chunk(
        document=document,
        ordinal=ordinal,
        start=start,
        text=text,
        page=page,
        page_breaks=tuple(json.loads(page_breaks)),
    )
