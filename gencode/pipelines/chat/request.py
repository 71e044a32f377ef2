"""What clients send: a message to a conversation, or another answer to one."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from gencode.http.base_models import RequestModel
from gencode.model_tasks.request import ModelTaskRequest
from gencode.workspace.prompt_templates.resource import MAX_CONTENT
from gencode.workspace.resources.models import TEXT_WITHOUT_NUL, RowId

Content = Annotated[
    str,
    StringConstraints(max_length=MAX_CONTENT, pattern=TEXT_WITHOUT_NUL),
    Field(description="The message; with a template, the value of its {{ content }}, else what follows it"),
]
Value = Annotated[str, StringConstraints(max_length=MAX_CONTENT, pattern=TEXT_WITHOUT_NUL)]
Variables = Annotated[dict[str, Value], Field(max_length=200)]


class Message(RequestModel):
    """`replaces`: a message of the user, beside which this one begins another branch."""

    content: Content = ""
    template_id: RowId | None = None
    variables: Variables = Field(default_factory=dict)
    replaces: RowId | None = None


class MessageRequest(Message, ModelTaskRequest):
    """A message; its conversation is in the path."""


class AnotherAnswerRequest(ModelTaskRequest):
    """Another answer to the message before; the limits and the model may differ."""


class ChatRequest(Message, ModelTaskRequest):
    """`conversation_id` null: a new conversation. `regenerates`: the answer beside which another is
    written."""

    conversation_id: RowId | None = None
    regenerates: RowId | None = None
