"""The operations of deployment configs beside those of every resource."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from gencode.http.base_models import ResponseModel
from gencode.http.dependencies import get_extension, get_principal
from gencode.http.operation import operation
from gencode.http.response_specs import JsonResponseSpec
from gencode.workspace.deployments.resource import DEPLOYMENTS, config_of
from gencode.workspace.parameters import ONE, id_in_path
from gencode.workspace.projects.resource import PROJECTS
from gencode.workspace.resources.routes import ListWithin, list_operation, operations_of
from gencode.workspace.workspace import Workspace


class DeploymentFile(ResponseModel):
    path: str
    text: str


class RenderedDeployment(ResponseModel):
    """`missing`: secrets whose values must be filled in in `.env`: they are never shown. The password of the
    database, which is the project's own, is one of them."""

    files: list[DeploymentFile]
    missing: list[str]


RENDERED = JsonResponseSpec(model=RenderedDeployment, description="Files beside the project's compose.yaml")


@operation(
    "renderDeployment",
    "GET /deployments/{id:uuid}/rendered",
    "Show a deployment config as files for Compose",
    traits=(ONE,),
    responses=(RENDERED,),
)
async def render(request: Request) -> Response:
    from gencode.workspace.deployments import rendering  # noqa: PLC0415 - with the YAML library

    store = get_extension(request, Workspace).resource(DEPLOYMENTS)
    row = await store.get(id_in_path(request), get_principal(request).id)
    files = rendering.rendered_files(config_of(row), row.secrets_names)
    return RENDERED.make(
        RenderedDeployment(
            files=[DeploymentFile(path=path, text=text) for path, text in files.items()],
            missing=rendering.missing_secrets(row.secrets_names),
        )
    )


OF_A_PROJECT = ListWithin(
    name="listProjectDeployments",
    path="/projects/{id:uuid}/deployments",
    summary="List the deployment configs of a project",
    column="project_id",
    parent=PROJECTS,
)
DEPLOYMENT_OPERATIONS = (*operations_of(DEPLOYMENTS), list_operation(DEPLOYMENTS, OF_A_PROJECT), render)
