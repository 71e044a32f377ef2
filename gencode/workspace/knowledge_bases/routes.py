"""Search in knowledge bases, verification of quotes, and what changes and deletions of bases bring about."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, cast

from pydantic import Field, StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from gencode.http.base_models import RequestModel, ResponseModel
from gencode.http.body_specs import JsonBody
from gencode.http.dependencies import get_extension, get_principal
from gencode.http.operation import operation
from gencode.http.response_specs import JsonResponseSpec
from gencode.http.submit_operation import SUBMISSION_ERRORS, submit_for
from gencode.workspace.knowledge_bases.counts import INDEX_TASKS
from gencode.workspace.knowledge_bases.document_routes import DOCUMENT_OPERATIONS, SUBMITTED
from gencode.workspace.knowledge_bases.knowledge import MAX_FOUND, KnowledgeBases
from gencode.workspace.knowledge_bases.requests import INDEX, IndexRequest
from gencode.workspace.knowledge_bases.resource import (
    KNOWLEDGE_BASES,
    EncoderStatus,
    KnowledgeBaseChange,
    encoder_status,
)
from gencode.workspace.knowledge_bases.sources import (
    KnowledgeCitation,
    KnowledgeFound,
    KnowledgeQuote,
    KnowledgeSource,
    Sha256,
)
from gencode.workspace.knowledge_bases.upload_routes import upload_document
from gencode.workspace.parameters import ONE, id_in_path
from gencode.workspace.resources.models import RowId
from gencode.workspace.resources.routes import operations_of
from gencode.workspace.settled_operation import settled

Question = Annotated[str, StringConstraints(min_length=1, max_length=10_000)]
Position = Annotated[int, Field(ge=0, le=999_999_999)]


class KnowledgeSearchRequest(RequestModel):
    query: Question
    limit: Annotated[int, Field(ge=1, le=MAX_FOUND)] = 10


class ShownSource(RequestModel):
    """A source as a search returned it, without what a verification does not need."""

    knowledge_base_id: RowId
    document_id: RowId
    document_name: Annotated[str, StringConstraints(max_length=255)] = ""
    ordinal: Position
    sha256: Sha256
    text: Annotated[str, StringConstraints(max_length=20_000)]
    start: Position
    page: Position | None = None


class GivenQuote(RequestModel):
    """`source`: the position in `sources` of the one that the quote names, from 0; null: any."""

    text: Annotated[str, StringConstraints(max_length=20_000)]
    source: Position | None = None


class VerificationRequest(RequestModel):
    quotes: Annotated[list[GivenQuote], Field(min_length=1, max_length=50)]
    sources: Annotated[list[ShownSource], Field(max_length=MAX_FOUND)]


class Verified(ResponseModel):
    citations: list[KnowledgeCitation]


SEARCH = JsonBody(model=KnowledgeSearchRequest)
VERIFICATION = JsonBody(model=VerificationRequest)
FOUND = JsonResponseSpec(model=KnowledgeFound, description="The best chunks, best first")
VERIFIED = JsonResponseSpec(model=Verified, description="One for each quote, in their order")


@operation(
    "searchKnowledgeBase",
    "POST /knowledge/bases/{id:uuid}/search",
    "Search a knowledge base",
    traits=(ONE,),
    body=SEARCH,
    responses=(FOUND,),
)
async def search(request: Request) -> Response:
    body = await SEARCH.read(request)
    knowledge, principal = get_extension(request, KnowledgeBases), get_principal(request).id
    return FOUND.make(await knowledge.search_bases(principal, [id_in_path(request)], body.query, body.limit))


@operation(
    "verifyQuotes",
    "POST /knowledge/verify",
    "Check that quotes stand in the sources that were shown",
    body=VERIFICATION,
    responses=(VERIFIED,),
)
async def verify(request: Request) -> Response:
    body = await VERIFICATION.read(request)
    shown = [_source(one) for one in body.sources]
    quotes = [KnowledgeQuote(text=quote.text, source=quote.source) for quote in body.quotes]
    knowledge = get_extension(request, KnowledgeBases)
    return VERIFIED.make(Verified(citations=await knowledge.verify(get_principal(request).id, quotes, shown)))


def _source(given: ShownSource) -> KnowledgeSource:
    return KnowledgeSource(**given.model_dump(), end=given.start + len(given.text))


_LIST, _CREATE, _GET, _CHANGE, _DELETE = operations_of(KNOWLEDGE_BASES)
_ENCODER_FIELDS = frozenset(name for name in KnowledgeBaseChange.model_fields if name.startswith("encoder"))
_CHANGE_BODY = cast("JsonBody[KnowledgeBaseChange]", _CHANGE.body)


async def _change_and_index(request: Request) -> Response:
    """A base whose encoder was changed is encoded anew; until then, searches use the encoder before it."""
    response = await _CHANGE.endpoint(request)
    given = (await _CHANGE_BODY.read(request)).model_fields_set
    knowledge = get_extension(request, KnowledgeBases)
    base = await knowledge.own_base(id_in_path(request), get_principal(request).id)
    is_building = encoder_status(base) is EncoderStatus.BUILDING
    if is_building and base.document_count and not _ENCODER_FIELDS.isdisjoint(given):
        await submit_for(request, INDEX, IndexRequest(knowledge_base_id=base.id))
    return response


async def _delete_with_chunks(request: Request) -> Response:
    knowledge = get_extension(request, KnowledgeBases)
    base = await knowledge.own_base(id_in_path(request), get_principal(request).id)
    await knowledge.note_removal(base.id)
    response = await _DELETE.endpoint(request)
    await knowledge.remove_pending()
    return response


CHANGE = replace(
    _CHANGE,
    endpoint=_change_and_index,
    parameters=(*_CHANGE.parameters, *SUBMITTED),
    errors=(*_CHANGE.errors, *SUBMISSION_ERRORS),
)
DELETE = replace(_DELETE, endpoint=_delete_with_chunks)
KNOWLEDGE_OPERATIONS = (
    settled(_LIST, INDEX_TASKS),
    _CREATE,
    settled(_GET, INDEX_TASKS),
    CHANGE,
    DELETE,
    *DOCUMENT_OPERATIONS,
    upload_document,
    search,
    verify,
)
