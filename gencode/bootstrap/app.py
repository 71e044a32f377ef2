"""The composition root: settings become concrete parts, parts become the application. Its sole lifespan."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from importlib.metadata import version

import anyio
import httpx
from starlette.applications import Starlette

from gencode.auth.api_keys import ApiKeys
from gencode.auth.key_file import key_file
from gencode.auth.tickets import Tickets, kept_key
from gencode.bootstrap.git_hosts import Forge, HostRegistry, HttpDeps
from gencode.bootstrap.instrumentation import TracedHost, TracedProvider, propagate
from gencode.bootstrap.models import ModelRegistry
from gencode.bootstrap.notifications import notifications
from gencode.codegen.file_writer import WritingLimits
from gencode.codegen.limited_child import LimitedChild
from gencode.codegen.repair_loop import RepairLoop
from gencode.embedded.lazy_server import LazyServer, bind_forge, bind_offline_model
from gencode.embedded.server import address, serve
from gencode.engine.executor import TaskExecutor
from gencode.engine.hub import Hub
from gencode.engine.paused_tasks import PausedTasks
from gencode.engine.service import TaskService
from gencode.engine.store import Store
from gencode.engine.tracing import Tracer
from gencode.githosts.http_client import http_client
from gencode.githosts.port import GitHost
from gencode.http.rate_limit import RateLimiter
from gencode.http.routes import build
from gencode.http.security import SecurityRules
from gencode.http.services import Notifications, Services
from gencode.http.shared_ticker import SharedTicker
from gencode.hub.in_process import InProcessHub
from gencode.llm.budget import price_of
from gencode.llm.catalog import catalog, offline
from gencode.llm.deadlines import Deadlines
from gencode.llm.http_client import model_client
from gencode.llm.port import Providers
from gencode.llm.progress import ProgressRegistry
from gencode.llm.session import LLMSessionFactory
from gencode.mcp.runtime import MCPRuntime
from gencode.observability.metrics import Metrics
from gencode.observability.tracing_setup import configured_tracer
from gencode.pipelines.generate.cache_key import settings_digest
from gencode.pipelines.generate.committed_report import Reporter
from gencode.pipelines.generate.generating import Generating
from gencode.pipelines.generate.merging_files import Merging
from gencode.pipelines.generate.pipeline import Generate
from gencode.pipelines.generate.prompt_cache import PromptCache
from gencode.queue.in_process import FairQueue
from gencode.resilience.retry import Retry
from gencode.security.secrets import SecretRegistry
from gencode.settings import Settings, is_loopback, load
from gencode.storage.lock import data_dir_lock
from gencode.storage.sqlite.store import open_sqlite

PROGRESS_SECONDS = 1.0
"""Between two looks at how far a task is, for each stream that wants to know."""
FOLDING_AT_ONCE = 2
"""Requests that hold a whole project, up to 32 MiB several times over, in memory."""


def create_app(settings: Settings | None = None) -> Starlette:
    """The service as an ASGI application, by default with the settings of the environment. Whoever runs it
    must run its lifespan; inside another application: `gencode.running`. Raises StartError."""
    settings = settings or load()
    return build_app(settings, SecretRegistry(settings.secrets()))


def build_app(settings: Settings, secrets: SecretRegistry) -> Starlette:
    """As `create_app`; logs and answers are cleaned of what `secrets` holds at the time."""
    keys = ApiKeys(settings.api_keys.get_secret_value(), key_file(settings.data_dir))
    models, places = ModelRegistry(settings), HostRegistry(settings)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with _service(settings, models, places, keys, secrets) as app.state.services:
            yield

    rules = SecurityRules(
        loopback_only=not keys.needed and settings.auth != "none" and is_loopback(settings.server_host),
        keyless=not keys.needed,
        origins=settings.origins,
        max_body=settings.max_body_bytes,
    )
    app = build(lifespan, keys, rules)
    app.state.secrets = secrets
    return app


@asynccontextmanager
async def _service(
    settings: Settings, models: ModelRegistry, places: HostRegistry, keys: ApiKeys, secrets: SecretRegistry
) -> AsyncIterator[Services]:
    """Everything that runs, in the order in which it needs each other; it stops in the reverse order."""
    async with AsyncExitStack() as stack:
        stack.enter_context(data_dir_lock(settings.data_dir))
        store = await stack.enter_async_context(open_sqlite(settings.data_dir / "gencode.db"))
        metrics, tracer = Metrics(), await stack.enter_async_context(_tracing(settings))
        tls = httpx.create_ssl_context()
        traced = partial(propagate, hosts=settings.trace_hosts.split(","), tracer=tracer)
        client = traced(await stack.enter_async_context(model_client(tls)))
        model, local = (
            bind_offline_model(stack),
            _forge(stack, settings) if places.uses_embedded_forge else None,
        )
        providers = _providers(settings, models, model, client, metrics)
        http = traced(await stack.enter_async_context(http_client(tls)))
        host = _host(places, local, http, tls, metrics)
        told, progress_registry = notifications(settings, store, metrics, tls), ProgressRegistry()
        hub = InProcessHub(store, told.dispatcher.published)
        task_service = _task_service(
            settings,
            store,
            hub,
            metrics,
            tracer,
            _pipeline(
                settings,
                providers if tracer.idle else lambda name: TracedProvider(providers(name), tracer),
                host if tracer.idle else TracedHost(host, tracer),
                metrics,
                _prompt_cache(settings, models, store),
                Reporter(store),
                progress_registry,
                secrets,
            ),
        )
        _watch(metrics, task_service, hub)
        parts = _parts(
            settings,
            models,
            places,
            task_service,
            store,
            hub,
            metrics,
            tracer,
            providers,
            told,
            progress_registry,
            secrets,
        )
        for server in filter(None, (model, local)):
            await stack.enter_async_context(serve(server.app, server.sock))
        async with anyio.create_task_group() as tg:
            await tg.start(task_service.run)
            tg.start_soon(_closing, parts)
            tg.start_soon(keys.watch)
            tg.start_soon(parts.ticker.run)
            tg.start_soon(parts.progress_ticker.run)
            tg.start_soon(told.dispatcher.run)
            tg.start_soon(parts.assistants.run)
            yield parts
            parts.closing.set()
            _farewell(parts)
            tg.cancel_scope.cancel()


async def _closing(parts: Services) -> None:
    """The server has begun to stop and waits for open streams to end: tell them."""
    await parts.closing.wait()
    _farewell(parts)


def _farewell(parts: Services) -> None:
    parts.task_service.stop_accepting()
    parts.hub.close()


def _tracing(settings: Settings) -> AbstractAsyncContextManager[Tracer]:
    return configured_tracer(
        settings.otel_exporter_otlp_endpoint,
        settings.otel_headers,
        settings.otel_service_name,
        version("gencode"),
    )


# --- models and the Git host ------------------------------------------------------------------------


def _providers(
    settings: Settings, models: ModelRegistry, model: LazyServer, client: httpx.AsyncClient, metrics: Metrics
) -> Providers:
    embedded = offline(f"{address(model.sock)}/v1", settings.max_model_calls)
    deadlines = Deadlines(first_token=settings.first_token_timeout, idle=settings.idle_timeout)
    return catalog([*models.configs, embedded], models.default, client, metrics, deadlines)


def _forge(stack: AsyncExitStack, settings: Settings) -> LazyServer:
    port = settings.forge_port or (settings.server_port + 1 if settings.server_port else 0)
    return bind_forge(stack, settings.data_dir, port)


def _host(
    places: HostRegistry,
    local: LazyServer | None,
    client: httpx.AsyncClient,
    tls: ssl.SSLContext,
    metrics: Metrics,
) -> GitHost:
    """All that are configured; the local forge is reached through the same client."""
    reach = HttpDeps(client=client, tls=tls, metrics=metrics, agent=f"gencode/{version('gencode')}")
    return places.connect(Forge(url=address(local.sock), token=local.token) if local else None, reach)


# --- the engine -------------------------------------------------------------------------------------


def _prompt_cache(settings: Settings, models: ModelRegistry, store: Store) -> PromptCache:
    shaping = (version("gencode"), models.shape, settings.max_output_tokens, settings.allow_workflows)
    return PromptCache(
        store, settings.prompt_cache, settings_digest(*shaping), settings.prompt_cache_similarity
    )


def _pipeline(
    settings: Settings,
    providers: Providers,
    host: GitHost,
    metrics: Metrics,
    prompt_cache: PromptCache,
    reporter: Reporter,
    progress_registry: ProgressRegistry,
    secrets: SecretRegistry,
) -> Generate:
    limits = WritingLimits(max_tokens=settings.max_output_tokens, at_once=settings.files_at_once)
    workflows = settings.allow_workflows
    sessions = LLMSessionFactory(providers, Retry(), metrics, settings.prices, progress_registry)
    contained = LimitedChild()
    generating = Generating(
        sessions,
        contained.signatures,
        limits,
        approval_seconds=settings.approval_timeout,
        prompt_cache=prompt_cache,
        workflows=workflows,
    )
    gate = RepairLoop(contained.check, contained.signatures, limits)
    author = settings.git_author
    merging = Merging(sessions, gate, author, reporter, secrets=secrets.current, workflows=workflows)
    return Generate(generating, merging, host, workflows=workflows)


def _task_service(
    settings: Settings, store: Store, hub: Hub, metrics: Metrics, tracer: Tracer, pipeline: Generate
) -> TaskService:
    executor = TaskExecutor(
        store, {"generate": pipeline}, metrics, timeout=settings.task_timeout, tracer=tracer
    )
    return TaskService(
        executor,
        store,
        hub,
        FairQueue(settings.max_waiting_tasks),
        metrics,
        concurrency=settings.max_concurrent_tasks,
        paused=PausedTasks(settings.max_paused_tasks),
    )


def _watch(metrics: Metrics, task_service: TaskService, hub: InProcessHub) -> None:
    metrics.gauge("gencode_tasks_waiting", "Tasks in line.", lambda: task_service.waiting)
    metrics.gauge("gencode_tasks_running", "Tasks that run.", lambda: task_service.running)
    metrics.gauge("gencode_tasks_held", "Tasks that wait for approval.", lambda: task_service.paused)
    metrics.gauge("gencode_streams_open", "Open event streams.", lambda: hub.subscribers)


def _parts(
    settings: Settings,
    models: ModelRegistry,
    places: HostRegistry,
    task_service: TaskService,
    store: Store,
    hub: InProcessHub,
    metrics: Metrics,
    tracer: Tracer,
    providers: Providers,
    told: Notifications,
    progress_registry: ProgressRegistry,
    secrets: SecretRegistry,
) -> Services:
    return Services(
        task_service=task_service,
        store=store,
        hub=hub,
        metrics=metrics,
        tracer=tracer,
        rate=RateLimiter(settings.rate),
        tickets=Tickets(kept_key(settings.data_dir / "ticket.key"), settings.sse_ticket_seconds),
        notifications=told,
        assistants=MCPRuntime(settings.max_body_bytes),
        choose_model=partial(models.choose, providers=providers),
        choose_host=places.choose,
        price=lambda model: price_of(settings.prices, providers(model).name),
        language=settings.language,
        caching=settings.prompt_cache != "off",
        workflows=settings.allow_workflows,
        secrets=secrets,
        checkpoint_readers=anyio.CapacityLimiter(FOLDING_AT_ONCE),
        ticker=SharedTicker(settings.ping_seconds),
        progress_registry=progress_registry,
        progress_ticker=SharedTicker(PROGRESS_SECONDS, turns=1),
        closing=anyio.Event(),
    )
