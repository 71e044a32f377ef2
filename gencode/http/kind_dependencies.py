"""The dependencies that the composition root passes to a kind of task, and the factory that receives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gencode.codegen.project_checker import ProjectChecker
from gencode.engine.ports.store import Store
from gencode.githosts.port import GitHost
from gencode.http.checkpoint_reader import CheckpointReader
from gencode.http.kinds import Kind, KindRuntime
from gencode.llm.prices import Price
from gencode.llm.progress_tracker import ProgressRegistry
from gencode.llm.session import LLMSessionFactory
from gencode.observability.metrics import Metrics
from gencode.security.secret_registry import SecretRegistry
from gencode.settings import Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectTemplate:
    """A project that answers many prompts in the same way.

    title       the description of the project, by language: {"en": "a static page ...", "zh": ...}
    nearest_to  the technology that the prompt names, if no template uses it, else ""
    """

    name: str
    title: Mapping[str, str]
    nearest_to: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ChosenModel:
    """The model that answers a request.

    is_fallback  no model is configured, and the embedded one replaces the one that the request names
    template     for the offline model only: returns the project template used for a prompt
    """

    name: str
    is_fallback: bool
    template: Callable[[str], ProjectTemplate] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class KindDependencies:
    """The dependencies of a kind, ready to use while the service runs.

    choose_model          returns the model for a request's `model` (None for the default); raises Invalid
    choose_host           returns the name of the Git host for a request's `host`, account and repository;
                          raises Invalid
    price                 returns the price of a model; None if it is not configured
    local_forge           the address of the local forge; "" if it does not run
    models_configuration  the configuration of models that influences answers, as JSON without secrets
    checkpoint_reader     for endpoints that read a whole project
    checker               parses untrusted texts in separate processes
    """

    settings: Settings = field(repr=False)
    store: Store
    sessions: LLMSessionFactory
    choose_model: Callable[[str | None], ChosenModel]
    price: Callable[[str], Price | None]
    models_configuration: str
    git_host: GitHost
    local_forge: str
    choose_host: Callable[[str | None, str | None, str], str]
    metrics: Metrics
    progress_registry: ProgressRegistry
    secrets: SecretRegistry = field(repr=False)
    checkpoint_reader: CheckpointReader
    checker: ProjectChecker


@dataclass(frozen=True, kw_only=True, slots=True)
class KindFactory:
    """A kind as its package exports it. `start` is called once in each run of the service."""

    kind: Kind
    start: Callable[[KindDependencies], KindRuntime]
