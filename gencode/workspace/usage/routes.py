"""How people read what their model calls have used, and admins what all have."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from gencode.domain.errors import Forbidden, Invalid
from gencode.domain.principal import Principal, PrincipalKind
from gencode.http.base_models import ResponseModel
from gencode.http.dependencies import get_extension, get_principal
from gencode.http.operation import ErrorResponse, operation
from gencode.http.parameter_types import Choices, Parameter, Text, one_of
from gencode.http.response_specs import JsonResponseSpec
from gencode.workspace.identity.tables import UserRole
from gencode.workspace.parameters import PRINTABLE_TEXT
from gencode.workspace.tables import now
from gencode.workspace.usage.costs import cost_text
from gencode.workspace.usage.sums import COLUMNS, MAX_GROUPS, UsageQuery, UsageSum, usage_report
from gencode.workspace.workspace import Workspace


class UsageTotal(ResponseModel):
    """cost        of the calls whose cost is known, as text; null if there are none
    unpriced    calls whose cost is unknown
    estimated   calls whose tokens the provider did not report in full
    unsettled   calls under way, or broken off by a crash; they count at the most that they can use
    """

    calls: int
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    cost: str | None
    unpriced: int
    estimated: int
    unsettled: int


class UsageGroup(UsageTotal):
    """What it is not grouped by is null. `user`: the id of a principal."""

    month: str | None
    user: str | None
    model: str | None
    kind: str | None


class UsageView(ResponseModel):
    """`is_complete`: false if there are more groups than are shown."""

    first: str
    last: str
    total: UsageTotal
    groups: list[UsageGroup]
    is_complete: bool


USAGE = JsonResponseSpec(model=UsageView, description=f"The total, and at most {MAX_GROUPS} groups")
_MONTH = Text(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$", message="must be a month such as 2026-11")


def _month(name: str, description: str) -> Parameter[str | None]:
    return Parameter(name=name, location="query", description=description, type=_MONTH, default=None)


MONTH = _month("month", "One month (UTC), such as 2026-11; by default the present one")
FIRST = _month("from", "The first month, in place of `month`")
LAST = _month("to", "The last month; by default the present one")
GROUP_BY = Parameter(
    name="group_by",
    location="query",
    description="What the groups are by",
    type=Choices(values=tuple(COLUMNS)),
    default=["month", "model", "kind"],
    is_repeatable=True,
)
SCOPE = Parameter(
    name="scope",
    location="query",
    description="`own`, or `all` for that of all users (admins)",
    type=one_of("own", "all"),
    default="own",
)
USER, MODEL, KIND = (
    Parameter(name=name, location="query", description=text, type=PRINTABLE_TEXT, default="")
    for name, text in (
        ("user", "Of the principal with this id (admins)"),
        ("model", "Only with this model, such as deepseek/deepseek-chat"),
        ("kind", "Only of this kind of task"),
    )
)


@operation(
    "getUsage",
    "GET /usage",
    "What model calls have used, by month, user, model and kind of task",
    parameters=(MONTH, FIRST, LAST, GROUP_BY, SCOPE, USER, MODEL, KIND),
    responses=(USAGE,),
    errors=(ErrorResponse(error=Forbidden, description="Only admins see that of others"),),
)
async def get_usage(request: Request) -> Response:
    first, last = _months(request)
    query = UsageQuery(
        first=first,
        last=last,
        group_by=list(dict.fromkeys(GROUP_BY.read(request))),
        principal=_principal(request),
        model=MODEL.read(request),
        kind=KIND.read(request),
    )
    async with get_extension(request, Workspace).database.transaction() as session:
        report = await usage_report(session, query)
    groups = [_group(one) for one in report.groups]
    view = UsageView(
        first=first, last=last, total=_total(report.total), groups=groups, is_complete=report.is_complete
    )
    return USAGE.make(view)


def _months(request: Request) -> tuple[str, str]:
    """Raises Invalid."""
    month, first, last = MONTH.read(request), FIRST.read(request), LAST.read(request)
    if month and (first or last):
        raise Invalid.of("month", "value_error", "cannot be given together with from and to")
    present = f"{now():%Y-%m}"
    last = month or last or present
    first = month or first or last
    if first > last:
        raise Invalid.of("from", "value_error", "must not be after `to`")
    return first, last


def _principal(request: Request) -> str | None:
    """Whose usage is wanted; None for that of all. Raises Forbidden."""
    principal, user = get_principal(request), USER.read(request)
    wanted = user or (None if SCOPE.read(request) == "all" else principal.id)
    if wanted != principal.id and not _is_admin(principal):
        raise Forbidden("only admins see what others have used")
    return wanted


def _is_admin(principal: Principal) -> bool:
    is_local = principal.kind is PrincipalKind.LOCAL
    return is_local or principal.is_operator or UserRole.ADMIN in principal.roles


def _fields(found: UsageSum) -> dict[str, int | str | None]:
    return {
        "calls": found.calls,
        "prompt_tokens": found.prompt_tokens,
        "completion_tokens": found.completion_tokens,
        "cached_tokens": found.cached_tokens,
        "cost": None if found.cost is None else cost_text(found.cost),
        "unpriced": found.unpriced,
        "estimated": found.estimated,
        "unsettled": found.unsettled,
    }


def _total(found: UsageSum) -> UsageTotal:
    return UsageTotal.model_validate(_fields(found))


def _group(found: UsageSum) -> UsageGroup:
    return UsageGroup.model_validate({**dict.fromkeys(COLUMNS), **found.by, **_fields(found)})
