"""What flows through the generate pipeline, each a frozen value that the next stage takes.

Brief --generating--> Draft --merging_files--> Project --creating_repo--> Placed --pushing--> Delivered
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from gencode.domain.tree import Tree
from gencode.githosts.port import Repository, Snapshot
from gencode.llm.budget import Budget
from gencode.llm.port import Usage

APPROVED = "approved"
PIECE = "piece"
PART = "part"
REPAIR = "repair"
"""Names of kept parts: piece:N:PATH, partPART:N:PATH and repairROUND:N:PATH, N counting answers from 1."""
OUTLINE = "outline"
"""Of outline:1:PATH."""
REPORT = ".gencode/report.json"
"""Where a commit has the report of the task that made it, if that was asked for."""
MOST_LINES = 10**6
"""Of one planned file. A model can say any number, and there are integers that no float can hold."""
Name = Annotated[str, Field(max_length=300)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class PlannedFile(_Frozen):
    """One entry of a plan. `exports`: names others may use; `needs`: paths of files that it uses; `lines`:
    how long it is expected to become (0: not said)."""

    path: Annotated[str, Field(min_length=1)]
    purpose: Annotated[str, Field(max_length=2000)] = ""
    exports: tuple[Name, ...] = ()
    needs: tuple[Name, ...] = ()
    lines: Annotated[int, Field(ge=0), AfterValidator(lambda lines: min(lines, MOST_LINES))] = 0


class Plan(_Frozen):
    """What the model means to write."""

    summary: Annotated[str, Field(max_length=2000)] = ""
    files: Annotated[tuple[PlannedFile, ...], Field(min_length=1)]


class Piece(_Frozen):
    """What one model call gave for a file, as it is kept: a call that is kept is never made again.

    follows  how many characters of the earlier pieces, joined, stay in front of this one
    whole    the model said that it was done
    joined   no answer: the text is the file as it is to be, put together or taken over here
    """

    text: str
    follows: int = 0
    whole: bool
    usage: Usage = Usage()
    joined: bool = False


class KeptPlan(_Frozen):
    """A plan as it is kept, with what it cost. `revision`: 1 as the model made it, one more a change."""

    plan: Plan
    usage: Usage = Usage()
    revision: int = 1


class KeptApproval(_Frozen):
    """A person's word: the files of this revision of the plan may be written."""

    revision: int


class KeptOutline(_Frozen):
    """What each part of a large file holds; none: it is written in one go after all."""

    parts: tuple[Annotated[str, Field(min_length=1, max_length=2000)], ...] = ()
    usage: Usage = Usage()


class KeptUsage(_Frozen):
    """What an answer cost that could not be used."""

    usage: Usage


class KeptSnapshot(_Frozen):
    """The commit as it is kept: whatever version of this code goes on, its SHA is the same."""

    files: Mapping[str, str]
    message: str
    author: str
    at: datetime
    branch: str

    def snapshot(self, ready: Mapping[str, bytes] | None = None, *, workflows: bool = False) -> Snapshot:
        """Proves the tree anew. Raises UnsafePath, UnsafeTree."""
        files = {path: text.encode() for path, text in self.files.items()}
        tree = Tree.of(files, workflows=workflows)
        return Snapshot(
            tree=tree,
            message=self.message,
            author=self.author,
            at=self.at,
            branch=self.branch,
            ready=ready or {},
        )


class KeptRepo(_Frozen):
    owner: str
    name: str
    web_url: str
    clone_url: str
    host: str = ""


class KeptPush(_Frozen):
    commit: str


@dataclass(frozen=True, kw_only=True, slots=True)
class GenerateInput:
    """What was asked, and what earlier runs of the task have already paid for."""

    task_id: str
    client: str
    prompt: str
    model: str
    cache: bool
    """Whether an earlier task may answer, and later ones may be answered by this."""
    name: str
    org: str | None
    host: str
    """The name of the Git host; "" of a task older than hosts had names."""
    private: bool
    allow_secrets: bool
    language: str
    at: datetime
    plan: Plan | None
    pieces: Mapping[str, tuple[Piece, ...]]
    outlines: Mapping[str, KeptOutline]
    """By path."""
    parts: Mapping[int, Mapping[str, tuple[Piece, ...]]]
    """By number, from 1: what was answered of files that are written in parts."""
    repairs: Mapping[int, Mapping[str, tuple[Piece, ...]]]
    """By round, from 1: files written anew because a check found faults in them."""
    spent: Usage
    budget: Budget
    best_effort: bool
    include_report: bool
    retries: Mapping[str, int]
    """By the code of a failure, how often the task was taken up again after it: each time it may try anew."""
    unapproved: bool
    """No file may be begun: a person is to approve the plan first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """A plan, and for each of its files the pieces that make it whole. `spent`: on all calls so far."""

    input: GenerateInput
    plan: Plan
    pieces: Mapping[str, tuple[Piece, ...]]
    spent: Usage
    ready: Mapping[str, bytes] = field(default_factory=dict, compare=False, repr=False)
    """Files that are deflated for the push already (see gencode.githosts.port.Snapshot); none after a restart."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Project:
    """The finished tree as the commit that it will be."""

    input: GenerateInput
    snapshot: Snapshot


@dataclass(frozen=True, kw_only=True, slots=True)
class RepositoryCreated:
    """A project and the repository that was made for it."""

    project: Project
    repo: Repository


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivered:
    repo: Repository
    sha: str
