"""The manifest of a template set: which files it makes.

    {"name": "fastapi", "version": "1.0.0", "files": [
        {"path": "app/models/[[ entity.module ]].py", "template": "model.py.j2", "for": "entity"}, ...],
     "copies": [{"path": "requirements.lock", "source": "requirements.lock"}]}

`copies` are written as they are. `for` says how often a file is made: once (`project`), or for each `entity`,
`page` or `flow`; it sees the project's context and the one element. What is rendered as nothing is no file.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class TemplateFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)

    path: Annotated[str, Field(max_length=300)]
    template: Annotated[str, Field(max_length=200)]
    each: Literal["project", "entity", "page", "flow"] = Field(default="project", alias="for")


class CopiedFile(BaseModel):
    """A file of the set that every project has, such as a lock file."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    path: Annotated[str, Field(max_length=300)]
    source: Annotated[str, Field(max_length=200)]


class Manifest(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,49}$")]
    version: Annotated[str, Field(pattern=r"^\d{1,4}\.\d{1,4}\.\d{1,4}$")]
    files: Annotated[list[TemplateFile], Field(max_length=500)]
    copies: Annotated[list[CopiedFile], Field(max_length=100)] = Field(default_factory=list)
