"""Field types and base classes of the JSON that clients send and receive."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"}, description="RFC 3339, UTC")]
UUID_PATTERN = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
UUID_SCHEMA: dict[str, Any] = {"type": "string", "format": "uuid"}
TASK_ID_SCHEMA: dict[str, Any] = {"type": "string", "format": "uuid", "description": "UUIDv7"}
TaskId = Annotated[str, WithJsonSchema(TASK_ID_SCHEMA)]
Words = Annotated[str, BeforeValidator(lambda text: text.encode("utf-8", "replace").decode())]
"""Text that may quote a model or another service: a lone surrogate, which UTF-8 cannot hold, becomes "?"."""
Link = Annotated[str, Field(json_schema_extra={"format": "uri-reference"})]
CallbackURL = Annotated[
    str,
    StringConstraints(max_length=2048, pattern=r"^[hH][tT][tT][pP][sS]?://[!-~]+$"),
    Field(
        description="Receives a POST for each status change. Its host must be allowed; see the documentation."
    ),
]
CALLBACK_URL_PATTERN = "must be an http or https address of ASCII characters"
"""The rule of the pattern, for messages."""


class RequestModel(BaseModel):
    """A JSON object that clients send. Strict: no unknown fields, no conversions between types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


class ResponseModel(BaseModel):
    """A JSON object that clients receive."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class TaskRequest(RequestModel):
    """The body of a submission. A kind whose tasks can be reported to a receiver declares the field
    `callback_url: CallbackURL | None = None`."""

    @property
    def callback(self) -> str | None:
        url: str | None = getattr(self, "callback_url", None)
        return url


class EmptyRetryRequest(RequestModel):
    """The body of a retry, for kinds whose tasks are retried without changes."""
