"""Creates the dependencies of all kinds of task: models, Git hosts, and the embedded servers that replace
them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx

from gencode import __version__
from gencode.bootstrap.host_registry import Forge, HostRegistry, HttpDeps
from gencode.bootstrap.model_access import ModelAccess, OwnModels
from gencode.bootstrap.model_registry import ModelRegistry
from gencode.bootstrap.traced_clients import TracedHost, propagate
from gencode.codegen.project_checker import ProjectChecker
from gencode.embedded.bound_servers import BoundServer, bind_forge, bind_offline_model
from gencode.embedded.server import address
from gencode.engine.ports.store import Store
from gencode.engine.ports.tracing import Tracer
from gencode.githosts.http_client import http_client
from gencode.githosts.port import GitHost
from gencode.http.checkpoint_reader import CheckpointReader
from gencode.http.fair_limiter import FairLimiter
from gencode.http.kind_dependencies import KindDependencies
from gencode.llm.deadlines import Deadlines
from gencode.llm.http_client import model_client
from gencode.llm.port import Providers
from gencode.llm.progress_tracker import ProgressRegistry
from gencode.llm.provider_catalog import ProviderFactory, catalog, offline
from gencode.llm.session import LLMSessionFactory
from gencode.llm.usage_ledger import UsageLedger
from gencode.observability.metrics import Metrics
from gencode.outbound.transport import Outbound
from gencode.outbound.user_http import OwnServers
from gencode.resilience.call_slots import SlotFactory
from gencode.resilience.retry import Retry
from gencode.sandbox.port import Sandbox
from gencode.security.secret_registry import SecretRegistry
from gencode.settings import Settings

MAX_CHECKPOINT_READS, MAX_EXPORTS = 2, 1
"""The most concurrent requests that hold a whole project in memory, each of which needs several times 32
MiB."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Additions:
    """What the workspace adds to the dependencies.

    own_models  makes the model configs of principals, which are called by this factory; an extension, too
    ledger      records model calls
    extensions  see KindDependencies
    background  run while the service runs
    """

    own_models: Callable[[ProviderFactory], OwnModels | None] = lambda factory: None
    ledger: UsageLedger | None = None
    extensions: Sequence[object] = ()
    background: Sequence[Callable[[], Coroutine[Any, Any, None]]] = ()


@dataclass(frozen=True, kw_only=True)
class DependencyFactory:
    """`create` opens the clients and binds the sockets of the embedded servers, to be served afterwards."""

    settings: Settings
    models: ModelRegistry
    hosts: HostRegistry
    secrets: SecretRegistry

    async def create(
        self,
        stack: AsyncExitStack,
        store: Store,
        metrics: Metrics,
        tracer: Tracer,
        outbound: Outbound,
        slots: SlotFactory,
        sandbox: Sandbox,
        additions: Additions,
    ) -> tuple[KindDependencies, Sequence[BoundServer]]:
        settings, models = self.settings, self.models
        traced = partial(propagate, hosts=settings.trace_hosts.split(","), tracer=tracer)
        model = bind_offline_model(stack)
        forge = self._forge(stack) if self.hosts.uses_embedded_forge else None
        model_http = traced(await stack.enter_async_context(model_client(outbound)))
        git_http = traced(await stack.enter_async_context(http_client(outbound)))
        factory = self._provider_factory(model_http, metrics, slots)
        own = additions.own_models(factory)
        access = ModelAccess(
            registry=models, providers=self._providers(model, factory), tracer=tracer, own=own
        )
        host = self._git_host(forge, git_http, outbound, metrics, slots)
        progress = ProgressRegistry()
        dependencies = KindDependencies(
            settings=settings,
            store=store,
            sessions=LLMSessionFactory(
                access.open, Retry(), metrics, progress, self.secrets.of, additions.ledger
            ),
            choose_model=access.choose,
            list_models=access.options,
            list_hosts=self.hosts.options,
            price=access.price,
            models_configuration=models.configuration,
            git_host=host if tracer.idle else TracedHost(host, tracer),
            local_forge=address(forge.sock) if forge else "",
            choose_host=self.hosts.choose,
            metrics=metrics,
            progress_registry=progress,
            secrets=self.secrets,
            checkpoint_reader=CheckpointReader(
                store, FairLimiter(MAX_CHECKPOINT_READS), FairLimiter(MAX_EXPORTS)
            ),
            checker=await stack.enter_async_context(ProjectChecker()),
            sandbox=sandbox,
            slots=slots,
            extensions=(*additions.extensions, _own_servers(forge), *([own] if own else [])),
        )
        return dependencies, [server for server in (model, forge) if server]

    def _provider_factory(
        self, client: httpx.AsyncClient, metrics: Metrics, slots: SlotFactory
    ) -> ProviderFactory:
        settings = self.settings
        deadlines = Deadlines(first_token=settings.first_token_timeout, idle=settings.idle_timeout)
        return ProviderFactory(client=client, metrics=metrics, deadlines=deadlines, slots=slots)

    def _providers(self, model: BoundServer, factory: ProviderFactory) -> Providers:
        embedded = offline(f"{address(model.sock)}/v1", self.settings.max_model_calls)
        return catalog([*self.models.configs, embedded], self.models.default, factory)

    def _forge(self, stack: AsyncExitStack) -> BoundServer:
        settings = self.settings
        default = settings.server_port + 1 if settings.server_port else 0
        return bind_forge(stack, settings.data_dir, settings.forge_port, default)

    def _git_host(
        self,
        forge: BoundServer | None,
        client: httpx.AsyncClient,
        outbound: Outbound,
        metrics: Metrics,
        slots: SlotFactory,
    ) -> GitHost:
        """All configured hosts as one; the local forge is called by the same client."""
        agent = f"gencode/{__version__}"
        deps = HttpDeps(client=client, outbound=outbound, metrics=metrics, agent=agent, slots=slots)
        local = Forge(url=address(forge.sock), token=forge.token) if forge else None
        return self.hosts.connect(local, deps)


def _own_servers(forge: BoundServer | None) -> OwnServers:
    return OwnServers(urls=[address(forge.sock)] if forge else [])
