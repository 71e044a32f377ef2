"""Tasks of kind `letter`: drafting, reviewing (which can wait for a person), sending."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import anyio
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from gencode.domain.errors import GencodeError, NotFound
from gencode.domain.event import Event
from gencode.domain.task import PENDING, Task
from gencode.engine.ports.pipeline import Checkpoints, Emit, Pause, Stage, StageUpdate
from gencode.http.base_models import CallbackURL, RequestModel, ResponseModel, TaskRequest
from gencode.http.common_declarations import OWN_TASK
from gencode.http.dependencies import get_services, own_task
from gencode.http.kind_dependencies import KindDependencies, KindFactory
from gencode.http.kinds import APPROVED, Kind, KindRuntime, PreparedTask, Submission, Submitter
from gencode.http.operation import operation
from gencode.http.response_specs import JsonResponseSpec

DRAFTING, REVIEWING, SENDING = "drafting", "reviewing", "sending"
MESSAGES = {
    PENDING: {"en": "The letter is accepted", "zh": "信件已接受"},
    DRAFTING: {"en": "Writing the letter", "zh": "正在起草"},
    REVIEWING: {"en": "Reading the letter", "zh": "正在审阅"},
    SENDING: {"en": "Sending the letter", "zh": "正在寄出"},
    "completed": {"en": "The letter is sent", "zh": "信件已寄出"},
    "cancelled": {"en": "The letter is torn up", "zh": "信件已作废"},
}


class NoStamp(GencodeError):
    """The letter has no stamp."""

    code = "NO_STAMP"
    http_status = 409


class LetterRequest(TaskRequest):
    """What POST /api/v1/letters takes. `seconds`: how long drafting takes."""

    recipient: Annotated[str, Field(min_length=1, max_length=50)]
    text: Annotated[str, Field(max_length=100_000)]
    review: bool = False
    callback_url: CallbackURL | None = None
    stamp: bool = True
    seconds: Annotated[float, Field(ge=0, le=60)] = 0.0


class LetterRetry(RequestModel):
    """What a retry of a letter may change."""

    stamp: bool = True


class LetterFields(BaseModel):
    """Fields of a task's JSON that only letters have."""

    recipient: str | None = None
    words: int | None = Field(None, description="Of the draft")


class Draft(ResponseModel):
    """The text of a letter."""

    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    text: str
    recipient: str
    is_reviewed: bool
    has_stamp: bool
    seconds: float


class LetterPipeline:
    """See gencode.engine.ports.pipeline.Pipeline."""

    @property
    def stages(self) -> Sequence[Stage]:
        return (
            Stage(name=DRAFTING, run=draft),
            Stage(name=REVIEWING, run=review, applies=lambda letter: not letter.is_reviewed),
            Stage(name=SENDING, run=send),
        )

    def restore(self, task: Task, request: Mapping[str, Any], checkpoints: Checkpoints) -> Letter:
        return Letter(
            text=request["text"],
            recipient=request["recipient"],
            is_reviewed=not request["review"] or APPROVED in checkpoints,
            has_stamp=request["stamp"],
            seconds=0.0 if "draft" in checkpoints else request["seconds"],
        )

    def final_updates(self, task: Task, checkpoints: Mapping[str, str]) -> Sequence[StageUpdate]:
        return ()

    def message(self, task: Task, status: str) -> str:
        return MESSAGES[status][task.language]


async def write(letter: Letter) -> None:
    """Tests replace it where the stage must last until they have seen it."""
    await anyio.sleep(letter.seconds)


async def draft(letter: Letter, emit: Emit) -> Letter:
    await write(letter)
    words = len(letter.text.split())
    await emit(
        StageUpdate(
            kind="drafted",
            data={"words": words},
            checkpoints={"draft": Draft(text=letter.text).model_dump_json()},
            result={"words": words},
        )
    )
    return letter


async def review(letter: Letter, emit: Emit) -> Letter | Pause:
    return letter if letter.is_reviewed else Pause(message="Please read the letter", seconds=3600)


async def send(letter: Letter, emit: Emit) -> Letter:
    if not letter.has_stamp:
        raise NoStamp(f"the letter to {letter.recipient} has no stamp")
    await emit(StageUpdate(result={"sent_to": letter.recipient}))
    return letter


DRAFT = JsonResponseSpec(model=Draft, description="As it is sent")


@operation(
    "readDraft", "GET /task/{task_id}/draft", "A letter's draft", traits=(OWN_TASK,), responses=(DRAFT,)
)
async def read_draft(request: Request) -> Response:
    task = await own_task(request)
    text = await get_services(request).checkpoint_reader.read(task, lambda found: found.get("draft"))
    if text is None:
        raise NotFound("this task has no draft, or not yet")
    return DRAFT.make(Draft.model_validate_json(text))


async def prepare(request: LetterRequest, submitter: Submitter) -> PreparedTask:
    stored = request.model_dump(mode="json", exclude={"callback_url"})
    return PreparedTask(
        request=stored,
        parameters={name: value for name, value in stored.items() if name != "text"},
        message=MESSAGES[PENDING][submitter.language],
        may_pause=request.review,
    )


def fields(task: Task) -> Mapping[str, Any]:
    return {"recipient": task.parameters.get("recipient"), "words": task.result.get("words")}


def notification_fields(task: Task, event: Event) -> Mapping[str, Any]:
    return {"recipient": task.parameters.get("recipient")}


def start(_: KindDependencies) -> KindRuntime:
    return KindRuntime(
        pipeline=LetterPipeline(),
        prepare=prepare,
        view=fields,
        label=lambda task: f"Letter to {task.parameters.get('recipient')}",
        notification_fields=notification_fields,
    )


LETTER = KindFactory(
    kind=Kind(
        name="letter",
        title={"en": "Send a letter", "zh": "寄信"},
        stage_titles={
            DRAFTING: {"en": "Drafting", "zh": "起草"},
            REVIEWING: {"en": "Reviewing", "zh": "审阅"},
            SENDING: {"en": "Sending", "zh": "寄出"},
        },
        request_model=LetterRequest,
        submission=Submission(
            path="/letters",
            operation_id="sendLetter",
            summary="Send a letter",
            tool_title="Send a letter",
            tool_description="Write and send a letter. Answers at once with a task_id.",
        ),
        view_model=LetterFields,
        retry_model=LetterRetry,
        errors=(NoStamp,),
        error_advice={"NO_STAMP": {"en": "Buy a stamp, then retry.", "zh": "买邮票后重试。"}},
        event_names=("drafted",),
        milestones=(SENDING,),
        operations=(read_draft,),
    ),
    start=start,
)
