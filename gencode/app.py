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

from gencode.embedded.server import address, serve
from gencode.embedded.waiting import Waiting, forge, offline_model
from gencode.engine.manager import Manager
from gencode.engine.runner import Runner
from gencode.host import Host
from gencode.hosts.wire import http_client
from gencode.hub import Hub
from gencode.hubs.memory import MemoryHub
from gencode.hubs.overheard import Overheard
from gencode.key_file import key_file
from gencode.metrics import Metrics
from gencode.models import Models
from gencode.pipelines.generate.asking import Askers
from gencode.pipelines.generate.checking.contained import Contained
from gencode.pipelines.generate.committed_report import Reporter
from gencode.pipelines.generate.gate import Gate
from gencode.pipelines.generate.generating import Generating
from gencode.pipelines.generate.merging_files import Merging
from gencode.pipelines.generate.pipeline import Generate
from gencode.pipelines.generate.progress import Board
from gencode.pipelines.generate.recall import Recall
from gencode.pipelines.generate.recipe import settings_digest
from gencode.pipelines.generate.spending import price_of
from gencode.pipelines.generate.writing import Limits
from gencode.places import Forge, Places, Reach
from gencode.provider import Providers
from gencode.providers.catalogue import catalogue, offline
from gencode.providers.deadlines import Deadlines
from gencode.providers.wire import model_client
from gencode.receivers import receivers
from gencode.retry import Retry
from gencode.settings import Settings, is_loopback, load
from gencode.store import Store
from gencode.stores.lock import data_dir_lock
from gencode.stores.sqlite import open_sqlite
from gencode.trace import Tracer
from gencode.traces.choice import tracing
from gencode.traces.seams import TracedHost, TracedProvider, pass_on
from gencode.web.assistants import Assistants
from gencode.web.guard import Rules
from gencode.web.keys import Keys
from gencode.web.limits import RateLimit
from gencode.web.parts import Parts, Receivers
from gencode.web.pulse import Pulse
from gencode.web.routes import build
from gencode.web.tickets import Tickets, kept_key

PROGRESS_SECONDS = 1.0
"""Between two looks at how far a task is, for each stream that wants to know."""
FOLDING_AT_ONCE = 2
"""Requests that hold a whole project, up to 32 MiB several times over, in memory."""


def create_app(settings: Settings | None = None) -> Starlette:
    """The service as an ASGI application, by default with the settings of the environment. Whoever runs it
    must run its lifespan; inside another application: `gencode.running`. Raises StartError."""
    return _app(settings or load())


def _app(settings: Settings) -> Starlette:
    keys = Keys(settings.api_keys.get_secret_value(), key_file(settings.data_dir))
    models, places = Models(settings), Places(settings)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with _service(settings, models, places, keys) as app.state.parts:
            yield

    rules = Rules(
        loopback_only=not keys.needed and settings.auth != "none" and is_loopback(settings.server_host),
        keyless=not keys.needed,
        origins=settings.origins,
        max_body=settings.max_body_bytes,
    )
    app = build(lifespan, keys, rules)
    app.state.secrets = settings.secrets()
    return app


@asynccontextmanager
async def _service(settings: Settings, models: Models, places: Places, keys: Keys) -> AsyncIterator[Parts]:
    """Everything that runs, in the order in which it needs each other; it stops in the reverse order."""
    async with AsyncExitStack() as stack:
        stack.enter_context(data_dir_lock(settings.data_dir))
        store = await stack.enter_async_context(open_sqlite(settings.data_dir / "gencode.db"))
        metrics, tracer = Metrics(), await stack.enter_async_context(_tracing(settings))
        tls = httpx.create_ssl_context()
        traced = partial(pass_on, hosts=settings.trace_hosts.split(","), tracer=tracer)
        client = traced(await stack.enter_async_context(model_client(tls)))
        model, local = offline_model(stack), _forge(stack, settings) if places.embedded else None
        providers = _providers(settings, models, model, client, metrics)
        http = traced(await stack.enter_async_context(http_client(tls)))
        host = _host(places, local, http, tls, metrics)
        hub = MemoryHub(store)
        told, board = receivers(settings, store, metrics, tls), Board()
        heard = Overheard(hub, told.courier.wake)
        manager = _manager(
            settings,
            store,
            heard,
            metrics,
            tracer,
            _pipeline(
                settings,
                providers if tracer.idle else lambda name: TracedProvider(providers(name), tracer),
                host if tracer.idle else TracedHost(host, tracer),
                metrics,
                _recall(settings, models, store),
                Reporter(store),
                board,
            ),
        )
        _watch(metrics, manager, hub)
        parts = _parts(settings, models, places, manager, store, hub, metrics, tracer, providers, told, board)
        for server in filter(None, (model, local)):
            await stack.enter_async_context(serve(server.app, server.sock))
        async with anyio.create_task_group() as tg:
            await tg.start(manager.run)
            tg.start_soon(_closing, parts)
            tg.start_soon(keys.watch)
            tg.start_soon(parts.pulse.run)
            tg.start_soon(parts.progress_pulse.run)
            tg.start_soon(told.courier.run)
            tg.start_soon(parts.assistants.run)
            yield parts
            parts.closing.set()
            _farewell(parts)
            tg.cancel_scope.cancel()


async def _closing(parts: Parts) -> None:
    """The server has begun to stop and waits for open streams to end: tell them."""
    await parts.closing.wait()
    _farewell(parts)


def _farewell(parts: Parts) -> None:
    parts.manager.stop_accepting()
    parts.hub.close()


def _tracing(settings: Settings) -> AbstractAsyncContextManager[Tracer]:
    return tracing(
        settings.otel_exporter_otlp_endpoint,
        settings.otel_headers,
        settings.otel_service_name,
        version("gencode"),
    )


# --- models and the Git host ------------------------------------------------------------------------


def _providers(
    settings: Settings, models: Models, model: Waiting, client: httpx.AsyncClient, metrics: Metrics
) -> Providers:
    embedded = offline(f"{address(model.sock)}/v1", settings.max_model_calls)
    deadlines = Deadlines(first_token=settings.first_token_timeout, idle=settings.idle_timeout)
    return catalogue([*models.configs, embedded], models.default, client, metrics, deadlines)


def _forge(stack: AsyncExitStack, settings: Settings) -> Waiting:
    port = settings.forge_port or (settings.server_port + 1 if settings.server_port else 0)
    return forge(stack, settings.data_dir, port)


def _host(
    places: Places,
    local: Waiting | None,
    client: httpx.AsyncClient,
    tls: ssl.SSLContext,
    metrics: Metrics,
) -> Host:
    """All that are configured; the local forge is reached through the same client."""
    reach = Reach(client=client, tls=tls, metrics=metrics, agent=f"gencode/{version('gencode')}")
    return places.connect(Forge(url=address(local.sock), token=local.token) if local else None, reach)


# --- the engine -------------------------------------------------------------------------------------


def _recall(settings: Settings, models: Models, store: Store) -> Recall:
    shaping = (version("gencode"), models.shape, settings.max_output_tokens, settings.allow_workflows)
    return Recall(store, settings.prompt_cache, settings_digest(*shaping), settings.prompt_cache_similarity)


def _pipeline(
    settings: Settings,
    providers: Providers,
    host: Host,
    metrics: Metrics,
    recall: Recall,
    reporter: Reporter,
    board: Board,
) -> Generate:
    limits = Limits(max_tokens=settings.max_output_tokens, at_once=settings.files_at_once)
    workflows = settings.allow_workflows
    askers = Askers(providers, Retry(), metrics, settings.prices, board)
    contained = Contained()
    generating = Generating(
        askers,
        contained.signatures,
        limits,
        approval_seconds=settings.approval_timeout,
        recall=recall,
        workflows=workflows,
    )
    gate = Gate(contained.check, contained.signatures, limits)
    author, secrets = settings.git_author, settings.secrets()
    merging = Merging(askers, gate, author, reporter, secrets=secrets, workflows=workflows)
    return Generate(generating, merging, host, workflows=workflows)


def _manager(
    settings: Settings, store: Store, hub: Hub, metrics: Metrics, tracer: Tracer, pipeline: Generate
) -> Manager:
    runner = Runner(store, [pipeline], metrics, timeout=settings.task_timeout, tracer=tracer)
    return Manager(
        runner,
        store,
        hub,
        metrics,
        concurrency=settings.max_concurrent_tasks,
        waiting=settings.max_waiting_tasks,
    )


def _watch(metrics: Metrics, manager: Manager, hub: MemoryHub) -> None:
    metrics.gauge("gencode_tasks_waiting", "Tasks in line.", lambda: manager.waiting)
    metrics.gauge("gencode_tasks_running", "Tasks that run.", lambda: manager.running)
    metrics.gauge("gencode_tasks_held", "Tasks that wait for approval.", lambda: manager.held)
    metrics.gauge("gencode_streams_open", "Open event streams.", lambda: hub.readers)


def _parts(
    settings: Settings,
    models: Models,
    places: Places,
    manager: Manager,
    store: Store,
    hub: MemoryHub,
    metrics: Metrics,
    tracer: Tracer,
    providers: Providers,
    told: Receivers,
    board: Board,
) -> Parts:
    return Parts(
        manager=manager,
        store=store,
        hub=hub,
        metrics=metrics,
        tracer=tracer,
        rate=RateLimit(settings.rate),
        tickets=Tickets(kept_key(settings.data_dir / "ticket.key"), settings.sse_ticket_seconds),
        receivers=told,
        assistants=Assistants(settings.max_body_bytes),
        choose_model=partial(models.choose, providers=providers),
        choose_host=places.choose,
        price=lambda model: price_of(settings.prices, providers(model).name),
        language=settings.language,
        caching=settings.prompt_cache != "off",
        workflows=settings.allow_workflows,
        secrets=settings.secrets(),
        folding=anyio.CapacityLimiter(FOLDING_AT_ONCE),
        pulse=Pulse(settings.ping_seconds),
        board=board,
        progress_pulse=Pulse(PROGRESS_SECONDS, turns=1),
        closing=anyio.Event(),
    )
