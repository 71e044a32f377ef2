"""Model calls whose parsed answers are checkpoints: a stage that is run again asks only for what it lacks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict

from gencode.domain.task import Task
from gencode.engine.ports.pipeline import Checkpoints, Emit, StageUpdate
from gencode.http.kind_dependencies import task_price
from gencode.llm.budget import Budget, total
from gencode.llm.charge_checkpoints import usages_without_answer
from gencode.llm.interrupted_calls import FindPrice, lost_call_updates
from gencode.llm.model_route import Failover
from gencode.llm.port import ChatRequest, Usage
from gencode.llm.screened_answer_stream import OnText
from gencode.llm.session import Answer, ContinuedAnswer, LLMSession, LLMSessionFactory
from gencode.model_tasks.request import budget_of
from gencode.workspace.task_rows import TaskVersion

ANSWER = "answer"
R = TypeVar("R", bound=BaseModel)
ToUpdate = Callable[[R], StageUpdate]


class _StoredAnswer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    usage: Usage
    value: Any


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelRun:
    """What a stage needs to ask the model of its task: `of` makes it in a pipeline's `restore`.

    task_version  of the task when the run began
    checkpoints   as they were when the run began, in which several stages may follow each other
    opened        the session of this run, once a stage has opened it: it knows what those before have used
    """

    task_id: str
    task_version: int
    kind: str
    principal: str
    model: str
    budget: Budget
    failover: Failover
    checkpoints: Checkpoints
    opened: list[LLMSession] = field(default_factory=list, compare=False, repr=False)

    @classmethod
    def of(cls, task: Task, request: Mapping[str, Any], checkpoints: Checkpoints) -> ModelRun:
        return cls(
            task_id=task.id,
            task_version=task.version,
            kind=task.kind,
            principal=task.principal.id,
            model=str(request["model"]),
            budget=budget_of(request),
            failover=Failover.of(request, checkpoints),
            checkpoints=checkpoints,
        )

    @property
    def task(self) -> TaskVersion:
        """For the rows that the task writes."""
        return TaskVersion(id=self.task_id, version=self.task_version)


def spent(checkpoints: Checkpoints) -> Usage:
    """The usage of all calls of a task."""
    stored = (text for name, text in checkpoints.items() if name.startswith(f"{ANSWER}:"))
    answered = [_StoredAnswer.model_validate_json(text).usage for text in stored]
    return total(*answered, *usages_without_answer(checkpoints))


def final_usage(task: Task, checkpoints: Checkpoints, price: FindPrice) -> Sequence[StageUpdate]:
    """`Pipeline.final_updates` of such a kind. `price`: KindDependencies.price."""
    return [*lost_call_updates(checkpoints, spent, lambda: task_price(task.parameters, price))]


class ModelCalls:
    """The model calls of one run of a stage."""

    def __init__(self, session: LLMSession, checkpoints: Checkpoints) -> None:
        self.session = session
        self._checkpoints = checkpoints

    @classmethod
    async def open(cls, sessions: LLMSessionFactory, run: ModelRun, emit: Emit) -> ModelCalls:
        """Raises Invalid for a model that is not configured any more."""
        if run.opened:
            return cls(replace(run.opened[0], emit=emit), run.checkpoints)
        session = await sessions.create(
            run.model,
            run.task_id,
            spent=spent(run.checkpoints),
            budget=run.budget,
            emit=emit,
            client=run.principal,
            kind=run.kind,
            failover=run.failover,
        )
        run.opened.append(session)
        return cls(session, run.checkpoints)

    async def ask(
        self,
        about: str,
        request: ChatRequest,
        parse: Callable[[Answer], R],
        result: type[R],
        update: ToUpdate[R] | None = None,
        on_text: Callable[[], OnText] | None = None,
        continued: ContinuedAnswer | None = None,
    ) -> R:
        """The parsed answer: the stored one, else the model's, which is stored with its usage.

        about    names the call in events, checkpoints and the bill; unique within the task
        parse    see LLMSession.ask
        result   the model of what `parse` returns
        update   the event (and result) that is stored with the answer; its checkpoints are added
        on_text, continued  see LLMSession.ask

        Raises the errors of LLMSession.ask.
        """
        if known := stored_answer(self._checkpoints, about, result):
            return known
        usage = Usage()

        def parse_and_measure(answer: Answer) -> R:
            nonlocal usage
            usage = answer.usage
            return parse(answer)

        value = await self.session.ask(request, about, parse_and_measure, on_text, continued)
        stored = _StoredAnswer(usage=usage, value=value.model_dump(mode="json"))
        told = update(value) if update else StageUpdate()
        checkpoints = {**told.checkpoints, f"{ANSWER}:{about}": stored.model_dump_json()}
        await self.session.emit(
            replace(told, checkpoints=checkpoints), self.session.usage_update(about, usage)
        )
        return value


def stored_answer(checkpoints: Checkpoints, about: str, result: type[R]) -> R | None:
    """The stored answer of a call."""
    text = checkpoints.get(f"{ANSWER}:{about}")
    return result.model_validate(_StoredAnswer.model_validate_json(text).value) if text else None
