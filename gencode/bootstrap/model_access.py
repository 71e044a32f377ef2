"""How tasks choose and open models: those of the operator, and the model configs of the workspace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from gencode.bootstrap.model_registry import ModelRegistry
from gencode.bootstrap.traced_clients import TracedProvider
from gencode.domain.errors import Invalid
from gencode.engine.ports.tracing import Tracer
from gencode.http.kind_dependencies import CONFIG, ChosenModel, ModelOption, is_config
from gencode.llm.model_route import OpenedModel
from gencode.llm.port import Provider, Providers
from gencode.llm.prices import Price, price_of


class OwnModels(Protocol):
    """The model configs of principals."""

    async def choose(self, config_id: str | None, principal: str) -> ChosenModel | None:
        """The config of this id, or the principal's default; None without a default. Raises Invalid."""
        ...

    async def options(self, principal: str) -> tuple[str | None, Sequence[ModelOption]]:
        """The principal's default config, or None, and all active ones."""
        ...

    async def open(self, config_id: str, principal: str) -> OpenedModel:
        """Raises Invalid for a config that is not there, not active, or somebody else's."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelAccess:
    """`own`: None without a workspace."""

    registry: ModelRegistry
    providers: Providers
    tracer: Tracer
    own: OwnModels | None = None

    async def choose(self, requested: str | None, principal: str) -> ChosenModel:
        """The model of a request: the one that it names, else the principal's default config, else
        DEFAULT_MODEL. Raises Invalid."""
        if self.own and (requested is None or is_config(requested)):
            config_id = requested.removeprefix(CONFIG) if requested else None
            if chosen := await self.own.choose(config_id, principal):
                return chosen
        return self.registry.choose(requested, self.providers)

    async def options(self, principal: str) -> tuple[str, Sequence[ModelOption]]:
        """See gencode.http.kind_dependencies.ListModels."""
        default, found = self.registry.options()
        if not self.own:
            return default, found
        own_default, own = await self.own.options(principal)
        return own_default or default, [*own, *found]

    async def open(self, name: str, principal: str) -> OpenedModel:
        """See gencode.llm.model_route.OpenModel."""
        if not is_config(name):
            provider = self.providers(name)
            return OpenedModel(name=name, provider=self._traced(provider), price=self.price(name))
        if not self.own:
            message = "model configs need WORKSPACE=true"
            raise Invalid.of("model", "configured", message)
        opened = await self.own.open(name.removeprefix(CONFIG), principal)
        return replace(opened, provider=self._traced(opened.provider))

    def price(self, name: str) -> Price | None:
        """The price of a model of the operator's. Raises Invalid for one that is not configured."""
        return price_of(self.registry.prices, self.providers(name).name)

    def _traced(self, provider: Provider) -> Provider:
        return provider if self.tracer.idle else TracedProvider(provider, self.tracer)
