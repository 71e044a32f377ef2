"""Runs every check in turn; none of them changes anything."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx

from gencode.bootstrap.doctor import git_host_checks, local_checks, model_checks
from gencode.bootstrap.doctor.check_result import CheckResult, fault, note, ok
from gencode.bootstrap.doctor.sandbox_check import check_sandbox
from gencode.bootstrap.doctor.workspace_checks import check_workspace
from gencode.bootstrap.extra_imports import cluster_module
from gencode.bootstrap.host_registry import HostRegistry
from gencode.bootstrap.model_registry import ModelRegistry
from gencode.bootstrap.outbound import make_outbound
from gencode.domain.errors import GencodeError, StartError
from gencode.githosts.http_client import http_client
from gencode.settings import Settings, load, load_data_dir, set_by_env_file


async def run_checks(*, ask_models: bool) -> AsyncIterator[CheckResult]:
    """Check the settings of the environment. `ask_models`: request one billed token of each model."""
    try:
        settings = load()
        models = ModelRegistry(settings)
        hosts = HostRegistry(settings)
        outbound = make_outbound(settings)
    except GencodeError as error:
        yield fault("configuration", error.message, "correct the setting; all of them: docs/configuration.md")
        for result in _check_data_dir_alone():
            yield result
        return
    names = ", ".join(set_by_env_file())
    yield ok(
        "configuration",
        "every setting can be read" + (f"; from .env of this folder: {names}" if names else ""),
    )
    for result in _local_checks(settings):
        yield result
    yield await check_sandbox(settings)
    async for result in check_workspace(settings):
        yield result
    if settings.database_url.get_secret_value():
        async for result in _cluster_checks(settings):
            yield result
    async with http_client(outbound) as client:
        yield await local_checks.check_port(settings, local_checks.lock_holder(settings.data_dir), client)
        async for result in _remote_checks(settings, models, hosts, client, ask_models):
            yield result


def _check_data_dir_alone() -> list[CheckResult]:
    """Check DATA_DIR, the only other check that is possible if settings are invalid."""
    try:
        return list(local_checks.check_data_dir(load_data_dir()))
    except StartError as error:
        return [fault("DATA_DIR", error.message, "correct the setting")]


async def _cluster_checks(settings: Settings) -> AsyncIterator[CheckResult]:
    try:
        checks = cluster_module("gencode.bootstrap.doctor.cluster_checks")
    except StartError as error:
        yield fault("database", error.message, "install the extra")
        return
    async for result in checks.check_cluster(settings):
        yield result


def _local_checks(settings: Settings) -> list[CheckResult]:
    results = list(local_checks.check_data_dir(settings.data_dir))
    is_in_folder = not settings.database_url.get_secret_value()
    if is_in_folder and not any(result.state == "fault" for result in results):
        results.append(local_checks.check_database(settings.data_dir))
    found = [local_checks.check_api_keys(settings), local_checks.check_secrets(settings)]
    return [*results, *found, *local_checks.check_proxy(settings)]


async def _remote_checks(
    settings: Settings,
    models: ModelRegistry,
    hosts: HostRegistry,
    client: httpx.AsyncClient,
    ask_models: bool,
) -> AsyncIterator[CheckResult]:
    for name, entry in git_host_checks.configured_hosts(settings).items():
        for result in await git_host_checks.check_git_host(
            name, entry, client, workflows=settings.allow_workflows
        ):
            yield result
    if hosts.uses_embedded_forge:
        yield note("host", "none: repositories go to the local forge", "set GITHUB_TOKEN, or HOSTS")
    for config in models.configs:
        yield await model_checks.check_model(config, client, paid=ask_models)
    for result in model_checks.check_prices(models.names, models.prices):
        yield result
    if not models.configs:
        detail = "none: the offline model stands in, which writes from templates"
        yield note("model", detail, "set DEEPSEEK_API_KEY, OPENAI_API_KEY or PROVIDERS")
