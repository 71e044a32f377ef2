"""What a search finds and a verification says: shown by the API, and kept in checkpoints of tasks."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from gencode.http.base_models import ResponseModel
from gencode.retrieval.citations import Unsupported
from gencode.retrieval.records import Chunk, ChunkRef
from gencode.workspace.knowledge_bases.tables import ProcessingStatus

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class TextSpan(ResponseModel):
    """From `start` to before `end`, in characters."""

    start: int
    end: int


class KnowledgeSource(ResponseModel):
    """A chunk that a search has found, or that is shown.

    ordinal      of the chunk within the document, from 0
    sha256       of its text
    page         on which it starts, from 1; null: the document has no pages
    start, end   of the chunk within the document's text, in characters
    score        higher is better; comparable within one search only
    text_rank    by the text, from 1; null: the text search has not found it. vector_rank: by the vectors
    highlights   where terms of the question stand in `text`
    """

    knowledge_base_id: str
    document_id: str
    document_name: str
    ordinal: int
    sha256: str
    text: str
    start: int
    end: int
    page: int | None = None
    score: float = 0.0
    text_rank: int | None = None
    vector_rank: int | None = None
    highlights: tuple[TextSpan, ...] = ()

    @property
    def ref(self) -> ChunkRef:
        return ChunkRef(document=self.document_id, ordinal=self.ordinal, sha256=self.sha256)

    @property
    def chunk(self) -> Chunk:
        """As it was shown."""
        return Chunk(
            document=self.document_id, ordinal=self.ordinal, start=self.start, text=self.text, page=self.page
        )


class MissingDocument(ResponseModel):
    """A document that a search could not look at."""

    knowledge_base_id: str
    document_id: str
    document_name: str
    processing_status: ProcessingStatus
    error_code: str | None = None
    error_message: str | None = None


class WithoutVectors(ResponseModel):
    """A base that has an encoder, and was searched by text only."""

    knowledge_base_id: str
    reason: str


class KnowledgeFound(ResponseModel):
    """What a search has found.

    is_complete      whether all documents of the bases are indexed
    missing          the first of those that are not; missing_count: of all
    without_vectors  bases that were searched by text only although they have an encoder
    """

    sources: tuple[KnowledgeSource, ...]
    is_complete: bool
    missing: tuple[MissingDocument, ...] = ()
    missing_count: int = 0
    without_vectors: tuple[WithoutVectors, ...] = ()


class KnowledgeQuote(ResponseModel):
    """A text that an answer quotes. `source`: the position of the source that it names among those that were
    shown, from 0; null: any."""

    text: str
    source: int | None = None


class QuoteLocation(ResponseModel):
    """Where a quote stands: `text` is the document's own, from `start` to `end` of its text."""

    knowledge_base_id: str
    document_id: str
    document_name: str
    page: int | None
    start: int
    end: int
    text: str
    sources: tuple[int, ...] = Field(description="Positions of the shown sources that it spans")


class KnowledgeCitation(ResponseModel):
    """A quote that is verified, with where it stands, or unsupported, with the reason."""

    text: str
    source: int | None
    is_verified: bool
    reason: Unsupported | None
    locations: tuple[QuoteLocation, ...] = ()
