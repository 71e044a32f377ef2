"""What plans allow and what has been used of it; admins of the service change the plan of a team."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from gencode.domain.errors import NotFound
from gencode.http.body_specs import JsonBody
from gencode.http.dependencies import get_extension, get_principal
from gencode.http.operation import operation
from gencode.http.response_specs import JsonResponseSpec
from gencode.workspace.audit.log import Change
from gencode.workspace.identity.actor import user_id_of
from gencode.workspace.identity.tables import User
from gencode.workspace.parameters import ONE, actor_of, id_in_path
from gencode.workspace.plans.end_date import plan_today
from gencode.workspace.plans.generations import all_generations_of, generations_of, team_subject, this_month
from gencode.workspace.plans.quotas import members_of, projects_of, storage_of
from gencode.workspace.plans.views import SubscriptionView, TeamPlanChange, TeamUsage, UseView
from gencode.workspace.teams.access import require_team
from gencode.workspace.teams.resource import TeamView, view_of
from gencode.workspace.teams.roles import TEAM_ROLES
from gencode.workspace.teams.tables import Team
from gencode.workspace.workspace import Workspace

CHANGE = JsonBody(model=TeamPlanChange)
CHANGED = JsonResponseSpec(model=TeamView, description="The team with its plan")
USAGE = JsonResponseSpec(model=TeamUsage, description="What the team has used of its plan")
SUBSCRIPTION = JsonResponseSpec(model=SubscriptionView, description="One's plan, and what was used of it")


@operation(
    "changeTeamPlan",
    "PATCH /teams/{id:uuid}/plan",
    "Change the plan, the limits or the status of a team",
    traits=(ONE,),
    body=CHANGE,
    responses=(CHANGED,),
)
async def change_plan(request: Request) -> Response:
    changes = (await CHANGE.read(request)).model_dump(mode="json", exclude_unset=True)
    workspace, actor = get_extension(request, Workspace), actor_of(request)
    async with workspace.database.transaction() as session:
        team = await session.get(Team, id_in_path(request), with_for_update=True)
        if team is None or team.is_deleted:
            raise NotFound("there is no such team")
        before = {name: getattr(team, name) for name in changes}
        for name, value in changes.items():
            setattr(team, name, value)
        team.version += 1
        change = Change(
            actor=actor.id,
            action="Team.plan_changed",
            subject=f"Team:{team.id}",
            address=actor.address,
            before=before,
            after=changes,
        )
        await session.flush()
        await workspace.audit.append(session, change)
    return CHANGED.make(view_of(team))


@operation(
    "getTeamUsage",
    "GET /teams/{id:uuid}/usage",
    "Show what a team has used of its plan",
    traits=(ONE,),
    responses=(USAGE,),
)
async def get_usage(request: Request) -> Response:
    workspace, principal = get_extension(request, Workspace), get_principal(request).id
    rules = workspace.plans
    async with workspace.database.transaction() as session:
        team = await require_team(session, id_in_path(request), principal, TEAM_ROLES["getTeamUsage"])
        plan = plan_today(team.subscription_plan, team.subscription_ends_on)
        usage = TeamUsage(
            subscription_plan=plan,
            subscription_ends_on=team.subscription_ends_on,
            month=this_month(),
            members=UseView.of(await members_of(session, team, rules)),
            projects=UseView.of(await projects_of(session, team, rules)),
            storage_mb=UseView.in_megabytes(await storage_of(session, team, rules)),
            generations=UseView.of(await generations_of(session, team_subject(team.id).id, plan, rules)),
        )
    return USAGE.make(usage)


@operation(
    "getOwnSubscription",
    "GET /users/me/subscription",
    "Show one's plan, and what was used of it in this month",
    responses=(SUBSCRIPTION,),
)
async def get_subscription(request: Request) -> Response:
    workspace, principal = get_extension(request, Workspace), get_principal(request).id
    async with workspace.database.transaction() as session:
        user = await session.get_one(User, user_id_of(principal))
        plan = plan_today(user.subscription_level, user.subscription_ends_on)
        use = await generations_of(session, principal, plan, workspace.plans)
        total = await all_generations_of(session, principal)
    view = SubscriptionView(
        subscription_level=plan,
        subscription_ends_on=user.subscription_ends_on,
        month=this_month(),
        monthly_generation_limit=use.limit,
        monthly_generation_used=use.used,
        total_generation_count=total,
    )
    return SUBSCRIPTION.make(view)


PLAN_OPERATIONS = (change_plan, get_usage, get_subscription)
