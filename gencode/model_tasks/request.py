"""The fields of requests that limit what a task may use, and their checks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Protocol

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, StringConstraints, WithJsonSchema

from gencode.domain.errors import Invalid
from gencode.domain.phrase import Phrase
from gencode.domain.task import Task, now
from gencode.http.base_models import CallbackURL, RequestModel, TaskRequest
from gencode.http.kind_dependencies import ChooseModel, ChosenModel, task_price
from gencode.http.kinds import Submitter
from gencode.llm.budget import Budget
from gencode.llm.interrupted_calls import FindPrice
from gencode.llm.prices import Price

ModelName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$")]
_IN_FUTURE = "must be in the future"
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)


def _decimal_text(value: object) -> object:
    """A JSON number as it was written: as a binary fraction, 0.1 would be another number."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def integral(value: object) -> object:
    """1.0 is an integer to JSON Schema, and to most who write JSON."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _rfc_3339(value: object) -> object:
    """Python's parser accepts more than RFC 3339, such as 2026-W01-1."""
    if not isinstance(value, str):
        return value
    if not _RFC_3339.fullmatch(value.upper()):
        raise ValueError("must be a timestamp with its offset, such as 2030-01-31T18:00:00Z")
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except OverflowError:
        raise ValueError("must be a date of the years 1 to 9999") from None


Tokens = Annotated[int, Field(ge=1, le=10**12), BeforeValidator(integral)]
Money = Annotated[
    Decimal,
    Field(gt=0, max_digits=18, decimal_places=9, strict=False),
    BeforeValidator(_decimal_text),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 10**9},
                {"type": "string", "pattern": r"^(?=.*[1-9])[0-9]{1,9}(\.[0-9]{1,9})?$"},
            ],
            "description": "At most nine decimal places",
        }
    ),
]
Deadline = Annotated[AwareDatetime, BeforeValidator(_rfc_3339)]


def _in_future(deadline: datetime) -> datetime:
    if deadline <= now():
        raise ValueError(_IN_FUTURE)
    return deadline


RetryDeadline = Annotated[Deadline, AfterValidator(_in_future)]
"""A retry is not repeated later as a submission may be, so this is a rule of its model."""


class ModelTaskRequest(TaskRequest):
    """The fields that every request of a task that asks a model has.

    model  a model of the operator's, or config/ID for a model config; null: the principal's default config,
           else DEFAULT_MODEL
    """

    model: ModelName | None = None
    max_tokens: Tokens | None = None
    max_cost: Money | None = None
    deadline: Deadline | None = None
    callback_url: CallbackURL | None = None


class LimitsRetry(RequestModel):
    """What a retry of such a task may change; null lifts a limit."""

    max_tokens: Tokens | None = None
    max_cost: Money | None = None
    deadline: RetryDeadline | None = None


class Limited(Protocol):
    """A request with limits."""

    @property
    def max_cost(self) -> Decimal | None: ...

    @property
    def deadline(self) -> datetime | None: ...


async def choose_model(request: ModelTaskRequest, submitter: Submitter, choose: ChooseModel) -> ChosenModel:
    """The model of a new task. Raises Invalid for a passed deadline, an unknown model, and a limit of the
    cost of a model without a price."""
    check_deadline(request)
    chosen = await choose(request.model, submitter.principal.id)
    check_max_cost(request, chosen.name, chosen.price)
    return chosen


def check_deadline(request: Limited) -> None:
    """Raises Invalid for a passed deadline. This is no rule of the model, because a submission may be
    repeated after its deadline."""
    if request.deadline and request.deadline <= now():
        raise Invalid.of("deadline", "value_error", _IN_FUTURE)


def check_max_cost(request: Limited, model: str, price: Price | None) -> None:
    """Raises Invalid for a limit of the cost of a model whose cost is unknown."""
    if request.max_cost is not None and price is None:
        reason = Phrase(
            "the model {model} has no price, so its cost cannot be limited: set PRICES, or send max_tokens",
            model=model,
        )
        raise Invalid.of("max_cost", "no_price", reason)


def stored_request(request: TaskRequest) -> dict[str, Any]:
    """The request as it is stored. callback_url can contain a secret, and the request is shown."""
    return request.model_dump(mode="json", exclude={"callback_url"})


def submitted_request(stored: Mapping[str, Any]) -> Mapping[str, Any]:
    """The stored request with the requested model in place of the chosen one, and the cost without an
    exponent, which the schema does not have."""
    cost = stored.get("max_cost")
    return {
        **stored,
        "model": stored.get("asked_model", stored.get("model")),
        "max_cost": f"{Decimal(cost):f}" if cost is not None else None,
    }


def limits_changes(find_price: FindPrice, task: Task, request: LimitsRetry) -> Mapping[str, Any]:
    """The changes of a retry that changes limits only. Raises Invalid."""
    check_max_cost(request, str(task.parameters["model"]), task_price(task.parameters, find_price))
    return request.model_dump(mode="json", exclude_unset=True)


def budget_of(request: Mapping[str, Any]) -> Budget:
    """The limits of a stored request."""
    cost, deadline = request.get("max_cost"), request.get("deadline")
    return Budget(
        tokens=request.get("max_tokens"),
        cost=None if cost is None else Decimal(str(cost)),
        deadline=datetime.fromisoformat(str(deadline)) if deadline else None,
    )
