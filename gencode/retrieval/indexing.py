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
    while chunks := await index.unencoded(base, encoder.info.id, encoder.batch):
        encoded = await (encode or encoder.encode)([chunk.text for chunk in chunks])
        pairs = zip(chunks, encoded.vectors, strict=True)
        await index.store_vectors(base, encoder.info.id, {chunk.ref: vector for chunk, vector in pairs})
        tokens += encoded.tokens
    return tokens
