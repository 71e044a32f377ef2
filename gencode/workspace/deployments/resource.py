"""The resource of deployment configs: bodies, view, rules."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints
from sqlalchemy import inspect
from sqlalchemy.ext.asyncio import AsyncSession

from gencode.domain.errors import Invalid
from gencode.domain.phrase import Phrase
from gencode.domain.task import rfc3339
from gencode.http.base_models import Moment, RequestModel, ResponseModel
from gencode.workspace.blueprints.resource import VersionTag
from gencode.workspace.deployments.config import (
    MAX_VARIABLES,
    EnvironmentConfig,
    EnvName,
    SecretValues,
    names_given_twice,
)
from gencode.workspace.deployments.table import DeploymentConfig, DeploymentStatus
from gencode.workspace.projects.access import IN_PROJECT
from gencode.workspace.resources.declaration import Resource
from gencode.workspace.resources.models import PRINTABLE, RowId, unchanged
from gencode.workspace.tables import now

Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=PRINTABLE)]


class DeploymentCreation(RequestModel):
    """`name`: for people. `secrets`: by name, for the back end."""

    project_id: RowId
    name: Name
    env_name: EnvName
    config_data: EnvironmentConfig = Field(default_factory=EnvironmentConfig)
    secrets: SecretValues = Field(default_factory=dict)


class DeploymentChange(RequestModel):
    """Fields that are not given stay as they are. `status` and `deployed_version` are told by who deploys."""

    name: Name = unchanged("")
    env_name: EnvName = unchanged("")
    config_data: EnvironmentConfig = unchanged(None)
    secrets: SecretValues = unchanged(None)
    status: DeploymentStatus = unchanged(DeploymentStatus.IDLE, is_enum=True)
    deployed_version: VersionTag | None = unchanged(None)


class DeploymentView(ResponseModel):
    """`secrets`: their names. `deployed_at`: when `deployed_version` was told."""

    id: str
    owner: str
    project_id: str
    name: str
    env_name: str
    config_data: EnvironmentConfig
    secrets: list[str]
    status: DeploymentStatus
    deployed_version: str | None
    deployed_at: Moment | None
    created_at: Moment
    updated_at: Moment


_COLUMNS = ("id", "owner", "project_id", "name", "env_name", "deployed_version")


def view_of(row: DeploymentConfig) -> DeploymentView:
    columns: dict[str, Any] = {name: getattr(row, name) for name in _COLUMNS}
    return DeploymentView(
        **columns,
        config_data=config_of(row),
        secrets=row.secrets_names,
        status=DeploymentStatus(row.status),
        deployed_at=rfc3339(row.deployed_at) if row.deployed_at else None,
        created_at=rfc3339(row.created_at),
        updated_at=rfc3339(row.updated_at),
    )


def config_of(row: DeploymentConfig) -> EnvironmentConfig:
    return EnvironmentConfig.model_validate(row.config_data)


async def _complete(_session: AsyncSession, row: DeploymentConfig) -> None:
    """Raises Invalid."""
    twice = names_given_twice(row.config_data.get("variables", {}), row.secrets_names or [])
    if twice:
        raise Invalid.of("secrets", "value_error", Phrase("{twice}: also a variable", twice=", ".join(twice)))
    if len(row.secrets_names or []) > MAX_VARIABLES:
        raise Invalid.of(
            "secrets",
            "too_long",
            Phrase("at most {max_variables} secrets", max_variables=MAX_VARIABLES),
        )
    if inspect(row).attrs.deployed_version.history.has_changes():
        row.deployed_at = now() if row.deployed_version else None


DEPLOYMENTS = Resource(
    name="Deployment",
    title="deployment config",
    path="/deployments",
    table=DeploymentConfig,
    creation=DeploymentCreation,
    change=DeploymentChange,
    view_model=DeploymentView,
    view=view_of,
    taken={"uq_deployments_project_env": "env_name"},
    filters=("project_id", "env_name"),
    secrets=("secrets",),
    before_flush=_complete,
    access=IN_PROJECT,
)
