"""A proxy and a private certificate authority, for everything that gencode calls.

The names of the servers exist in the proxy only: a request that did not go through it could not arrive.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from gencode.domain.errors import StartError
from gencode.embedded.server import address, listen
from gencode.notifications.sender import Message, NoResponse, Sender
from gencode.outbound.proxies import ProxyRules
from gencode.outbound.transport import Outbound
from gencode.outbound.url_policy import UrlPolicy, UrlRefused, UrlRules
from gencode.settings import NamedProvider
from tests.servers.calls import BODY, FILES, get, post, submit
from tests.servers.collector import Collected, collector
from tests.servers.github import ScriptedGitHub, served
from tests.servers.model import ModelServer, model_server, plan_and_files
from tests.servers.outbound_proxy import OutboundProxy, outbound_proxy
from tests.servers.receiver import receiver
from tests.servers.service import running_app, service, settings
from tests.servers.stream import events
from tests.servers.tls import PrivateCA

MODELS, GIT, TRACES = "models.example:443", "git.example:443", "traces.example:443"
PASSWORD = "proxy-password-4711"


@dataclass(frozen=True, kw_only=True)
class World:
    """Servers that speak TLS with certificates of a private authority, behind a proxy."""

    authority: PrivateCA
    proxy: OutboundProxy
    model: ModelServer
    github: ScriptedGitHub
    traces: Collected


@asynccontextmanager
async def world(folder: Path, password: str = PASSWORD) -> AsyncIterator[World]:
    authority = PrivateCA.create(folder)
    async with AsyncExitStack() as stack:
        model = await stack.enter_async_context(model_server(plan_and_files(FILES)))
        traces = await stack.enter_async_context(collector())
        sock = listen()
        github = ScriptedGitHub("https://git.example", folder / "github")
        await stack.enter_async_context(served(github, sock))
        plain = {MODELS: model.base_url, GIT: address(sock), TRACES: traces.endpoint}
        ports = {
            name: await stack.enter_async_context(authority.front(name.partition(":")[0], port_of(url)))
            for name, url in plain.items()
        }
        proxy = await stack.enter_async_context(outbound_proxy(ports, password))
        yield World(authority=authority, proxy=proxy, model=model, github=github, traces=traces)


def port_of(url: str) -> int:
    return int(url.split(":")[2].partition("/")[0])


def fields(found: World, **more: Any) -> dict[str, Any]:
    return {
        "providers": {"scripted": NamedProvider(base_url="https://models.example/v1", model="m")},
        "github_token": SecretStr(found.github.token),
        "github_api_url": found.github.api_url,
        "otel_exporter_otlp_endpoint": "https://traces.example",
        "outbound_proxy": SecretStr(found.proxy.url),
        "ca_bundle": found.authority.file,
        **more,
    }


async def test_models_hosts_pushes_and_traces_use_the_proxy_and_the_private_ca(tmp_path: Path) -> None:
    async with world(tmp_path) as found:
        async with running_app(settings(tmp_path, **fields(found))) as app:
            task_id = await submit(app.url)
            assert (await events(app.url, task_id))[-1].data["status"] == "completed"
        assert found.github.git.path(found.github.login, "hello").is_dir()
        assert found.traces.named("task ")
        assert set(found.proxy.asked) == {f"CONNECT {name}" for name in (MODELS, GIT, TRACES)}


async def test_proxies_of_the_environment_in_a_process_of_its_own(tmp_path: Path) -> None:
    async with world(tmp_path) as found:
        variables = {
            "PROVIDERS": json.dumps({"scripted": {"base_url": "https://models.example/v1", "model": "m"}}),
            "GITHUB_TOKEN": found.github.token,
            "GITHUB_API_URL": found.github.api_url,
            "OUTBOUND_PROXY": "environment",
            "HTTPS_PROXY": found.proxy.url,
            "CA_BUNDLE": str(found.authority.file),
        }
        async with service(tmp_path, variables) as process:
            task_id = await submit(process.url)
            assert (await events(process.url, task_id))[-1].data["status"] == "completed"
        assert set(found.proxy.asked) == {f"CONNECT {name}" for name in (MODELS, GIT)}


async def failure(folder: Path, found: World, **more: Any) -> dict[str, Any]:
    chosen = settings(folder, **fields(found, otel_exporter_otlp_endpoint="", **more))
    async with running_app(chosen) as app:
        answer = await post(app.url, "/generate", BODY)
        task_id = answer.json()["task_id"]
        await events(app.url, task_id)
        task: dict[str, Any] = await get(app.url, f"/api/v1/task/{task_id}")
        return task


@pytest.mark.campaign
async def test_a_certificate_of_an_unknown_authority_is_named(tmp_path: Path) -> None:
    async with world(tmp_path) as found:
        task = await failure(tmp_path, found, ca_bundle=None)
        assert task["status"] == "failed"
        assert "certificate" in json.dumps(task["error"]).lower()
        assert not found.model.requests


async def test_a_proxy_that_refuses_is_named_without_its_password(tmp_path: Path) -> None:
    async with world(tmp_path) as found:
        wrong = found.proxy.url.replace(PASSWORD, "another-password-0815")
        task = await failure(tmp_path, found, outbound_proxy=SecretStr(wrong))
        told = json.dumps(task["error"])
        assert "407" in told
        assert "proxy" in told
        assert "0815" not in told
        assert not found.model.requests


async def test_servers_on_loopback_are_called_directly(tmp_path: Path) -> None:
    """The offline model and the local forge, with a proxy that refuses everything."""
    async with outbound_proxy({}) as proxy:
        chosen = settings(tmp_path, outbound_proxy=SecretStr(proxy.url))
        async with running_app(chosen) as app:
            task_id = await submit(app.url)
            assert (await events(app.url, task_id))[-1].data["status"] == "completed"
        assert proxy.asked == []


async def test_plain_http_goes_through_the_proxy(tmp_path: Path) -> None:
    async with (
        model_server(plan_and_files(FILES)) as model,
        outbound_proxy({"models.example:8000": port_of(model.base_url)}, PASSWORD) as proxy,
    ):
        provider = NamedProvider(base_url="http://models.example:8000/v1", model="m")
        chosen = settings(tmp_path, providers={"scripted": provider}, outbound_proxy=SecretStr(proxy.url))
        async with running_app(chosen) as app:
            task_id = await submit(app.url)
            assert (await events(app.url, task_id))[-1].data["status"] == "completed"
        assert set(proxy.asked) == {"POST http://models.example:8000/v1/chat/completions"}
        assert all("proxy-authorization" not in seen.headers for seen in model.requests)


@pytest.mark.parametrize("content", [None, "", "no certificate\n"])
async def test_a_bundle_that_cannot_be_read_is_named_at_the_start(
    tmp_path: Path, content: str | None
) -> None:
    bundle = tmp_path / "ca.pem"
    if content is not None:
        bundle.write_text(content)
    with pytest.raises(StartError, match=r"^CA_BUNDLE: .*ca\.pem"):
        async with running_app(settings(tmp_path, ca_bundle=bundle)):
            pass


# --- webhooks ---------------------------------------------------------------------------------------

PUBLIC = "93.184.216.34"
MESSAGE = Message(body=b"{}", headers={})


def sender(proxy: OutboundProxy, authority: PrivateCA, address: str, by_proxy: bool = False) -> Sender:
    """Resolves every name to `address`."""

    async def resolve(host: str, port: int) -> list[str]:
        return [address]

    outbound = Outbound(proxies=ProxyRules(by_scheme={"http": proxy.url, "https": proxy.url}))
    outbound.tls.load_verify_locations(authority.file)
    rules = UrlRules(by_proxy=outbound.proxies) if by_proxy else UrlRules()
    return Sender(UrlPolicy(rules, resolve), outbound, "gencode/test", 5)


async def test_the_proxy_connects_to_the_address_that_was_checked(tmp_path: Path) -> None:
    """So a name that leads elsewhere a moment later, or in the proxy's network, has no effect."""
    authority = PrivateCA.create(tmp_path)
    async with (
        receiver() as hooks,
        authority.front("hooks.example", port_of(hooks.url)) as port,
        outbound_proxy({f"{PUBLIC}:443": port}) as proxy,
    ):
        answer = await sender(proxy, authority, PUBLIC)("https://hooks.example/in", MESSAGE)
        assert answer.status == 204
        assert hooks.seen[0].headers["host"] == "hooks.example"
        assert proxy.asked == [f"CONNECT {PUBLIC}:443"]


@pytest.mark.parametrize("private", ["10.0.0.1", "127.0.0.1", "169.254.169.254", "fd00::1"])
async def test_a_private_address_is_refused_before_the_proxy_is_asked(tmp_path: Path, private: str) -> None:
    authority = PrivateCA.create(tmp_path)
    async with outbound_proxy({}) as proxy:
        with pytest.raises(UrlRefused, match="not public"):
            await sender(proxy, authority, private)("https://hooks.example/in", MESSAGE)
        assert proxy.asked == []


async def test_a_certificate_for_another_name_is_refused_through_the_proxy(tmp_path: Path) -> None:
    authority = PrivateCA.create(tmp_path)
    async with (
        receiver() as hooks,
        authority.front("other.example", port_of(hooks.url)) as port,
        outbound_proxy({f"{PUBLIC}:443": port}) as proxy,
    ):
        with pytest.raises(NoResponse):
            await sender(proxy, authority, PUBLIC)("https://hooks.example/in", MESSAGE)
        assert not hooks.seen


async def test_a_refusal_of_the_proxy_is_reported(tmp_path: Path) -> None:
    async with outbound_proxy({}) as proxy:
        with pytest.raises(NoResponse):
            await sender(proxy, PrivateCA.create(tmp_path), PUBLIC)("https://hooks.example/in", MESSAGE)
        assert len(proxy.asked) == 1


async def test_the_proxy_resolves_names_that_the_operator_set(tmp_path: Path) -> None:
    """A chat: no name server here needs to know it."""
    authority = PrivateCA.create(tmp_path)
    async with (
        receiver() as chat,
        authority.front("hooks.slack.example", port_of(chat.url)) as port,
        outbound_proxy({"hooks.slack.example:443": port}) as proxy,
    ):
        send = sender(proxy, authority, "10.0.0.1", by_proxy=True)
        assert (await send("https://hooks.slack.example/x", MESSAGE)).status == 204
        assert proxy.asked == ["CONNECT hooks.slack.example:443"]
