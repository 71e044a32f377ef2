"""Gives the chunks of a base their vectors, batch by batch."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from gencode.retrieval.port import Encoded, Encoder, RetrievalIndex

Encode = Callable[[Sequence[str]], Awaitable[Encoded]]


async def encode_missing(
    index: RetrievalIndex, base: str, encoder: Encoder, encode: Encode | None = None
) -> int:
    """Encode all chunks of a base that have no vector of this encoder; returns the billed tokens.

    encode   encodes one batch, such as with the caller's retries; None: the encoder itself

    Each batch is stored before the next one is requested: after an error, or a crash, another call continues.
    `RetrievalIndex.activate` is the caller's.
    """
    await index.add_encoder(base, encoder.info)
    tokens = 0
    while encoded := await encode_batch(index, base, encoder, encode or encoder.encode):
        tokens += encoded.tokens
    return tokens


async def encode_batch(
    index: RetrievalIndex, base: str, encoder: Encoder, encode: Encode, document: str | None = None
) -> Encoded | None:
    """Encode the next chunks, at most a batch of the encoder, and store their vectors; None: there are none.

    document   only chunks of this one; None: of all

    The encoder must have been added. Of two callers at the same time, both would encode the same chunks.
    """
    chunks = await index.unencoded(base, encoder.info.id, encoder.batch, document)
    if not chunks:
        return None
    encoded = await encode([chunk.text for chunk in chunks])
    pairs = zip(chunks, encoded.vectors, strict=True)
    await index.store_vectors(base, encoder.info.id, {chunk.ref: vector for chunk, vector in pairs})
    return encoded
