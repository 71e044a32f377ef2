"""The errors of knowledge bases."""

from __future__ import annotations

from gencode.domain.errors import GencodeError, RequestError, RetryHelps


class KnowledgeBaseFull(RequestError):
    """A base has a limit of documents, bytes and chunks."""

    code = "KNOWLEDGE_BASE_FULL"
    http_status = 409
    retry_helps = RetryHelps.AFTER_CHANGE
    meaning = "The knowledge base has as much as a base may have"


class EncoderUnavailable(GencodeError):
    """The encoder of a base cannot be used: its package is missing, or its model config is not there."""

    code = "ENCODER_UNAVAILABLE"
    http_status = 409
    retry_helps = RetryHelps.AFTER_CHANGE
    concerns_operator = False
    meaning = "The encoder of the knowledge base cannot be used"


class DocumentDeleted(GencodeError):
    """The document, or its base, was deleted while it was indexed."""

    code = "DOCUMENT_DELETED"
    http_status = 409
    retry_helps = RetryHelps.NEVER
    concerns_operator = False
    meaning = "The document was deleted meanwhile"
