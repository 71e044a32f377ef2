"""The configured models: names, defaults and configuration errors."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from gencode.domain.errors import Invalid, StartError
from gencode.llm.port import Providers
from gencode.llm.provider_catalog import (
    ProviderConfig,
    ProviderFactory,
    catalog,
    deepseek,
    offline,
    openai,
    provider_config,
)
from gencode.observability.metrics import Metrics

SECRET = "sk-canary-1234567890"


@pytest_asyncio.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:
        yield client


@pytest.fixture
def providers(client: httpx.AsyncClient) -> Providers:
    own = provider_config(
        "own-llm", base_url="http://127.0.0.1:9/v1", model="org/base", quirks={"prefix": "partial"}
    )
    return catalog(
        [deepseek(SECRET), openai(SECRET), own], "deepseek", ProviderFactory(client=client, metrics=Metrics())
    )


def test_names_resolve_to_providers(providers: Providers) -> None:
    assert providers("").name == "deepseek/deepseek-flash"
    assert providers("deepseek").native_prefix
    assert not providers("openai").native_prefix
    assert providers("own-llm").name == "own-llm/org/base"
    assert providers("own-llm/org/large:v2@now").name == "own-llm/org/large:v2@now"


def test_a_provider_is_cached_because_it_remembers_rejected_parameters(providers: Providers) -> None:
    assert providers("openai/x") is providers("openai/x")
    assert providers("openai/x") is not providers("openai/y")


@pytest.mark.parametrize(
    "name", ["x", "deepseek/", "DEEPSEEK", "openai/ spaced", "openai/a\nb", "/", "openai/" + "m" * 300]
)
def test_the_error_for_an_unknown_name_lists_the_configured_ones(providers: Providers, name: str) -> None:
    with pytest.raises(Invalid, match="deepseek, openai, own-llm") as caught:
        providers(name)
    problem = caught.value.problems[0]
    assert (problem["field"], problem["rule"]) == ("model", "configured")
    assert len(problem["message"]) < 300


def test_the_default_must_be_configured_and_names_must_be_unique(client: httpx.AsyncClient) -> None:
    with pytest.raises(StartError, match="DEFAULT_MODEL"):
        catalog([openai(SECRET)], "deepseek", ProviderFactory(client=client, metrics=Metrics()))
    with pytest.raises(StartError, match="one name"):
        catalog([openai(SECRET), openai(SECRET)], "openai", ProviderFactory(client=client, metrics=Metrics()))


def test_reprs_do_not_contain_keys() -> None:
    assert SECRET not in repr(deepseek(SECRET))


def test_a_key_read_from_a_file_loses_its_line_end() -> None:
    assert deepseek(SECRET + "\n").api_key.get_secret_value() == SECRET


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("base_url", "ftp://x.test"),
        ("base_url", "x.test/v1"),
        ("base_url", f"https://me:{SECRET}@x.test"),
        ("base_url", f"https://x.test/?key={SECRET}"),
        ("base_url", f"http://[{SECRET}@"),
        ("api_key", SECRET + "\r\nx: y"),
        ("api_key", SECRET + "é"),
        ("quirks", {"headers": {"x-key": SECRET + "\n="}}),
        ("model", ""),
        ("concurrency", 0),
        ("quirks", {"prefix": SECRET}),
        ("quirks", {SECRET: 1}),
        ("typo", 1),
    ],
)
def test_a_configuration_error_names_the_field_and_shows_no_value(field: str, value: object) -> None:
    fields = {"base_url": "https://x.test", "model": "m", field: value}
    with pytest.raises(StartError, match=field) as caught:
        provider_config("mine", **fields)
    assert SECRET not in caught.value.message.replace(
        f"quirks.{SECRET}", ""
    )  # the name of a field, not a value


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("https://x.test/v1/", "https://x.test/v1"),
        ("https://x.test/v1/chat/completions/", "https://x.test/v1"),
        (
            "https://x.test/openai/deployments/m/chat/completions?api-version=2024-06-01",
            "https://x.test/openai/deployments/m?api-version=2024-06-01",
        ),
    ],
)
def test_a_base_url_may_name_the_whole_endpoint_and_a_version(address: str, kept: str) -> None:
    assert provider_config("mine", base_url=address, model="m").base_url == kept


def test_defaults_of_the_known_providers() -> None:
    assert str(deepseek("").base_url) == "https://api.deepseek.com"
    assert deepseek("").quirks.thinking == {"thinking": {"type": "disabled"}}
    assert openai("").quirks.max_tokens_field == "max_completion_tokens"
    assert offline("http://127.0.0.1:1").quirks.prefix == "deepseek"
    assert isinstance(offline("http://127.0.0.1:1/"), ProviderConfig)
