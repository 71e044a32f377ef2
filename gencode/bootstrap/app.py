"""The composition root: from settings to the application and everything that runs in its lifespan."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

import anyio
import structlog
from starlette.applications import Starlette
from starlette.routing import Mount

from gencode import __version__
from gencode.auth.key_authenticator import ApiKeyAuthenticator
from gencode.auth.tickets import Tickets
from gencode.bootstrap.backend import Backend, MeasuredHub, MeasuredQueue, MessageTargets
from gencode.bootstrap.dependency_factory import Additions, DependencyFactory
from gencode.bootstrap.extra_imports import cluster_module, workspace_module
from gencode.bootstrap.host_registry import HostRegistry
from gencode.bootstrap.key_store_selection import checked_keys
from gencode.bootstrap.model_registry import ModelRegistry
from gencode.bootstrap.notifications import Notifications, make_notifications
from gencode.bootstrap.outbound import make_outbound
from gencode.bootstrap.process_roles import Role
from gencode.bootstrap.sandbox import started_sandbox
from gencode.bootstrap.single_process import open_single_process
from gencode.bootstrap.user_http import open_user_http
from gencode.chatops.commands import SubmitCommand
from gencode.chatops.routes import mattermost, slack
from gencode.domain.errors import StartError
from gencode.embedded.server import serve
from gencode.engine.executor import TaskExecutor
from gencode.engine.ports.hub import Hub
from gencode.engine.ports.pipeline import Pipelines
from gencode.engine.ports.store import Store
from gencode.engine.ports.tracing import Tracer
from gencode.engine.retention import Retention, RetentionPolicy
from gencode.engine.service import TaskService
from gencode.http.dependencies import Callbacks, Services
from gencode.http.fair_limiter import FairLimiter
from gencode.http.kind_dependencies import KindDependencies, KindFactory, task_price
from gencode.http.kinds import ActiveKinds, KindRegistry
from gencode.http.per_client_semaphore import PerClientSemaphore
from gencode.http.quota_enforcement import QuotaEnforcement
from gencode.http.rate_limit import RateLimiter
from gencode.http.routes import AppOperations, build, build_probes
from gencode.http.security_middleware import SecurityRules
from gencode.http.shared_ticker import SharedTicker
from gencode.http.write_probe import WriteProbe
from gencode.mcp.endpoint import mcp_route
from gencode.mcp.runtime import MCPRuntime
from gencode.mcp.tools import all_tools
from gencode.observability.disk_use import DiskUse
from gencode.observability.metrics import Metrics
from gencode.observability.tracing_setup import configured_tracer
from gencode.outbound.lazy_transport import import_transport
from gencode.outbound.transport import Outbound
from gencode.pipelines.generate.kind import GENERATE
from gencode.security.secret_registry import SecretRegistry
from gencode.settings import Settings, is_loopback, lets_anyone_in, load
from gencode.storage.data_dir_lock import WORKSPACE_DATABASE
from gencode.ui.page import Page

log = structlog.get_logger(__name__)

BUILTIN_KINDS: Sequence[KindFactory] = (GENERATE,)
CHAT_COMMAND = SubmitCommand(
    kind=GENERATE.kind,
    first_word="repo_name",
    other_words="prompt",
    usage="REPOSITORY-NAME WHAT TO BUILD",
    example="my-flask-app a small Flask app with login",
)
"""The task that chat users submit."""
MAX_LISTS = 1
"""Concurrent requests for pages of tasks."""
MAX_TASK_READS = 1
"""Concurrent look-ups of a task by one client. With two, four responses to a flood precede another client's
stream; with one, two do (tests/benchmarks/fairness)."""
MAX_STREAM_READS = 1
"""Event streams of one client that read the log from the store concurrently."""
PROGRESS_SECONDS = 1.0
"""Seconds between two progress messages on a stream."""


def create_app(settings: Settings | None = None, kinds: Sequence[KindFactory] = BUILTIN_KINDS) -> Starlette:
    """The service as an ASGI application, by default with the settings of the environment. Its lifespan must
    be run; inside another application: `gencode.running`. Raises StartError."""
    settings = settings or load()
    return build_app(settings, SecretRegistry(settings.secrets()), kinds)


def build_app(
    settings: Settings,
    secrets: SecretRegistry,
    kinds: Sequence[KindFactory] = BUILTIN_KINDS,
    role: Role = Role.ALL,
) -> Starlette:
    """Like `create_app`, with `secrets` to redact logs and responses. For Role.WORKER, the application has
    probes and metrics only."""
    _check_role(settings, role, hosts := HostRegistry(settings))
    made_keys = checked_keys(settings) if role.serves else None
    keys = ApiKeyAuthenticator(settings.api_keys.get_secret_value(), made_keys)
    if role.serves and not settings.workspace:  # accounts are known when the database is open
        _check_address(settings, keys)
        _check_accounts(settings, keys)
    workspace = workspace_module("gencode.bootstrap.workspace") if settings.workspace else None
    kinds = (*kinds, *workspace.KINDS) if workspace else kinds
    registry = KindRegistry([factory.kind for factory in kinds])
    dependencies = DependencyFactory(
        settings=settings, models=ModelRegistry(settings), hosts=hosts, secrets=secrets
    )

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with _running(settings, role, keys, registry, kinds, dependencies) as app.state.services:
            app.state.wants_key = keys.is_required
            yield

    if not role.serves:
        return _with_secrets(build_probes(lifespan), secrets)
    page = Page(has_workspace=settings.workspace)
    operations = AppOperations(
        public=(slack, mattermost, page.operation()), api=workspace.OPERATIONS if workspace else ()
    )
    more_routes = (Mount("/page", page), mcp_route(keys))
    app = build(lifespan, keys, _rules(settings, keys), registry, operations, more_routes)
    return _with_secrets(app, secrets)


def _with_secrets(app: Starlette, secrets: SecretRegistry) -> Starlette:
    app.state.secrets = secrets
    return app


def _rules(settings: Settings, keys: ApiKeyAuthenticator) -> SecurityRules:
    return SecurityRules(
        loopback_only=settings.auth != "none" and is_loopback(settings.server_host),
        requires_key=lambda: keys.is_required,
        origins=settings.origins,
        max_body=settings.max_body_bytes,
        max_file=settings.max_file_size,
    )


def _check_role(settings: Settings, role: Role, hosts: HostRegistry) -> None:
    """Checks that the settings fit the role, and that extras are installed. Raises StartError."""
    if not settings.database_url.get_secret_value():
        if role is not Role.ALL:
            raise StartError(
                "a process for web or for work alone needs DATABASE_URL, which all of them share"
            )
        return
    if hosts.uses_embedded_forge and role is not Role.ALL:
        raise StartError(
            "the local forge is for one process: set GITHUB_TOKEN or HOSTS, or run `gencode serve` alone"
        )
    cluster_module("gencode.bootstrap.cluster")


def _check_address(settings: Settings, keys: ApiKeyAuthenticator) -> None:
    """Checks that the address does not give others access without a key. Raises StartError."""
    if not (keys.is_required or settings.auth == "none" or is_loopback(settings.server_host)):
        raise StartError(lets_anyone_in(settings.server_host))


def _check_accounts(settings: Settings, keys: ApiKeyAuthenticator) -> None:
    """Checks that a service whose accounts are off does not serve without credentials. Raises StartError."""
    file = settings.data_dir / WORKSPACE_DATABASE
    if file.exists() and not (keys.is_required or settings.auth == "none"):
        raise StartError(
            f"{file} holds accounts, and WORKSPACE is off: set WORKSPACE=true, make an API key (gencode keys"
            " make NAME), or move the file away to serve without credentials"
        )


def _open_backend(
    settings: Settings, role: Role, hosts: HostRegistry
) -> AbstractAsyncContextManager[Backend]:
    """Opens the backend of the settings. Raises StartError."""
    if not settings.database_url.get_secret_value():
        return open_single_process(settings)
    cluster = cluster_module("gencode.bootstrap.cluster")
    opened: AbstractAsyncContextManager[Backend] = cluster.open_cluster(
        settings, role, hosts.uses_embedded_forge
    )
    return opened


@asynccontextmanager
async def _running(
    settings: Settings,
    role: Role,
    keys: ApiKeyAuthenticator,
    registry: KindRegistry,
    factories: Sequence[KindFactory],
    dependencies: DependencyFactory,
) -> AsyncIterator[Services]:
    """Runs all parts of the service, started in the order of dependencies and stopped in the reverse
    order."""
    async with AsyncExitStack() as stack:
        backend = await stack.enter_async_context(_open_backend(settings, role, dependencies.hosts))
        outbound = make_outbound(settings)
        metrics, tracer = Metrics(), await stack.enter_async_context(_tracing(settings, outbound))
        workspace = await _open_workspace(stack, settings, role, backend, keys)
        additions = await _additions(
            stack, workspace, settings, role, dependencies.secrets, outbound, keys, backend.store
        )
        sandbox = await started_sandbox(settings, role)
        offered, servers = await dependencies.create(
            stack, backend.store, metrics, tracer, outbound, backend.slots, sandbox, additions
        )
        kinds = ActiveKinds(registry, {one.kind.name: one.start(offered) for one in factories})
        notifications = make_notifications(settings, backend, metrics, outbound, kinds, CHAT_COMMAND)
        hub = backend.hub(notifications.dispatcher.published)
        mcp, disk_use = MCPRuntime(settings.max_body_bytes), DiskUse(settings.data_dir)
        task_service = _task_service(settings, role, backend, hub, metrics, tracer, kinds.pipelines)
        _add_gauges(metrics, task_service, hub, backend.queue, disk_use)
        backend.measure(metrics)
        services = _services(
            settings, backend, task_service, hub, kinds, offered, tracer, notifications, mcp, keys
        )
        for server in servers:
            await stack.enter_async_context(serve(server.app, server.sock))
        targets = _message_targets(task_service, notifications, offered)
        await stack.enter_async_context(backend.running(targets))
        async with anyio.create_task_group() as group:
            await group.start(task_service.run)
            group.start_soon(_stop_when_closing, services)
            always = (keys.watch, disk_use.run, services.ticker.run, services.progress_ticker.run)
            for run in (*always, *additions.background):
                group.start_soon(run)
            if role.works:
                group.start_soon(import_transport)
                group.start_soon(_retention(settings, backend).run)
                group.start_soon(notifications.dispatcher.run)
            if role.serves:
                group.start_soon(mcp.run, all_tools(services))
            yield services
            services.closing.set()
            _stop(services)
            group.cancel_scope.cancel()


def _message_targets(
    task_service: TaskService, notifications: Notifications, offered: KindDependencies
) -> MessageTargets:
    return MessageTargets(
        task_service=task_service,
        wake_dispatcher=notifications.dispatcher.wake,
        progress=offered.progress_registry,
    )


async def _open_workspace(
    stack: AsyncExitStack, settings: Settings, role: Role, backend: Backend, keys: ApiKeyAuthenticator
) -> Sequence[object]:
    """The open workspace, its knowledge bases, and proofs of template sets; empty if WORKSPACE is off. Raises
    StartError."""
    if not settings.workspace:
        return ()
    module = workspace_module("gencode.bootstrap.workspace")
    workspace = await stack.enter_async_context(module.configured_workspace(settings, backend))
    await module.warn_of_missing_keys(workspace)
    knowledge = await stack.enter_async_context(module.open_knowledge(workspace, settings, backend))
    if role.serves:
        keys.accept_sessions(workspace.authenticator)
        module.check_address(settings, keys.is_required)
        if not workspace.authenticator.is_required:
            log.info(module.FIRST_ADMIN)
    return (workspace, knowledge, await stack.enter_async_context(module.TemplateProofs()))


async def _additions(
    stack: AsyncExitStack,
    workspace: Sequence[object],
    settings: Settings,
    role: Role,
    secrets: SecretRegistry,
    outbound: Outbound,
    keys: ApiKeyAuthenticator,
    store: Store,
) -> Additions:
    if not workspace:
        return Additions()
    module = workspace_module("gencode.bootstrap.workspace")
    user_http = await open_user_http(stack, settings, role, outbound, lambda: keys.is_required)
    additions: Additions = module.additions(*workspace, settings, secrets, user_http, store)
    return additions


def _retention(settings: Settings, backend: Backend) -> Retention:
    policy = RetentionPolicy(
        days=settings.retention_days,
        days_by_principal=settings.retention_days_by_client,
        key_days=settings.idempotency_key_days,
    )
    return Retention(backend.store, policy, lock=backend.slots("retention", 1).hold)


async def _stop_when_closing(services: Services) -> None:
    """The server begins to stop and waits for open streams to end."""
    await services.closing.wait()
    _stop(services)


def _stop(services: Services) -> None:
    services.task_service.stop_accepting()
    services.hub.close()


def _tracing(settings: Settings, outbound: Outbound) -> AbstractAsyncContextManager[Tracer]:
    return configured_tracer(
        settings.otel_exporter_otlp_endpoint,
        settings.otel_headers,
        settings.otel_service_name,
        __version__,
        outbound,
    )


def _task_service(
    settings: Settings,
    role: Role,
    backend: Backend,
    hub: Hub,
    metrics: Metrics,
    tracer: Tracer,
    pipelines: Pipelines,
) -> TaskService:
    executor = TaskExecutor(backend.store, pipelines, metrics, timeout=settings.task_timeout, tracer=tracer)
    return TaskService(
        executor,
        backend.store,
        hub,
        backend.queue,
        metrics,
        concurrency=settings.max_concurrent_tasks if role.works else 0,
        paused=backend.paused,
        recovery=backend.recovery(pipelines),
    )


def _add_gauges(
    metrics: Metrics, task_service: TaskService, hub: MeasuredHub, queue: MeasuredQueue, disk_use: DiskUse
) -> None:
    metrics.gauge("gencode_tasks_waiting", "Queued tasks.", lambda: task_service.waiting)
    metrics.gauge("gencode_tasks_running", "Tasks that run.", lambda: task_service.running)
    metrics.gauge("gencode_tasks_held", "Tasks that wait for approval.", lambda: task_service.paused)
    metrics.gauge("gencode_streams_open", "Open event streams.", lambda: hub.subscribers)
    metrics.gauge(
        "gencode_queue_age_seconds", "How long the oldest task in line waits.", lambda: queue.longest_wait
    )
    metrics.gauge("gencode_data_dir_bytes", "Bytes of all files of DATA_DIR.", lambda: disk_use.used)
    metrics.gauge("gencode_disk_free_bytes", "Free bytes of its disk.", lambda: disk_use.free)


def _services(
    settings: Settings,
    backend: Backend,
    task_service: TaskService,
    hub: Hub,
    kinds: ActiveKinds,
    offered: KindDependencies,
    tracer: Tracer,
    notifications: Notifications,
    mcp: MCPRuntime,
    keys: ApiKeyAuthenticator,
) -> Services:
    return Services(
        kinds=kinds,
        task_service=task_service,
        store=offered.store,
        hub=hub,
        metrics=offered.metrics,
        tracer=tracer,
        rate=RateLimiter(settings.rate, keys.rate, shared=backend.rate_window),
        quotas=QuotaEnforcement(
            store=backend.store,
            quotas_of=keys.quotas,
            has_price=lambda parameters: task_price(parameters, offered.price) is not None,
            locks=backend.locks,
        ),
        tickets=Tickets(backend.signing_key("ticket"), settings.sse_ticket_seconds),
        callbacks=Callbacks(
            webhooks=notifications.webhooks,
            outbox=notifications.outbox,
            wake=notifications.dispatcher.wake,
        ),
        checkpoint_reader=offered.checkpoint_reader,
        list_limiter=FairLimiter(MAX_LISTS),
        task_limiter=PerClientSemaphore(MAX_TASK_READS),
        stream_limiter=PerClientSemaphore(MAX_STREAM_READS),
        write_probe=WriteProbe(backend.check),
        language=settings.language,
        ticker=SharedTicker(settings.ping_seconds),
        progress_ticker=SharedTicker(PROGRESS_SECONDS, slots=1),
        closing=anyio.Event(),
        extensions=(*kinds.services, notifications.chatops, mcp, *offered.extensions),
    )
