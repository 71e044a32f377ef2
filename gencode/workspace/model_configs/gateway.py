"""Opens the model configs of principals: decrypts the key, and applies the rules of the provider."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from uuid import uuid4

import httpx
from pydantic import SecretStr
from sqlalchemy import select

from gencode.domain.errors import Invalid, NotFound
from gencode.domain.phrase import Phrase
from gencode.engine.ports.pipeline import StageUpdate
from gencode.http.kind_dependencies import CONFIG, ChosenModel, ModelOption
from gencode.llm.budget import Budget
from gencode.llm.model_route import OpenedModel
from gencode.llm.openai.quirks import Quirks
from gencode.llm.port import Provider, Usage
from gencode.llm.prices import Price
from gencode.llm.provider_catalog import ProviderConfig, ProviderFactory
from gencode.llm.session import LLMSession, LLMSessionFactory, SecretsOf
from gencode.outbound.user_http import UserHttp
from gencode.resilience.retry import Retry
from gencode.workspace.model_configs.provider_rules import RULES, answer_limit
from gencode.workspace.model_configs.resource import MODEL_CONFIGS, address_of, price_fields
from gencode.workspace.model_configs.table import ModelConfig, ModelProvider
from gencode.workspace.workspace import Workspace

TEST = "model_test"
"""The kind of a test's call in the ledger."""
MAX_OPEN = 512
"""Configs whose providers are kept: each remembers what its model rejects."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiConnection:
    """The API of a model config, for calls that are no completions.

    provider  as the ledger names it
    address   what the config says about where the API is
    """

    client: httpx.AsyncClient
    provider: str
    address: str
    base_url: str
    key: str = field(repr=False)
    price: Price | None


@dataclass(frozen=True, slots=True)
class _Opened:
    version: int
    provider: Provider


class ModelConfigGateway:
    """The model configs of principals, by id or by default."""

    def __init__(
        self,
        workspace: Workspace,
        factory: ProviderFactory,
        http: UserHttp,
        secrets_of: SecretsOf,
        concurrency: int,
    ) -> None:
        """
        factory      its client is replaced by one that may call the addresses of the principal
        secrets_of   see LLMSessionFactory
        concurrency  the most calls at the same time with one config
        """
        self._workspace = workspace
        self._factory = factory
        self._http = http
        self._secrets_of = secrets_of
        self._concurrency = concurrency
        self._opened: OrderedDict[str, _Opened] = OrderedDict()

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

    async def options(self, principal: str) -> tuple[str | None, list[ModelOption]]:
        """The principal's default config, or None, and all active ones, by priority. Raises StoreError."""
        active = await self._active(principal)
        found = [
            ModelOption(
                name=f"{CONFIG}{row.id}", title=row.name, is_own=True, has_price=_price(row) is not None
            )
            for row in active
        ]
        default = next((f"{CONFIG}{row.id}" for row in active if row.is_default), None)
        return default, found

    async def open(self, config_id: str, principal: str) -> OpenedModel:
        """Raises Invalid, StoreError."""
        try:
            row = await self._workspace.resource(MODEL_CONFIGS).get(config_id, principal)
        except NotFound:
            raise _unknown(config_id) from None
        if not row.is_active:
            raise _unknown(config_id)
        return self._open(row)

    async def session_for_test(self, config_id: str, principal: str) -> LLMSession:
        """A session of one attempt, outside of any task, also for a config that is not active. Raises
        NotFound, StoreError."""
        row = await self._workspace.resource(MODEL_CONFIGS).get(config_id, principal)

        async def open_row(name: str, client: str) -> OpenedModel:
            return self._open(row)

        async def ignore(*updates: StageUpdate) -> None:
            """There is no task whose events they would be."""

        sessions = LLMSessionFactory(
            open_row,
            Retry(attempts=1),
            self._factory.metrics,
            secrets_of=self._secrets_of,
            ledger=self._workspace.ledger,
        )
        return await sessions.create(
            f"{CONFIG}{row.id}",
            task_id=str(uuid4()),
            spent=Usage(),
            budget=Budget(),
            emit=ignore,
            client=principal,
            kind=TEST,
        )

    def _open(self, row: ModelConfig) -> OpenedModel:
        """Raises StoreError."""
        known = self._opened.get(row.id)
        if known is None or known.version != row.version:
            key = self._workspace.resource(MODEL_CONFIGS).secret(row, "api_key")
            known = self._opened[row.id] = _Opened(row.version, self._provider(row, key))
            if len(self._opened) > MAX_OPEN:
                self._opened.popitem(last=False)
        return OpenedModel(
            name=f"{CONFIG}{row.id}",
            provider=known.provider,
            price=_price(row),
            config_id=row.id,
            max_tokens=answer_limit(row),
        )

    async def connection(self, config_id: str, principal: str) -> ApiConnection | None:
        """None for a config that is not there, not active, or somebody else's. Raises StoreError."""
        configs = self._workspace.resource(MODEL_CONFIGS)
        try:
            row = await configs.get(config_id, principal)
        except NotFound:
            return None
        if not row.is_active:
            return None
        key = configs.secret(row, "api_key")
        return ApiConnection(
            client=self._http.model_client_for(row.owner),
            provider=row.provider,
            address=address_of(row),
            base_url=row.base_url or RULES[ModelProvider(row.provider)].base_url,
            key=key,
            price=_price(row),
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
            api=rules.api,
            concurrency=self._concurrency,
        )
        factory = replace(self._factory, client=self._http.model_client_for(row.owner))
        return factory.provider(config, row.model, factory.account(config))


def _price(row: ModelConfig) -> Price | None:
    fields = price_fields(row)
    return Price.model_validate(fields) if fields else None


def _unknown(config_id: str) -> Invalid:
    message = Phrase("you have no active model config {config_id!r}", config_id=config_id[:80])
    return Invalid.of("model", "configured", message)
