"""The dependencies of generate's own endpoints and tools."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.requests import Request

from gencode.domain.errors import NotFound
from gencode.domain.phrase import Phrase
from gencode.domain.task import Task
from gencode.engine.ports.store import Store
from gencode.githosts.port import GitHost
from gencode.http.checkpoint_reader import CheckpointReader
from gencode.http.dependencies import own_task
from gencode.http.generation_limits import GenerationLimits
from gencode.http.kind_dependencies import ChooseModel, ListHosts, ListModels
from gencode.llm.prices import Price
from gencode.llm.progress_tracker import ProgressRegistry
from gencode.security.secret_registry import SecretRegistry

NAME = "generate"
"""The name of the kind."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GenerateServices:
    """See KindDependencies.

    is_cache_enabled  an earlier task may answer in place of the model
    workflows         projects may have .github/workflows
    max_output_tokens of one answer of a model
    secrets           of this service, which no response may contain
    """

    store: Store
    checkpoint_reader: CheckpointReader
    choose_model: ChooseModel
    list_models: ListModels
    list_hosts: ListHosts
    git_host: GitHost
    choose_host: Callable[[str | None, str | None, str], str]
    price: Callable[[str], Price | None]
    progress_registry: ProgressRegistry
    limits: GenerationLimits
    is_cache_enabled: bool
    workflows: bool
    max_output_tokens: int
    secrets: SecretRegistry = field(repr=False)


async def own_generate_task(request: Request) -> Task:
    """The task of the path. Raises NotFound for another principal's, and for one of another kind."""
    return check_kind(await own_task(request))


def check_kind(task: Task) -> Task:
    """Raises NotFound for a task of another kind."""
    if task.kind != NAME:
        raise NotFound(Phrase("a task of kind {kind!r} has nothing here", kind=task.kind[:100]))
    return task
