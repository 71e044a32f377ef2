"""The shapes that clients send."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    field_validator,
)

from gencode.domain.errors import Invalid
from gencode.domain.task import now
from gencode.http.request_body import JsonBody
from gencode.http.validation import validate

PROMPT_CHARACTERS = 100_000
_RESERVED = (".git", ".wiki", ".atom")

# What validators check, the description must say, too: `json_schema_extra` goes to /openapi.json.
Prompt = Annotated[
    str,
    Field(
        min_length=1,
        max_length=PROMPT_CHARACTERS,
        json_schema_extra={"pattern": r"^[^\u0000]*[^\s\u0000][^\u0000]*$"},
    ),
]
RepoName = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,100}$"),
    Field(
        json_schema_extra={"not": {"pattern": r"^\.+$|\.([gG][iI][tT]|[wW][iI][kK][iI]|[aA][tT][oO][mM])$"}}
    ),
]
OrgName = Annotated[
    str,
    StringConstraints(
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*$", max_length=255
    ),
]
"""The widest that any host takes; the chosen one has a narrower rule (`gencode.githosts.types`)."""
HostName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}$")]
ModelName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$")]

_IN_WORDS = {
    "repo_name": "must be 1 to 100 characters of A-Z a-z 0-9 . _ -",
    "github_org": "must be a name of A-Z a-z 0-9 . _ -, or several with / between them",
    "host": "must be a name of a-z 0-9 . _ -",
    "model": "must be a name of A-Z a-z 0-9 . _ : / -, beginning with a letter or digit",
    "callback_url": "must be an http or https address of ASCII characters",
}
"""What the patterns ask for: pydantic's own message shows the bare regular expression."""

_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)


def _decimal(value: object) -> object:
    """A JSON number as it was written: 0.1 is no binary fraction here."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def whole(value: object) -> object:
    """1.0 is an integer to JSON Schema, and to most who write JSON."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _moment(value: object) -> object:
    """Python reads more than RFC 3339 allows, such as 2026-W01-1."""
    if not isinstance(value, str):
        return value
    if not _RFC_3339.fullmatch(value.upper()):
        raise ValueError("must be a moment with its zone, such as 2030-01-31T18:00:00Z")
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except OverflowError:
        raise ValueError("must be a moment that a calendar can hold") from None


Tokens = Annotated[int, Field(ge=1, le=10**12), BeforeValidator(whole)]
Money = Annotated[
    Decimal,
    Field(gt=0, max_digits=18, decimal_places=9, strict=False),
    BeforeValidator(_decimal),
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
Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]
Deliver = Literal["checked", "best_effort"]


CallbackURL = Annotated[
    str,
    StringConstraints(max_length=2048, pattern=r"^[hH][tT][tT][pP][sS]?://[!-~]+$"),
    Field(description="Told of each status; where it leads must be allowed, see the documents"),
]


class GenerateRequest(BaseModel):
    """What POST /api/v1/generate takes."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    prompt: Prompt
    repo_name: RepoName
    model: ModelName | None = None
    github_org: OrgName | None = None
    host: HostName | None = None
    private: bool = True
    allow_secrets: bool = False
    deliver: Deliver = "checked"
    max_tokens: Tokens | None = None
    max_cost: Money | None = None
    deadline: Moment | None = None
    cache: bool | None = None
    include_report: bool = False
    callback_url: CallbackURL | None = None
    approve_plan: bool = False

    @field_validator("prompt")
    @classmethod
    def _says_something(cls, prompt: str) -> str:
        if not prompt.strip() or "\0" in prompt:
            raise ValueError("must say something, without NUL characters")
        return prompt

    @field_validator("repo_name")
    @classmethod
    def _can_be_created(cls, name: str) -> str:
        if not name.strip(".") or name.lower().endswith(_RESERVED):
            raise ValueError("must not be dots only nor end in .git, .wiki or .atom")
        return name


class RetryRequest(BaseModel):
    """What POST /api/v1/task/{task_id}/retry may take: other limits than the task had; null lifts one."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    deliver: Deliver = "checked"
    max_tokens: Tokens | None = None
    max_cost: Money | None = None
    deadline: Moment | None = None


def check_deadline(asked: GenerateRequest | RetryRequest) -> None:
    """Apart, since a submission that is repeated after its deadline was accepted before. Raises Invalid."""
    if asked.deadline and asked.deadline <= now():
        rule = "must be in the future"
        raise Invalid(f"deadline: {rule}", [{"field": "deadline", "rule": "value_error", "message": rule}])


def check_cache(asked: GenerateRequest, *, on: bool) -> None:
    """Raises Invalid for a request that counts on the cache while there is none."""
    if asked.cache and not on:
        rule = "the prompt cache is off: leave it out, or set PROMPT_CACHE"
        raise Invalid(f"cache: {rule}", [{"field": "cache", "rule": "off", "message": rule}])


SUBMISSION = JsonBody(model=GenerateRequest, pattern_messages=_IN_WORDS)


def well_formed(body: Any) -> GenerateRequest:
    """Whatever the time is. Raises Invalid."""
    return validate(GenerateRequest, body, _IN_WORDS)
