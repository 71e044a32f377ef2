"""What the index found and verified, with what the rows of documents say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from gencode.retrieval.citations import Citation, Unsupported
from gencode.retrieval.highlights import highlights
from gencode.retrieval.records import Hit, SearchResult
from gencode.retrieval.tokens import query_terms
from gencode.workspace.knowledge_bases.encoder_spec import EncoderKind
from gencode.workspace.knowledge_bases.sources import (
    KnowledgeCitation,
    KnowledgeFound,
    KnowledgeQuote,
    KnowledgeSource,
    MissingDocument,
    QuoteLocation,
    TextSpan,
    WithoutVectors,
)
from gencode.workspace.knowledge_bases.tables import KnowledgeBase, KnowledgeDocument, ProcessingStatus

MAX_MISSING = 20
_BUILDING = "the vectors of its encoder are being made"
_OF_OTHERS = "its encoder is paid for by its owner, and used for the owner's searches only"


def found(
    query: str,
    bases: Sequence[KnowledgeBase],
    result: SearchResult,
    documents: Mapping[str, KnowledgeDocument],
    unfinished: Sequence[KnowledgeDocument],
    unfinished_count: int,
    principal: str,
) -> KnowledgeFound:
    """principal   who asks
    documents   those of the hits; a hit of another one was deleted meanwhile
    unfinished  the first of those of the bases that are not indexed; unfinished_count: of all
    """
    terms = query_terms(query)
    return KnowledgeFound(
        sources=tuple(
            _source(hit, documents[hit.chunk.document], terms)
            for hit in result.hits
            if hit.chunk.document in documents
        ),
        is_complete=not unfinished_count,
        missing=tuple(_missing(row) for row in unfinished),
        missing_count=unfinished_count,
        without_vectors=tuple(_without_vectors(bases, result, principal)),
    )


def _source(hit: Hit, document: KnowledgeDocument, terms: Sequence[str]) -> KnowledgeSource:
    chunk = hit.chunk
    return KnowledgeSource(
        knowledge_base_id=hit.base,
        document_id=chunk.document,
        document_name=document.name,
        ordinal=chunk.ordinal,
        sha256=chunk.sha256,
        text=chunk.text,
        start=chunk.start,
        end=chunk.end,
        page=hit.page,
        score=round(hit.score, 6),
        text_rank=hit.text_rank,
        vector_rank=hit.vector_rank,
        highlights=tuple(TextSpan(start=start, end=end) for start, end in highlights(chunk.text, terms)),
    )


def _missing(row: KnowledgeDocument) -> MissingDocument:
    return MissingDocument(
        knowledge_base_id=row.base_id,
        document_id=row.id,
        document_name=row.name,
        processing_status=ProcessingStatus(row.processing_status),
        error_code=row.error_code,
        error_message=row.error_message,
    )


def _without_vectors(
    bases: Sequence[KnowledgeBase], result: SearchResult, principal: str
) -> Iterator[WithoutVectors]:
    for base in bases:
        if base.target_encoder is None or base.id not in result.without_vectors:
            continue
        is_of_others = base.owner != principal and base.encoder == EncoderKind.MODEL
        reason = _OF_OTHERS if is_of_others else result.without_vectors[base.id] or _BUILDING
        yield WithoutVectors(knowledge_base_id=base.id, reason=reason)


def cited(
    quotes: Sequence[KnowledgeQuote],
    known: Sequence[KnowledgeQuote],
    checked: Sequence[Citation],
    shown: Sequence[KnowledgeSource],
) -> list[KnowledgeCitation]:
    """known    the quotes whose source was shown
    checked  one for each of them
    """
    verified = iter(checked)
    is_known = {id(quote) for quote in known}
    return [
        _cited(quote, next(verified), shown) if id(quote) in is_known else _not_shown(quote)
        for quote in quotes
    ]


def _not_shown(quote: KnowledgeQuote) -> KnowledgeCitation:
    return KnowledgeCitation(
        text=quote.text, source=quote.source, is_verified=False, reason=Unsupported.NOT_SHOWN
    )


def _cited(quote: KnowledgeQuote, citation: Citation, shown: Sequence[KnowledgeSource]) -> KnowledgeCitation:
    return KnowledgeCitation(
        text=quote.text,
        source=quote.source,
        is_verified=citation.is_verified,
        reason=citation.reason,
        locations=tuple(_locations(citation, shown)),
    )


def _locations(citation: Citation, shown: Sequence[KnowledgeSource]) -> Iterator[QuoteLocation]:
    positions = {source.ref: number for number, source in enumerate(shown)}
    for place in citation.locations:
        numbers = tuple(positions[ref] for ref in place.chunks if ref in positions)
        source = shown[numbers[0]]
        yield QuoteLocation(
            knowledge_base_id=source.knowledge_base_id,
            document_id=source.document_id,
            document_name=source.document_name,
            page=place.page,
            start=place.start,
            end=place.end,
            text=place.text,
            sources=numbers,
        )
