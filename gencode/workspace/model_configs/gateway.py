"""Opens the model configs of principals: decrypts the key, and applies the rules of the provider."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import SecretStr
from sqlalchemy import select

from gencode.domain.errors import Invalid, NotFound
from gencode.http.kind_dependencies import CONFIG, ChosenModel
from gencode.llm.model_route import OpenedModel
from gencode.llm.openai.quirks import Quirks
from gencode.llm.port import Provider
from gencode.llm.prices import Price
from gencode.llm.provider_catalog import ProviderConfig, ProviderFactory
from gencode.outbound.user_http import UserHttp
from gencode.workspace.model_configs.resource import MODEL_CONFIGS, price_fields
from gencode.workspace.model_configs.table import ModelConfig, ModelProvider
from gencode.workspace.workspace import Workspace

MAX_OPEN = 512
"""Configs whose providers are kept: each remembers what its model rejects."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderRules:
    """The address of a provider's API, and its deviations from OpenAI's."""

    base_url: str
    quirks: Mapping[str, Any] = field(default_factory=dict)


RULES: Mapping[ModelProvider, ProviderRules] = {
    ModelProvider.OPENAI: ProviderRules(
        base_url="https://api.openai.com/v1", quirks={"max_tokens_field": "max_completion_tokens"}
    ),
    ModelProvider.DEEPSEEK: ProviderRules(
        base_url="https://api.deepseek.com",
        quirks={"prefix": "deepseek", "thinking": {"thinking": {"type": "disabled"}}},
    ),
    ModelProvider.SPARK: ProviderRules(base_url="https://spark-api-open.xf-yun.com/v1"),
    ModelProvider.DOUBAO: ProviderRules(base_url="https://ark.cn-beijing.volces.com/api/v3"),
    ModelProvider.GEMINI: ProviderRules(base_url="https://generativelanguage.googleapis.com/v1beta/openai"),
    ModelProvider.CLAUDE: ProviderRules(base_url="https://api.anthropic.com/v1"),
    ModelProvider.COMPATIBLE: ProviderRules(base_url=""),
}


@dataclass(frozen=True, slots=True)
class _Opened:
    version: int
    provider: Provider


class ModelConfigGateway:
    """The model configs of principals, by id or by default."""

    def __init__(
        self, workspace: Workspace, factory: ProviderFactory, http: UserHttp, concurrency: int
    ) -> None:
        """`concurrency`: the most calls at the same time with one config."""
        self._workspace = workspace
        self._factory = factory
        self._http = http
        self._concurrency = concurrency
        self._opened: OrderedDict[str, _Opened] = OrderedDict()
        self.secrets: frozenset[str] = frozenset()
        """The keys that were used so far, for redaction."""

    async def choose(self, config_id: str | None, principal: str) -> ChosenModel | None:
        """The config of this id, or the principal's default config; None without a default. Its failover are
        the principal's other active configs, by priority. Raises Invalid."""
        active = await self._active(principal)
        if config_id is None:
            chosen = next((row for row in active if row.is_default), None)
            if chosen is None:
                return None
        else:
            chosen = next((row for row in active if row.id == config_id), None)
            if chosen is None:
                raise _unknown(config_id)
        others = [row for row in active if row.id != chosen.id]
        return ChosenModel(
            name=f"{CONFIG}{chosen.id}",
            price=_price(chosen),
            failover=tuple(f"{CONFIG}{row.id}" for row in others),
        )

    async def open(self, config_id: str, principal: str) -> OpenedModel:
        """Raises Invalid, StoreError."""
        configs = self._workspace.resource(MODEL_CONFIGS)
        try:
            row = await configs.get(config_id, principal)
        except NotFound:
            raise _unknown(config_id) from None
        if not row.is_active:
            raise _unknown(config_id)
        known = self._opened.get(row.id)
        if known is None or known.version != row.version:
            key = configs.secret(row, "api_key")
            self.secrets |= {key}
            known = self._opened[row.id] = _Opened(row.version, self._provider(row, key))
            if len(self._opened) > MAX_OPEN:
                self._opened.popitem(last=False)
        return OpenedModel(
            name=f"{CONFIG}{row.id}", provider=known.provider, price=_price(row), config_id=row.id
        )

    async def _active(self, principal: str) -> list[ModelConfig]:
        mine = (ModelConfig.owner == principal, ModelConfig.is_active.is_(True), ~ModelConfig.is_deleted)
        order = (ModelConfig.priority, ModelConfig.created_at, ModelConfig.id)
        async with self._workspace.database.transaction() as session:
            return list(await session.scalars(select(ModelConfig).where(*mine).order_by(*order)))

    def _provider(self, row: ModelConfig, key: str) -> Provider:
        rules = RULES[ModelProvider(row.provider)]
        quirks = dict(rules.quirks)
        if row.temperature is not None:
            quirks["extra_body"] = {"temperature": row.temperature}
        config = ProviderConfig(
            name=row.provider,
            base_url=row.base_url or rules.base_url,
            model=row.model,
            api_key=SecretStr(key),
            quirks=Quirks.model_validate(quirks),
            concurrency=self._concurrency,
        )
        factory = replace(self._factory, client=self._http.model_client_for(row.owner))
        return factory.provider(config, row.model, factory.account(config))


def _price(row: ModelConfig) -> Price | None:
    fields = price_fields(row)
    return Price.model_validate(fields) if fields else None


def _unknown(config_id: str) -> Invalid:
    message = f"you have no active model config {config_id[:80]!r}"
    return Invalid.of("model", "configured", message)
