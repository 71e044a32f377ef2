"""Everything that must be right for the service to work, looked at without changing any of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx

from gencode.bootstrap.git_hosts import HostRegistry
from gencode.bootstrap.models import ModelRegistry
from gencode.doctor import hosts, machine, models
from gencode.doctor.finding import Finding, fault, note, ok
from gencode.domain.errors import GencodeError, StartError
from gencode.githosts.http_client import http_client
from gencode.settings import Settings, load, load_data_dir, set_by_env_file


async def examine(*, ask_models: bool) -> AsyncIterator[Finding]:
    """Of the settings in the environment. `ask_models`: pay each model for one token."""
    try:
        settings = load()
        configured = ModelRegistry(settings)
        places = HostRegistry(settings)
    except GencodeError as error:
        yield fault("configuration", error.message, "correct the setting; all of them: docs/configuration.md")
        for finding in _folder_at_least():
            yield finding
        return
    names = ", ".join(set_by_env_file())
    yield ok(
        "configuration",
        "every setting can be read" + (f"; from .env of this folder: {names}" if names else ""),
    )
    for finding in _machine(settings):
        yield finding
    async with http_client() as client:
        yield await machine.port(settings, machine.in_use(settings.data_dir), client)
        async for finding in _outside(settings, configured, places, client, ask_models):
            yield finding


def _folder_at_least() -> list[Finding]:
    try:
        return list(machine.folder(load_data_dir()))
    except StartError as error:
        return [fault("DATA_DIR", error.message, "correct the setting")]


def _machine(settings: Settings) -> list[Finding]:
    found = list(machine.folder(settings.data_dir))
    if not any(finding.state == "fault" for finding in found):
        found.append(machine.store(settings.data_dir))
    return [*found, machine.keys(settings)]


async def _outside(
    settings: Settings,
    configured: ModelRegistry,
    places: HostRegistry,
    client: httpx.AsyncClient,
    ask_models: bool,
) -> AsyncIterator[Finding]:
    for name, entry in hosts.configured(settings).items():
        for finding in await hosts.host(name, entry, client, workflows=settings.allow_workflows):
            yield finding
    if places.embedded:
        yield note("host", "none: repositories go to the local forge", "set GITHUB_TOKEN, or HOSTS")
    for config in configured.configs:
        yield await models.model(config, client, paid=ask_models)
    if not configured.configs:
        words = "none: the offline model stands in, which writes from templates"
        yield note("model", words, "set DEEPSEEK_API_KEY, OPENAI_API_KEY or PROVIDERS")
