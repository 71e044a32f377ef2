"""The composition root: settings become concrete parts, parts become the application. Its sole lifespan."""

from __future__ import annotations

import secrets
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version
from pathlib import Path

import anyio
import httpx
import structlog
from pydantic import ValidationError
from starlette.applications import Starlette

from gencode.embedded.forge import forge
from gencode.embedded.offline import offline_model
from gencode.embedded.server import address, listen, listen_again, serve
from gencode.engine.manager import Manager
from gencode.engine.runner import Runner
from gencode.errors import StartError
from gencode.host import Host
from gencode.hosts.github import GitHub
from gencode.hosts.wire import http_client
from gencode.hubs.memory import MemoryHub
from gencode.metrics import Metrics
from gencode.pipelines.generate.asking import Asker
from gencode.pipelines.generate.generating import Generating, Limits
from gencode.pipelines.generate.merging_files import Merging
from gencode.pipelines.generate.pipeline import Generate
from gencode.provider import Providers
from gencode.providers.catalogue import ProviderConfig, catalogue, deepseek, offline, openai
from gencode.providers.deadlines import Deadlines
from gencode.providers.quirks import Quirks
from gencode.retry import Retry
from gencode.settings import Settings, is_loopback
from gencode.store import Store
from gencode.stores.lock import data_dir_lock
from gencode.stores.sqlite import open_sqlite
from gencode.web.auth import Keys
from gencode.web.limits import RateLimit
from gencode.web.parts import Model, Parts
from gencode.web.routes import build

log = structlog.get_logger(__name__)

OFFLINE = "offline"
FORGE_USER = "local"
GITHUB_SPACING = 1.0
"""Seconds between two creations, as GitHub asks of clients."""


def create_app(settings: Settings) -> Starlette:
    """The service as an ASGI application; whoever runs it must run its lifespan. Raises StartError."""
    keys = Keys(settings.api_keys.get_secret_value())
    configs = _configs(settings)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with _service(settings, keys, configs) as app.state.parts:
            yield

    loopback_only = not keys and settings.auth != "none" and is_loopback(settings.server_host)
    return build(lifespan, keys, loopback_only, settings.max_body_bytes)


@asynccontextmanager
async def _service(settings: Settings, keys: Keys, configs: list[ProviderConfig]) -> AsyncIterator[Parts]:
    """Everything that runs, in the order in which it needs each other; it stops in the reverse order."""
    async with AsyncExitStack() as stack:
        stack.enter_context(data_dir_lock(settings.data_dir))
        store = await stack.enter_async_context(open_sqlite(settings.data_dir / "gencode.db"))
        metrics = Metrics()
        tls = httpx.create_ssl_context()
        client = await stack.enter_async_context(_model_client(tls))
        providers = await _providers(stack, settings, configs, client, metrics)
        host = await _host(stack, settings, metrics, tls)
        hub = MemoryHub(store)
        manager = _manager(settings, store, hub, metrics, _pipeline(settings, providers, host, metrics))
        _watch(metrics, manager, hub)
        parts = _parts(settings, keys, configs, manager, store, hub, metrics, providers)
        async with anyio.create_task_group() as tg:
            await tg.start(manager.run)
            tg.start_soon(_closing, parts)
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


# --- models -----------------------------------------------------------------------------------------


def _configs(settings: Settings) -> list[ProviderConfig]:
    """The configured providers. The embedded one is no entry here: it exists only while we run."""
    found: list[ProviderConfig] = []
    if key := settings.deepseek_api_key.get_secret_value():
        found.append(_checked(deepseek, key, settings.deepseek_base_url, settings.deepseek_model))
    if key := settings.openai_api_key.get_secret_value():
        found.append(_checked(openai, key, settings.openai_base_url, settings.openai_model))
    for name, entry in settings.providers.items():
        found.append(_checked(_named, name, entry.model_dump()))
    return [config.model_copy(update={"concurrency": settings.max_model_calls}) for config in found]


def _named(name: str, entry: dict[str, object]) -> ProviderConfig:
    quirks = Quirks.model_validate(entry.pop("quirks"))
    return ProviderConfig.model_validate({"name": name, "quirks": quirks, **entry})


def _checked(make: Callable[..., ProviderConfig], *args: object) -> ProviderConfig:
    try:
        return make(*args)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise StartError(f"a model's configuration is wrong at {where}: {first['msg']}") from None


async def _providers(
    stack: AsyncExitStack,
    settings: Settings,
    configs: list[ProviderConfig],
    client: httpx.AsyncClient,
    metrics: Metrics,
) -> Providers:
    sock = listen()
    await stack.enter_async_context(serve(offline_model(), sock))
    embedded = offline(f"{address(sock)}/v1")
    deadlines = Deadlines(first_token=settings.first_token_timeout, idle=settings.idle_timeout)
    default = _default_model(settings, configs)
    return catalogue([*configs, embedded], default, client, metrics, deadlines)


def _default_model(settings: Settings, configs: list[ProviderConfig]) -> str:
    """DEFAULT_MODEL; if nobody set it, the first that is configured; with none at all, the offline one."""
    if not configs:
        return OFFLINE
    if "default_model" in settings.model_fields_set:
        return settings.default_model
    return configs[0].name


def _chooser(
    settings: Settings, configs: list[ProviderConfig], providers: Providers
) -> Callable[[str | None], Model]:
    """Which model answers a request. Only where none is configured does the embedded one stand in for a
    known name: never in silence, and never in place of one that was paid for."""
    known = {OFFLINE, "deepseek", "openai", settings.default_model.partition("/")[0]}

    def choose(asked: str | None) -> Model:
        name = asked or _default_model(settings, configs)
        if not configs and name.partition("/")[0] in known:
            return Model(name=OFFLINE, stands_in=asked != OFFLINE)
        providers(name)
        return Model(name=name, stands_in=False)

    return choose


def _model_client(tls: ssl.SSLContext) -> httpx.AsyncClient:
    """Redirects are refused: they would carry the key to another host. Deadlines are set per call."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=50)
    return httpx.AsyncClient(verify=tls, follow_redirects=False, trust_env=False, limits=limits)


# --- the Git host -----------------------------------------------------------------------------------


async def _host(stack: AsyncExitStack, settings: Settings, metrics: Metrics, tls: ssl.SSLContext) -> Host:
    """GitHub; without a token the local forge, through the same client."""
    api, token = settings.github_api_url, settings.github_token.get_secret_value()
    embedded = not token
    if embedded:
        api, token = await _forge(stack, settings)
    return GitHub(
        api,
        token,
        await stack.enter_async_context(http_client(tls)),
        Retry(),
        metrics=metrics,
        owner=settings.github_owner or None,
        agent=f"gencode/{version('gencode')}",
        push_timeout=settings.push_timeout,
        spacing=0 if embedded else GITHUB_SPACING,
        tls=tls,
    )


async def _forge(stack: AsyncExitStack, settings: Settings) -> tuple[str, str]:
    """Starts the local forge. Its API's address, and the token that writing to it needs."""
    preferred = settings.forge_port or (settings.server_port + 1 if settings.server_port else 0)
    sock = listen_again(settings.data_dir / "forge.port", preferred)
    token = _kept_token(settings.data_dir / "forge.token")
    app = forge(settings.data_dir / "forge", address(sock), token, FORGE_USER)
    await stack.enter_async_context(serve(app, sock))
    log.info("no GITHUB_TOKEN is set: repositories go to the local forge", url=address(sock))
    return f"{address(sock)}/api/v3", token


def _kept_token(path: Path) -> str:
    """The same in every process, so that a clone's remote stays usable."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(32), encoding="utf-8")
    return path.read_text(encoding="utf-8").strip()


# --- the engine -------------------------------------------------------------------------------------


def _pipeline(settings: Settings, providers: Providers, host: Host, metrics: Metrics) -> Generate:
    limits = Limits(max_tokens=settings.max_output_tokens, at_once=settings.files_at_once)
    workflows = settings.allow_workflows
    generating = Generating(providers, Asker(Retry(), metrics), limits, workflows=workflows)
    merging = Merging(settings.git_author, workflows=workflows)
    return Generate(generating, merging, host, workflows=workflows)


def _manager(
    settings: Settings, store: Store, hub: MemoryHub, metrics: Metrics, pipeline: Generate
) -> Manager:
    runner = Runner(store, [pipeline], metrics, timeout=settings.task_timeout)
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
    metrics.gauge("gencode_streams_open", "Open event streams.", lambda: hub.readers)


def _parts(
    settings: Settings,
    keys: Keys,
    configs: list[ProviderConfig],
    manager: Manager,
    store: Store,
    hub: MemoryHub,
    metrics: Metrics,
    providers: Providers,
) -> Parts:
    return Parts(
        manager=manager,
        store=store,
        hub=hub,
        metrics=metrics,
        keys=keys,
        rate=RateLimit(settings.rate),
        choose_model=_chooser(settings, configs, providers),
        language=settings.language,
        closing=anyio.Event(),
        send_timeout=settings.send_timeout,
        shutdown_grace=settings.shutdown_grace / 2,
    )
