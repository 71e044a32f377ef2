"""The factory of a kind of task, and the dependencies that the composition root passes to it."""

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
    """A project that is the same for many prompts.

    title       what it makes, by language: {"en": "a static page ...", "zh": ...}
    nearest_to  the technology that the prompt asks for, if no template has it, else ""
    """

    name: str
    title: Mapping[str, str]
    nearest_to: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ChosenModel:
    """The model that answers a request.

    is_fallback  no model is configured, and the embedded one answers in place of the one that the request
                 names
    template     of a model that is not a language model: from a prompt to the template that it fills in
    """

    name: str
    is_fallback: bool
    template: Callable[[str], ProjectTemplate] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class KindDependencies:
    """Everything is ready to use while the service runs.

    choose_model          from a request's `model` (None: the default); raises Invalid
    choose_host           from a request's `host`, account and repository to the name of a Git host; raises
                          Invalid
    price                 of a model; None if it is not configured
    local_forge           the address of the local forge; "" if it does not run
    models_configuration  all of the models' configuration that shapes answers, without secrets
    checkpoint_reader     for endpoints that read a whole project
    checker               parses untrusted texts, in processes of its own
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
