"""The ports: the index of knowledge bases, and the encoder of texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gencode.retrieval.records import (
    Candidates,
    Chunk,
    ChunkRef,
    DocumentEntry,
    IndexedDocument,
    IndexState,
    SearchRequest,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class EncoderInfo:
    """Names an encoder. Vectors of different `id`s cannot be compared.

    weight   of its ranks beside those of the text search, which have 1: see `fusion`
    """

    name: str
    version: str
    dimensions: int
    weight: float = 0.5

    @property
    def id(self) -> str:
        return f"{self.name}:{self.version}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Encoded:
    """`vectors`: one for each text, of unit length, float16, little-endian. `tokens`: billed; 0: unknown."""

    vectors: Sequence[bytes]
    tokens: int = 0


class Encoder(Protocol):
    """`batch`: the most texts of one call."""

    info: EncoderInfo
    batch: int

    async def encode(self, texts: Sequence[str], *, is_query: bool = False) -> Encoded:
        """The vectors of 1 to `batch` texts, by one request: the caller repeats it after a Transient error.

        is_query   the texts are questions, and not what is to be found
        """


class RetrievalIndex(Protocol):
    """Documents of knowledge bases, with their text index and vectors.

    A base exists from its first change on; one that does not exist is empty. Each write is one transaction:
    a read sees all of it or nothing. Raises StoreError (nothing was stored) and OutcomeUnknown (see
    `engine.ports.store`); all writes may be repeated.
    """

    async def apply(
        self, base: str, *, put: Sequence[IndexedDocument] = (), remove: Sequence[str] = ()
    ) -> int:
        """Remove documents, then add or replace some; returns the base's new position.

        A document that the index has with the same text and chunker stays as it is, and without a change the
        position stays, too.
        """

    async def drop(self, base: str) -> None:
        """Delete a base with all it has."""

    async def state(self, base: str) -> IndexState: ...

    async def documents(self, base: str) -> list[DocumentEntry]:
        """In the order of their ids."""

    async def chunks(self, base: str, document: str, *, first: int = 0, limit: int = 100) -> list[Chunk]:
        """The document's chunks from an ordinal on."""

    async def find(self, base: str, refs: Sequence[ChunkRef]) -> dict[ChunkRef, Chunk]:
        """Those of the chunks that the index has with the same text."""

    async def search(self, request: SearchRequest) -> Candidates:
        """One consistent read. Vectors are searched if the request's encoder is the active one; only
        documents count all of whose chunks have one."""

    async def add_encoder(self, base: str, encoder: EncoderInfo) -> None:
        """Begin to build an encoder's vectors, beside those of the active one. Does nothing if it is known.

        Raises EncoderMismatch if it is known with other dimensions.
        """

    async def unencoded(
        self, base: str, encoder: str, limit: int, document: str | None = None
    ) -> list[Chunk]:
        """Chunks without a vector of this encoder, in the order of document and ordinal.

        document   only chunks of this one; None: of all
        """

    async def store_vectors(self, base: str, encoder: str, vectors: Mapping[ChunkRef, bytes]) -> int:
        """Store vectors of chunks that still have that text; returns the new position.

        Raises EncoderMismatch for an encoder that was not added, and for vectors of other dimensions.
        """

    async def activate(self, base: str, encoder: str) -> None:
        """Switch searches to this encoder, and delete all others with their vectors.

        Raises EncoderIncomplete if a chunk has no vector of it, and EncoderMismatch if it was not added.
        """
