"""The configured models, and how a request's `model` finds one of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Literal
from urllib.parse import parse_qsl

import httpx
from pydantic import AnyHttpUrl, BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from gencode.domain.errors import Invalid, StartError
from gencode.domain.phrase import Phrase
from gencode.llm.account_limiter import DEFAULT_CONCURRENCY, Account
from gencode.llm.anthropic.provider import AnthropicProvider
from gencode.llm.deadlines import Deadlines
from gencode.llm.openai.provider import OpenAICompatibleProvider
from gencode.llm.openai.quirks import Quirks, header_value
from gencode.llm.port import Provider, Providers
from gencode.observability.metrics import Metrics
from gencode.resilience.call_slots import SlotFactory, account_name, local_slots

OFFLINE = "offline"
"""The embedded model."""
_MODEL_ID = re.compile(r"[\w.:@+-][\w.:@+/-]{0,199}", re.ASCII)
_PUBLIC_PARAMETERS = frozenset({"api-version", "api_version", "version", "deployment", "region", "project"})
_MAX_PROVIDERS = 128  # clients choose model ids, so the cache of their providers must be bounded


class ProviderConfig(BaseModel):
    """One account at one API.

    api          whose requests and answers it has; of `quirks`, Anthropic's has the temperature alone
    concurrency  the most concurrent calls, over all its models
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}$")]
    base_url: str
    model: Annotated[str, Field(min_length=1, max_length=200)]
    api_key: SecretStr = SecretStr("")
    quirks: Quirks = Quirks()
    api: Literal["openai", "anthropic"] = "openai"
    concurrency: Annotated[int, Field(ge=1)] = DEFAULT_CONCURRENCY

    @field_validator("base_url")
    @classmethod
    def _address(cls, value: str) -> str:
        path, _, query = checked_base_url(value).partition("?")
        path = path.rstrip("/").removesuffix("/chat/completions").rstrip("/")
        return f"{path}?{query}" if query else path

    @field_validator("api_key")
    @classmethod
    def _key(cls, value: SecretStr) -> SecretStr:
        return SecretStr(header_value(value.get_secret_value()))


def checked_base_url(value: str) -> str:
    """The address of an API. Raises ValueError, whose text does not have it."""
    try:
        url = AnyHttpUrl(value)
    except ValidationError:
        raise ValueError("must be an address such as https://api.example.com/v1") from None
    if url.username or url.password or url.fragment or _has_secret(url.query or ""):
        raise ValueError("may hold no credentials: the key goes into api_key")
    return value


def _has_secret(query: str) -> bool:
    """Whether a query has other parameters than public ones such as Azure's api-version."""
    return any(name.lower() not in _PUBLIC_PARAMETERS for name, _ in parse_qsl(query, keep_blank_values=True))


def provider_config(name: str, **fields: object) -> ProviderConfig:
    """A ProviderConfig of unvalidated values. Raises StartError, which names the fields and no value."""
    try:
        return ProviderConfig.model_validate({"name": name, **fields})
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise StartError(f"The model provider {name[:80]!r} is configured wrongly: {faults}.") from None


def deepseek(
    api_key: str, base_url: str = "", model: str = "", concurrency: int = DEFAULT_CONCURRENCY
) -> ProviderConfig:
    """DeepSeek. Its models think unless thinking is disabled, and thinking counts against max_tokens."""
    return provider_config(
        "deepseek",
        base_url=base_url or "https://api.deepseek.com",
        api_key=api_key,
        model=model or "deepseek-flash",
        quirks=Quirks(prefix="deepseek", thinking={"thinking": {"type": "disabled"}}),
        concurrency=concurrency,
    )


def openai(
    api_key: str, base_url: str = "", model: str = "", concurrency: int = DEFAULT_CONCURRENCY
) -> ProviderConfig:
    """OpenAI. Reasoning is not streamed: it would use up the first-token deadline as well as the tokens."""
    return provider_config(
        "openai",
        base_url=base_url or "https://api.openai.com/v1",
        api_key=api_key,
        model=model or "gpt-6-luna",
        quirks=Quirks(max_tokens_field="max_completion_tokens", thinking={"reasoning_effort": "none"}),
        concurrency=concurrency,
    )


def offline(base_url: str, concurrency: int = DEFAULT_CONCURRENCY) -> ProviderConfig:
    """The embedded model, which completes a prefix like DeepSeek's models."""
    return provider_config(
        OFFLINE,
        base_url=base_url,
        model=OFFLINE,
        quirks=Quirks(prefix="deepseek"),
        concurrency=concurrency,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderFactory:
    """Makes providers, which share one HTTP client. `slots`: of the calls to an account."""

    client: httpx.AsyncClient
    metrics: Metrics
    deadlines: Deadlines | None = None
    slots: SlotFactory = local_slots

    def account(self, config: ProviderConfig) -> Account:
        if config.name == OFFLINE:  # each process has its own
            return Account(config.concurrency)
        key = config.api_key.get_secret_value()
        name = account_name(config.name, "" if key else config.base_url, key)
        return Account(slots=self.slots(name, config.concurrency))

    def provider(self, config: ProviderConfig, model: str, account: Account) -> Provider:
        if config.api == "anthropic":
            return AnthropicProvider(
                config.name,
                model,
                config.base_url,
                config.api_key.get_secret_value(),
                client=self.client,
                metrics=self.metrics,
                temperature=config.quirks.extra_body.get("temperature"),
                deadlines=self.deadlines,
                account=account,
            )
        return OpenAICompatibleProvider(
            config.name,
            model,
            config.base_url,
            config.api_key.get_secret_value(),
            client=self.client,
            metrics=self.metrics,
            quirks=config.quirks,
            deadlines=self.deadlines,
            account=account,
        )


def catalog(configs: Sequence[ProviderConfig], default: str, factory: ProviderFactory) -> Providers:
    """A function from a request's `model` to a provider: "" (the default), `name`, or `name/model-id` for
    another model of the same account.

    Raises StartError when two configurations share a name or the default is not among them.
    """
    by_name = {config.name: config for config in configs}
    if len(by_name) != len(configs):
        raise StartError("Two models are configured under one name. Rename one of them.")
    accounts = {config.name: factory.account(config) for config in configs}

    @lru_cache(maxsize=_MAX_PROVIDERS)  # a provider remembers the parameters that its model rejects
    def find(wanted: str) -> Provider:
        name, _, model = wanted.partition("/")
        if name not in by_name or not (wanted == name or _MODEL_ID.fullmatch(model)):
            raise _unknown_model(wanted, by_name)
        config = by_name[name]
        return factory.provider(config, model or config.model, accounts[name])

    _check_default(default, find)
    return lambda wanted: find(wanted or default)


def _check_default(default: str, find: Providers) -> None:
    try:
        find(default)
    except Invalid as error:
        raise StartError(f"DEFAULT_MODEL cannot be used: {error.message}") from error


def _unknown_model(wanted: str, names: Iterable[str]) -> Invalid:
    known = ", ".join(sorted(names)) or "none"
    message = Phrase(
        "{wanted!r} is not a configured model. Use one of: {known}; or NAME/MODEL-ID.",
        wanted=wanted[:80],
        known=known,
    )
    return Invalid(message, [{"field": "model", "rule": "configured", "message": message}])
