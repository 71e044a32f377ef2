"""The dependencies that the composition root passes to a kind of task, and the factory that receives them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from gencode.codegen.project_checker import ProjectChecker
from gencode.engine.ports.store import Store
from gencode.githosts.port import GitHost
from gencode.http.checkpoint_reader import CheckpointReader
from gencode.http.kinds import Kind, KindRuntime
from gencode.llm.prices import Price
from gencode.llm.progress_tracker import ProgressRegistry
from gencode.llm.session import LLMSessionFactory
from gencode.observability.metrics import Metrics
from gencode.resilience.call_slots import SlotFactory, local_slots
from gencode.sandbox.port import Sandbox
from gencode.security.secret_registry import SecretRegistry
from gencode.settings import Settings

T = TypeVar("T")


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

    name         as the task names it; "config/ID" for a model config of the workspace
    price        None if its cost is unknown
    is_fallback  no model is configured, and the embedded one replaces the one that the request names
    template     for the offline model only: returns the project template used for a prompt
    failover     the models that replace it, in order
    """

    name: str
    price: Price | None = None
    is_fallback: bool = False
    template: Callable[[str], ProjectTemplate] | None = None
    failover: tuple[str, ...] = ()

    def parameters(self) -> dict[str, Any]:
        """The fields of a task's parameters that say which model it uses. The price of a model config is
        that of the submission."""
        if not is_config(self.name):
            return {"model": self.name}
        price = self.price.model_dump(mode="json") if self.price else None
        return {"model": self.name, "failover": list(self.failover), "price": price}


CONFIG = "config/"
"""The beginning of the name of a model config of the workspace, before its id."""


def is_config(model: str) -> bool:
    return model.startswith(CONFIG)


def task_price(parameters: Mapping[str, Any], find: Callable[[str], Price | None]) -> Price | None:
    """The price of the model of a task with these parameters. `find`: the price of a model of the operator's;
    raises Invalid."""
    if not is_config(model := str(parameters["model"])):
        return find(model)
    stored = parameters.get("price")
    return Price.model_validate(stored) if stored else None


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelOption:
    """A model that a request may name by `name`.

    title   for people: the id of the model, or the name of a model config
    is_own  it is a model config of the principal's
    """

    name: str
    title: str
    is_own: bool = False
    has_price: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class HostOption:
    """A Git host that a request may name. `rule`: what names of repositories must be there."""

    name: str
    kind: str
    rule: str


ChooseModel = Callable[[str | None, str], Awaitable[ChosenModel]]
"""See KindDependencies."""
ListModels = Callable[[str], Awaitable[tuple[str, Sequence[ModelOption]]]]
"""The name of the default model of the principal of this id, and all models that the principal can name."""
ListHosts = Callable[[], tuple[str, Sequence[HostOption]]]
"""The name of the default host, and all hosts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KindDependencies:
    """The dependencies of a kind, ready to use while the service runs.

    choose_model          returns the model for a request's `model` (None for the default) and the id of its
                          principal; raises Invalid
    choose_host           returns the name of the Git host for a request's `host`, account and repository;
                          raises Invalid
    list_models           lists what a request's `model` may be; list_hosts: what its `host` may be
    price                 returns the price of a model of the operator's; None if it is not configured
    local_forge           the address of the local forge; "" if it does not run
    models_configuration  the configuration of models that influences answers, as JSON without secrets
    checkpoint_reader     for endpoints that read a whole project
    checker               parses untrusted texts in separate processes
    sandbox               runs untrusted programs, unless it is off; in a process that runs no tasks it is off
    slots                 makes limits of calls that all processes share
    extensions            what packages above this one offer, found by their class: see `extension`
    """

    settings: Settings = field(repr=False)
    store: Store
    sessions: LLMSessionFactory
    choose_model: ChooseModel
    list_models: ListModels
    list_hosts: ListHosts
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
    sandbox: Sandbox
    slots: SlotFactory = local_slots
    extensions: Sequence[object] = ()

    def extension(self, cls: type[T]) -> T:
        """Raises LookupError if none is of this class: a programming error."""
        if (found := self.optional_extension(cls)) is None:
            raise LookupError(f"nothing provides {cls}")
        return found

    def optional_extension(self, cls: type[T]) -> T | None:
        """None without the package that would provide it."""
        return next((one for one in self.extensions if isinstance(one, cls)), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class KindFactory:
    """A kind as its package exports it. `start` is called once in each run of the service."""

    kind: Kind
    start: Callable[[KindDependencies], KindRuntime]
