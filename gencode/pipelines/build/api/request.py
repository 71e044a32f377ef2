"""The request of a build."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gencode.delivery.request import PATTERN_MESSAGES, HostName, OrgName, RepoName
from gencode.http.base_models import RequestModel
from gencode.model_tasks.request import ModelTaskRequest
from gencode.workspace.resources.models import RowId

__all__ = ["PATTERN_MESSAGES", "BlueprintBuildRequest", "BuildRequest", "RegenerateRequest"]


class BuildStack(RequestModel):
    """What the project is built with. `mysql` is for MariaDB, too."""

    backend: Literal["fastapi"] = "fastapi"
    database: Literal["postgresql", "mysql"] = "postgresql"
    frontend: Literal["vue", "none"] = "none"


class Delivery(RequestModel):
    """The repository that the project is pushed to; it is created."""

    repo_name: RepoName
    github_org: OrgName | None = None
    host: HostName | None = None
    private: bool = True


class BlueprintBuildRequest(ModelTaskRequest):
    """A build of the blueprint that the path names.

    holes  `model` writes what business flows do, unless an earlier build of the project has written it for
           the same inputs; `rewrite` writes all anew; `skeleton` leaves them unwritten
    template_set  a proven set whose files are added to the project, or replace those of the same paths; not
                  sent: that of the project's `tech_stack`; null: none
    deliver  null: the project is an archive only
    allow_data_loss  whether steps of the migration that may lose data need no approval
    """

    stack: BuildStack = Field(default_factory=BuildStack)
    template_set: RowId | None = None
    holes: Literal["model", "rewrite", "skeleton"] = "model"
    deliver: Delivery | None = None
    allow_data_loss: bool = False


class RegenerateRequest(ModelTaskRequest):
    """A build that is compared with an earlier one, for the same stack.

    blueprint_id  another version; null: the blueprint of the earlier build, as it is now
    template_set  not sent: that of the earlier build; null: none
    update_repository  whether it becomes a commit in the repository that the earlier build has delivered: on
                  its default branch, or on one of its own if somebody has changed that
    """

    blueprint_id: RowId | None = None
    template_set: RowId | None = None
    holes: Literal["model", "rewrite", "skeleton"] = "model"
    deliver: Delivery | None = None
    update_repository: bool = False
    allow_data_loss: bool = False


class BuildRequest(BlueprintBuildRequest):
    """A build of a valid blueprint: of a draft as it is now, or of a published version.

    regenerates  the task of an earlier build: what changes is told
    update_repository  as RegenerateRequest has it
    """

    blueprint_id: RowId
    regenerates: RowId | None = None
    update_repository: bool = False
