"""The request of a task, and its check."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from gencode.domain.errors import Invalid, NotFound
from gencode.domain.phrase import Phrase
from gencode.domain.task import PENDING
from gencode.http.kind_dependencies import ChooseModel
from gencode.http.kinds import PreparedTask, Submitter
from gencode.model_tasks.request import ModelTaskRequest, choose_model, stored_request
from gencode.pipelines.blueprint.collecting import Requirements
from gencode.pipelines.blueprint.messages import MESSAGES
from gencode.pipelines.blueprint.source import MAX_CHARACTERS
from gencode.workspace.blueprints.resource import BLUEPRINTS, Name, VersionTag
from gencode.workspace.blueprints.table import BlueprintRow
from gencode.workspace.errors import BlueprintPublished
from gencode.workspace.projects.access import IN_PROJECT
from gencode.workspace.resources.access import Action
from gencode.workspace.resources.models import TEXT_WITHOUT_NUL, RowId
from gencode.workspace.workspace import Workspace

MAX_DOCUMENTS = 20
RequirementText = Annotated[
    str,
    StringConstraints(max_length=MAX_CHARACTERS, pattern=TEXT_WITHOUT_NUL),
    Field(description="The requirements"),
]
RequirementIds = Annotated[
    list[RowId],
    Field(max_length=MAX_DOCUMENTS, description="Requirement documents: what was found in them counts"),
]


class BlueprintParse(ModelTaskRequest):
    """Proposes a change of a draft, from further requirements: `text`, `requirement_ids` or both."""

    text: RequirementText = ""
    requirement_ids: RequirementIds = Field(default_factory=list)


class BlueprintRequest(BlueprintParse):
    """Makes a blueprint of requirements: `text`, `requirement_ids` or both.

    name          of the draft; default: what the application is called
    version_tag   of the draft; default: the first of 0.1.0, 0.2.0, ... that is free in the project
    blueprint_id  a draft that is changed: the task ends with a proposal
    """

    name: Name | None = None
    project_id: RowId | None = Field(None, description="Null: the draft is one's own")
    version_tag: VersionTag | None = None
    blueprint_id: RowId | None = None


class Preparation:
    def __init__(self, workspace: Workspace, choose: ChooseModel) -> None:
        self._workspace = workspace
        self._requirements = Requirements(workspace)
        self._choose = choose

    async def prepare(self, request: BlueprintRequest, submitter: Submitter) -> PreparedTask:
        """Raises Invalid, NotFound for a blueprint, Forbidden, ProjectArchived, BlueprintPublished."""
        owner = submitter.principal.id
        await self._check_text(request, owner)
        name = await self._check_place(request, owner)
        model = await choose_model(request, submitter, self._choose)
        stored = {**stored_request(request), **model.parameters()}
        short: dict[str, Any] = {key: value for key, value in stored.items() if key != "text"}
        return PreparedTask(
            request=stored,
            parameters={**short, "title": name or _first_line(request.text)},
            message=MESSAGES[PENDING][submitter.language],
        )

    async def _check_text(self, request: BlueprintRequest, owner: str) -> None:
        for position, document_id in enumerate(request.requirement_ids):
            try:
                await self._requirements.document(document_id, owner)
            except NotFound as error:
                raise Invalid.of(f"requirement_ids.{position}", "unknown", error.message) from None
        text = await self._requirements.text(request.model_dump(), owner)
        if not text.strip():
            raise Invalid.of("text", "missing", "give the requirements as text, or documents of them")
        if len(text) > MAX_CHARACTERS:
            raise Invalid.of(
                "text",
                "too_long",
                Phrase(
                    "all requirements together have {text} characters, at most {max_characters} are "
                    "read: analyse the documents first, or give fewer",
                    text=len(text),
                    max_characters=MAX_CHARACTERS,
                ),
            )

    async def _check_place(self, request: BlueprintRequest, owner: str) -> str | None:
        """The name of what is made, if it is known."""
        if request.blueprint_id is None:
            row = BlueprintRow(project_id=request.project_id, owner=owner)
            async with self._workspace.database.transaction() as session:
                await IN_PROJECT.check(session, row, owner, Action.CREATE)
            return request.name
        for field in ("name", "project_id", "version_tag"):
            if getattr(request, field) is not None:
                raise Invalid.of(field, "not_allowed", "the draft that is changed has one already")
        draft = await self._workspace.resource(BLUEPRINTS).get_writable(request.blueprint_id, owner)
        if not draft.is_draft:
            raise BlueprintPublished(
                "a published version is not changed: make a new one from it, and parse for that"
            )
        return draft.name


def _first_line(text: str) -> str:
    return " ".join(text.split())[:60]
