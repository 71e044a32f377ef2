"""What a request may name: GET /api/v1/models, /api/v1/hosts, and whether a repository's name is free."""

from __future__ import annotations

from typing import Literal

import anyio
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from gencode.domain.errors import Invalid
from gencode.githosts.errors import HostError, RepoExists
from gencode.githosts.port import RepositorySpec
from gencode.http.base_models import ResponseModel, Words
from gencode.http.common_declarations import RATE_LIMITED
from gencode.http.dependencies import get_extension, get_principal, get_services
from gencode.http.operation import operation
from gencode.http.parameter_types import Parameter, Text
from gencode.http.response_specs import JsonResponseSpec
from gencode.pipelines.generate.api.services import GenerateServices

CHECK_SECONDS = 5.0
"""The longest time for which a host is asked about a name."""
RATE = "repository-name"
"""Questions about names have a rate limit of their own, as high as that of submissions."""


class ModelChoice(ResponseModel):
    """A model that a request's `model` may name."""

    name: str = Field(description="For the field `model`")
    title: Words = Field(description="The id of the model, or the name of a model config")
    is_own: bool = Field(description="Whether it is a model config of yours")
    has_price: bool = Field(description="Whether its cost is known, which `max_cost` needs")


class ModelChoices(ResponseModel):
    """The models that you can use. A provider takes other ids of models, too: provider/model-id."""

    default: str = Field(description="Answers a request without `model`")
    models: list[ModelChoice]


class HostChoice(ResponseModel):
    """A Git host that a request's `host` may name."""

    name: str = Field(description="For the field `host`")
    kind: str
    repository_rule: str = Field(description="Names of repositories there must be ...")


class HostChoices(ResponseModel):
    """The configured Git hosts."""

    default: str
    hosts: list[HostChoice]


class NameAvailability(ResponseModel):
    """Whether a repository of this name could be created now."""

    availability: Literal["free", "taken", "refused", "unknown"] = Field(
        description="refused: no task would be accepted; unknown: the host did not say so in time, or refuses"
    )
    field: str | None = Field(None, description="The field that is refused: repo_name, host or github_org")
    message: Words | None = Field(None, description="Why it is refused")


MODELS = JsonResponseSpec(model=ModelChoices, description="Yours first")
HOSTS = JsonResponseSpec(model=HostChoices, description="The default one is named")
AVAILABILITY = JsonResponseSpec(model=NameAvailability, description="Nothing was created")

NAME = Parameter(
    name="repo_name", location="query", description="As the field repo_name", type=Text(), default=""
)
HOST = Parameter(name="host", location="query", description="As the field host", type=Text(), default=None)
ACCOUNT = Parameter(
    name="github_org", location="query", description="As the field github_org", type=Text(), default=None
)


@operation("listModels", "GET /models", "The models that you can use", responses=(MODELS,))
async def list_models(request: Request) -> Response:
    services, principal = get_extension(request, GenerateServices), get_principal(request)
    default, options = await services.list_models(principal.id)
    found = [
        ModelChoice(name=one.name, title=one.title, is_own=one.is_own, has_price=one.has_price)
        for one in options
    ]
    return MODELS.make(ModelChoices(default=default, models=found))


@operation("listHosts", "GET /hosts", "The Git hosts that are configured", responses=(HOSTS,))
async def list_hosts(request: Request) -> Response:
    default, options = get_extension(request, GenerateServices).list_hosts()
    found = [HostChoice(name=one.name, kind=one.kind, repository_rule=one.rule) for one in options]
    return HOSTS.make(HostChoices(default=default, hosts=found))


@operation(
    "checkRepositoryName",
    "GET /repository-name",
    "Whether a repository's name is free",
    traits=(RATE_LIMITED,),
    parameters=(NAME, HOST, ACCOUNT),
    responses=(AVAILABILITY,),
)
async def check_repository_name(request: Request) -> Response:
    """Asks the host what it is asked before each task. Of a name that is taken it tells neither the owner nor
    whether the repository is private."""
    services, principal = get_extension(request, GenerateServices), get_principal(request)
    headers = await get_services(request).rate.spend(principal.id, RATE)
    found = await _availability(services, NAME.read(request), HOST.read(request), ACCOUNT.read(request))
    return AVAILABILITY.make(found, headers)


async def _availability(
    services: GenerateServices, name: str, host: str | None, account: str | None
) -> NameAvailability:
    try:
        chosen = services.choose_host(host or None, account or None, name)
    except Invalid as error:
        broken = error.problems[0]
        return NameAvailability(availability="refused", field=broken["field"], message=broken["message"])
    spec = RepositorySpec(
        name=name, org=account or None, private=True, description="", marker="", host=chosen
    )
    with anyio.move_on_after(CHECK_SECONDS):
        try:
            await services.git_host.check(spec)
        except RepoExists:
            return NameAvailability(availability="taken")
        except HostError:
            return NameAvailability(availability="unknown")
        return NameAvailability(availability="free")
    return NameAvailability(availability="unknown")
