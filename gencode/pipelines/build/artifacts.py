"""What the stages take and return, and what is stored of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from gencode.certification import Certificate
from gencode.delivery.artifacts import RepositoryCheckpoint
from gencode.githosts.port import RepositorySpec
from gencode.model_tasks.calls import ModelRun
from gencode.pipelines.build.holes.filling import Hole, filled

HoleMode = Literal["model", "rewrite", "skeleton"]


class Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class HoleOutcome(Stored):
    """What became of a hole.

    source  who wrote what stands there: this task's `model`, an earlier one (`kept`), or nobody (`default`)
    body    without indentation; "" if the declared one stands there
    reason  why nobody wrote it
    digest  of what the model was told
    model   that wrote it
    """

    name: str
    path: str
    source: Literal["model", "kept", "default"]
    body: str = ""
    reason: str = ""
    digest: str = ""
    model: str = ""


class HoleOutcomes(Stored):
    holes: tuple[HoleOutcome, ...] = ()


class RenderedProject(Stored):
    """files      texts by path
    templates  digest of the templates
    findings   of the validator: warnings, since a blueprint with errors is not built
    """

    files: Mapping[str, str]
    holes: tuple[Hole, ...] = ()
    templates: str
    findings: tuple[Mapping[str, Any], ...] = ()


class ArchiveFacts(Stored):
    """commit    id of the commit that holds exactly these files
    tree      of its tree
    checksum  digest of the blueprint, the templates and the commit
    sha256    of the archive
    """

    file_count: int
    commit: str
    tree: str
    checksum: str
    sha256: str
    bytes: int


class UpdateTarget(Stored):
    """A repository that a build has delivered.

    marker  of the task that has created it
    commit  that was delivered last
    tree    of that commit
    """

    marker: str
    repository: RepositoryCheckpoint
    commit: str
    tree: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Given:
    """The stored request.

    blueprint     the document, as it was when the task was submitted
    predecessors  the published versions that it was made from, the oldest first
    digest        of it
    project_name  identifier of the project; names the folder of the archive
    scope         see gencode.workspace.builds.tables.WrittenHole
    template_set  content of the set that is rendered over the official ones; None: none
    holes         whether a model writes them; `rewrite`: also those that an earlier one has written
    repository    that is created for it; None: none
    update        where it becomes a commit on an earlier one; None: nowhere
    regenerates   the earlier build that it is compared with
    language      of the task's messages
    may_lose_data whether the request, or a person since, allows a migration that may lose data
    """

    run: ModelRun
    blueprint_id: str
    version_tag: str
    blueprint: Mapping[str, Any]
    predecessors: tuple[Mapping[str, Any], ...]
    digest: str
    project_name: str
    stack: Mapping[str, str]
    scope: str
    holes: HoleMode
    repository: RepositorySpec | None = None
    update: UpdateTarget | None = None
    template_set: Mapping[str, Any] | None = None
    regenerates: str | None = None
    language: str = "en"
    may_lose_data: bool = False


@dataclass(frozen=True, kw_only=True)
class Built:
    """A project. `holes`: what became of them; empty until that is known."""

    given: Given
    rendered: RenderedProject
    holes: tuple[HoleOutcome, ...] = ()

    @cached_property
    def files(self) -> Mapping[str, str]:
        """With what was written into the holes."""
        return filled_files(self.rendered, self.holes)


def filled_files(rendered: RenderedProject, holes: Iterable[HoleOutcome]) -> Mapping[str, str]:
    bodies = {one.name: one.body for one in holes if one.source != "default"}
    return filled(rendered.files, rendered.holes, bodies)


@dataclass(frozen=True, kw_only=True, slots=True)
class Archived:
    """`certificate`: None until it is known that nothing failed."""

    built: Built
    facts: ArchiveFacts
    certificate: Certificate | None = None
