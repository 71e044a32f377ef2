"""Failures of indexing and search."""

from __future__ import annotations

from gencode.domain.errors import Conflict, GencodeError


class RetrievalError(GencodeError):
    code = "RETRIEVAL"
    http_status = 422
    concerns_operator = False


class UnusableText(RetrievalError):
    """The text of a document cannot be stored, or its pages do not fit it."""

    code = "UNUSABLE_TEXT"


class EncoderMismatch(RetrievalError):
    """An encoder of another name, version or dimensions is meant, or its vectors do not fit."""

    code = "ENCODER_MISMATCH"


class EncoderIncomplete(Conflict):
    """Chunks without a vector of the encoder remain: it cannot be switched to yet."""

    code = "ENCODER_INCOMPLETE"
