"""The model that a task uses: the one that it was given, or the one that replaced it after a failure.

A task has a model and an ordered list of replacements. When the model's API is unavailable, or its account is
used up, the next replacement answers the same request, and all later ones of the task. The checkpoint
`failover` says so after a restart.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

import anyio
from pydantic import BaseModel, ConfigDict

from gencode.domain.errors import Invalid
from gencode.llm.port import ChatRequest, Provider, Usage
from gencode.llm.prices import Price

FAILOVER = "failover"


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenedModel:
    """A model, ready to be called.

    name       as tasks name it, such as "deepseek" or "config/3f0c..."
    price      None if its cost is unknown
    config_id  the model config of the workspace, "" for a model of the operator's
    max_tokens the most of an answer; None: as many as the request says
    """

    name: str
    provider: Provider
    price: Price | None
    config_id: str = ""
    max_tokens: int | None = None

    def limited(self, request: ChatRequest) -> ChatRequest:
        """The request with no more tokens than the model may answer."""
        if self.max_tokens is None:
            return request
        return replace(request, max_tokens=min(request.max_tokens, self.max_tokens))


OpenModel = Callable[[str, str], Awaitable[OpenedModel]]
"""Opens the model of this name for the principal of this id. Raises Invalid for a model that is not
configured, or belongs to somebody else."""
OpenNamed = Callable[[str], Awaitable[OpenedModel]]
"""`OpenModel` for one principal."""


class EarlierModels(BaseModel):
    """The checkpoint of a failover: the model that is used since, and the usage and cost of those before it.
    `cost`: None if it is unknown."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    model: str
    usage: Usage
    cost: Decimal | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Failover:
    """replacements  names of models, in the order in which they are tried
    earlier       of the last failover of an earlier run
    """

    replacements: tuple[str, ...] = ()
    earlier: EarlierModels | None = None

    @classmethod
    def of(cls, parameters: Mapping[str, object], checkpoints: Mapping[str, str]) -> Failover:
        """`parameters`: of a task; its `failover` has the names."""
        names = parameters.get(FAILOVER)
        return cls(
            replacements=tuple(map(str, names)) if isinstance(names, list | tuple) else (),
            earlier=EarlierModels.model_validate_json(checkpoints[FAILOVER])
            if FAILOVER in checkpoints
            else None,
        )

    def first(self, model: str) -> str:
        """The model to begin with, in place of the task's `model`."""
        return self.earlier.model if self.earlier else model

    def after(self, model: str) -> tuple[str, ...]:
        """The replacements that come after this model."""
        if model not in self.replacements:
            return self.replacements
        return self.replacements[self.replacements.index(model) + 1 :]


@dataclass(frozen=True, kw_only=True, slots=True)
class Replacement:
    """`is_new`: no other call of the task has changed to this model before."""

    model: OpenedModel
    is_new: bool


class TaskModels:
    """The model that answers the calls of one run of a stage. Several calls may fail at the same time: the
    first of them changes the model."""

    def __init__(self, model: OpenedModel, rest: tuple[str, ...], open_model: OpenNamed) -> None:
        self.current = model
        self._rest = list(rest)
        self._open_model = open_model
        self._lock = anyio.Lock()

    @classmethod
    async def open(cls, model: str, failover: Failover, open_model: OpenNamed) -> TaskModels:
        """Raises Invalid for a model that is not configured."""
        name = failover.first(model)
        return cls(await open_model(name), failover.after(name), open_model)

    async def replace(self, failed: OpenedModel) -> Replacement | None:
        """The model that replaces `failed`; None if there is none left."""
        async with self._lock:
            if self.current is not failed:
                return Replacement(model=self.current, is_new=False)
            while self._rest:
                try:
                    self.current = await self._open_model(self._rest.pop(0))
                except Invalid:  # it was deleted meanwhile
                    continue
                return Replacement(model=self.current, is_new=True)
        return None
