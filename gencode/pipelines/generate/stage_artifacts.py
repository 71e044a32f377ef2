"""The artifacts of the generate pipeline: each stage takes one and returns the next.

GenerateInput --generating--> Draft --merging_files--> Project, which gencode.delivery takes
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from gencode.codegen.file_checkpoints import Pieces, WritingJob
from gencode.codegen.plan import Plan
from gencode.githosts.port import RepositorySpec, Snapshot
from gencode.llm.budget import Budget
from gencode.llm.model_route import Failover
from gencode.llm.port import Usage


@dataclass(frozen=True, kw_only=True, slots=True)
class GenerateInput:
    """The request, and what earlier runs of the task have stored.

    cache             whether the prompt cache may be read for this task, and may return this task to later
                      ones
    host              the name of the Git host; "" for a task older than named hosts
    spent             tokens of all calls so far
    needs_approval    whether a user must approve the plan before any file is written
    """

    task_id: str
    client: str
    model: str
    cache: bool
    name: str
    org: str | None
    host: str
    private: bool
    allow_secrets: bool
    language: str
    at: datetime
    plan: Plan | None
    job: WritingJob
    spent: Usage
    budget: Budget
    include_report: bool
    needs_approval: bool
    failover: Failover = field(default_factory=Failover)


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """A plan, and for each of its files the answers that complete it.

    spent           tokens of all calls so far
    deflated_blobs  files that are already deflated for the push (see gencode.githosts.port.Snapshot); empty
                    after a restart
    """

    request: GenerateInput
    plan: Plan
    pieces: Pieces
    spent: Usage
    deflated_blobs: Mapping[str, bytes] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Project:
    """The validated files as the snapshot that will be committed."""

    request: GenerateInput
    snapshot: Snapshot

    @property
    def repository(self) -> RepositorySpec:
        return repository_spec(self.request, self.snapshot.message.partition("\n")[0])


def repository_spec(request: GenerateInput, description: str = "") -> RepositorySpec:
    """The repository of a task; its marker depends on the task alone."""
    return RepositorySpec(
        name=request.name,
        org=request.org,
        private=request.private,
        description=description,
        marker=f"gencode:{request.task_id}",
        host=request.host,
    )
