"""The operations that submit tasks of this kind: a message to a conversation, and another answer."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from gencode.domain.errors import NotFound
from gencode.domain.task import PENDING
from gencode.http.base_models import UUID_SCHEMA
from gencode.http.body_specs import JsonBody
from gencode.http.common_declarations import LOCATION, RATE_LIMITED
from gencode.http.dependencies import get_extension, get_principal, get_services
from gencode.http.links import api
from gencode.http.operation import Trait, operation
from gencode.http.response_specs import JsonResponseSpec
from gencode.http.submit_operation import (
    ACCEPT_LANGUAGE,
    IDEMPOTENCY_KEY,
    REPLAYED,
    SUBMISSION_ERRORS,
    submit_for,
)
from gencode.http.task_models import Accepted, accepted
from gencode.pipelines.chat.opening import Claim
from gencode.pipelines.chat.request import AnotherAnswerRequest, ChatRequest, MessageRequest
from gencode.pipelines.chat.texts import NAME
from gencode.pipelines.chat.turn import ids_of
from gencode.workspace.errors import ConversationBusy
from gencode.workspace.parameters import id_in_path

IN_CONVERSATION = Trait(path_schemas={"id": UUID_SCHEMA, "message_id": UUID_SCHEMA}, errors=(NotFound,))
_ERRORS = (*SUBMISSION_ERRORS, ConversationBusy)


class AcceptedMessage(Accepted):
    """The answer is written by the task; follow its stream."""

    conversation_id: str
    user_message_id: str
    assistant_message_id: str = Field(description="Of the answer; its status is streaming")


MESSAGE = JsonBody(model=MessageRequest)
ANOTHER = JsonBody(model=AnotherAnswerRequest)
ACCEPTED = JsonResponseSpec(
    status=202,
    model=AcceptedMessage,
    description="The message and its task are stored",
    headers=(LOCATION, REPLAYED),
)


@operation(
    "sendMessage",
    "POST /chat/conversations/{id:uuid}/messages",
    "Send a message; a task writes the answer",
    traits=(IN_CONVERSATION, RATE_LIMITED),
    parameters=(IDEMPOTENCY_KEY, ACCEPT_LANGUAGE),
    body=MESSAGE,
    responses=(ACCEPTED,),
    errors=_ERRORS,
)
async def send_message(request: Request) -> Response:
    rate_headers = await get_services(request).rate.spend(get_principal(request).id)
    given = (await MESSAGE.read(request)).model_dump(exclude_unset=True)
    return await _submit(request, ChatRequest(**given, conversation_id=id_in_path(request)), rate_headers)


@operation(
    "answerAgain",
    "POST /chat/conversations/{id:uuid}/messages/{message_id:uuid}/regenerate",
    "Have another answer written, beside this one",
    traits=(IN_CONVERSATION, RATE_LIMITED),
    parameters=(IDEMPOTENCY_KEY, ACCEPT_LANGUAGE),
    body=ANOTHER,
    responses=(ACCEPTED,),
    errors=_ERRORS,
)
async def answer_again(request: Request) -> Response:
    rate_headers = await get_services(request).rate.spend(get_principal(request).id)
    given = (await ANOTHER.read(request)).model_dump(exclude_unset=True)
    answer_id = str(request.path_params["message_id"])
    chat = ChatRequest(**given, conversation_id=id_in_path(request), regenerates=answer_id)
    return await _submit(request, chat, rate_headers)


async def _submit(request: Request, chat: ChatRequest, rate_headers: Mapping[str, str]) -> Response:
    services = get_services(request)
    submitted = await submit_for(request, NAME, chat)
    task = submitted.task
    await get_extension(request, Claim)(task, services.task_service)
    view = accepted(task, api(request), PENDING, services.kinds.first_message(task))
    ids = ids_of(task)
    body = AcceptedMessage(
        **view.model_dump(exclude_unset=True),
        conversation_id=ids.conversation_id,
        user_message_id=ids.question_id,
        assistant_message_id=ids.answer_id,
    )
    more = {"Location": view.task_url, "Idempotency-Replayed": str(submitted.is_replay).lower()}
    return ACCEPTED.make(body, {**rate_headers, **more})
