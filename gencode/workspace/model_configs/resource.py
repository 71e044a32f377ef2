"""The resource of model configs: bodies, view, rules."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints
from sqlalchemy.ext.asyncio import AsyncSession

from gencode.domain.errors import Invalid
from gencode.domain.task import rfc3339
from gencode.http.base_models import Moment, RequestModel, ResponseModel
from gencode.llm.provider_catalog import checked_base_url
from gencode.workspace.model_configs.provider_rules import check_provider_rules
from gencode.workspace.model_configs.table import ModelConfig, ModelProvider
from gencode.workspace.resources.declaration import Resource
from gencode.workspace.resources.defaults import move_default
from gencode.workspace.resources.models import PRINTABLE, unchanged
from gencode.workspace.tables import now
from gencode.workspace.usage.config_use import ConfigUse
from gencode.workspace.usage.costs import cost_text
from gencode.workspace.usage.sums import use_of_configs

Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=PRINTABLE)]
BaseUrl = Annotated[
    str,
    StringConstraints(max_length=1000, pattern=r"^[hH][tT][tT][pP][sS]?://[!-~]+$"),
    AfterValidator(checked_base_url),
    Field(description="Of the API, such as https://api.example.com/v1; null: the provider's own"),
]
ModelId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:@+-][A-Za-z0-9_.:@+/-]{0,199}$")]
ApiKey = Annotated[
    str,
    StringConstraints(max_length=2000, pattern=r"^[!-~]*$"),
    Field(description="Stored encrypted and never shown"),
]
DecimalText = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{1,9}(\.[0-9]{1,9})?$"),
    Field(description="A decimal number, such as 0.28"),
]
AnswerTokens = Annotated[int, Field(ge=1, le=1_000_000)]
Temperature = Annotated[float, Field(ge=0, le=2, strict=False)]
Priority = Annotated[int, Field(ge=0, le=1000)]
TokenLimit = Annotated[int, Field(ge=0, le=10**15)]


class ModelConfigCreation(RequestModel):
    """`max_tokens`: the most tokens of an answer; null: the service's own limit."""

    name: Name
    provider: ModelProvider = Field(strict=False)
    base_url: BaseUrl | None = None
    model: ModelId
    api_key: ApiKey = ""
    max_tokens: AnswerTokens | None = None
    temperature: Temperature | None = None
    is_default: bool = False
    is_active: bool = True
    priority: Priority = 100
    price_prompt: DecimalText | None = None
    price_completion: DecimalText | None = None
    price_cached: DecimalText | None = None
    monthly_token_limit: TokenLimit | None = None
    monthly_cost_limit: DecimalText | None = None


class ModelConfigChange(RequestModel):
    """Fields that are not given stay as they are."""

    name: Name = unchanged("")
    provider: ModelProvider = unchanged(ModelProvider.OPENAI, is_enum=True)
    base_url: BaseUrl | None = unchanged(None)
    model: ModelId = unchanged("")
    api_key: ApiKey = unchanged("")
    max_tokens: AnswerTokens | None = unchanged(None)
    temperature: Temperature | None = unchanged(None)
    is_default: bool = unchanged(False)
    is_active: bool = unchanged(True)
    priority: Priority = unchanged(100)
    price_prompt: DecimalText | None = unchanged(None)
    price_completion: DecimalText | None = unchanged(None)
    price_cached: DecimalText | None = unchanged(None)
    monthly_token_limit: TokenLimit | None = unchanged(None)
    monthly_cost_limit: DecimalText | None = unchanged(None)


class ModelConfigView(ResponseModel):
    """`reference`: what a request's `model` names. `has_api_key`: whether a key is stored. `used_tokens`,
    `used_cost` (text): in this month (UTC); a call under way counts at the most that it can use."""

    id: str
    owner: str
    name: str
    reference: str
    provider: ModelProvider
    base_url: str | None
    model: str
    has_api_key: bool
    max_tokens: int | None
    temperature: float | None
    is_default: bool
    is_active: bool
    priority: int
    price_prompt: str | None
    price_completion: str | None
    price_cached: str | None
    monthly_token_limit: int | None
    monthly_cost_limit: str | None
    used_tokens: int
    used_cost: str
    created_at: Moment
    updated_at: Moment


_COLUMNS = (
    *("id", "owner", "name", "base_url", "model", "max_tokens", "temperature", "is_default", "is_active"),
    *("priority", "price_prompt", "price_completion", "price_cached"),
    *("monthly_token_limit", "monthly_cost_limit"),
)


def view_of(row: ModelConfig) -> ModelConfigView:
    columns: dict[str, Any] = {name: getattr(row, name) for name in _COLUMNS}
    return ModelConfigView(
        **columns,
        reference=f"config/{row.id}",
        provider=ModelProvider(row.provider),
        has_api_key=row.api_key_encrypted is not None,
        used_tokens=row.used.tokens,
        used_cost=cost_text(row.used.cost),
        created_at=rfc3339(row.created_at),
        updated_at=rfc3339(row.updated_at),
    )


async def _complete(session: AsyncSession, row: ModelConfig) -> None:
    """The default of an owner moves to the row that asks for it. Raises Invalid."""
    check_provider_rules(row)
    if (row.price_prompt is None) != (row.price_completion is None):
        raise Invalid.of("price_prompt", "value_error", "must be given together with price_completion")
    if row.monthly_cost_limit is not None and row.price_prompt is None:
        raise Invalid.of("monthly_cost_limit", "value_error", "needs price_prompt and price_completion")
    await move_default(session, row)


async def _read_use(session: AsyncSession, rows: Sequence[ModelConfig]) -> None:
    used = await use_of_configs(session, [row.id for row in rows], f"{now():%Y-%m}")
    for row in rows:
        row.used = used.get(row.id, ConfigUse())


MODEL_CONFIGS: Resource[ModelConfig, ModelConfigView] = Resource(
    name="ModelConfig",
    title="model config",
    path="/ai/models",
    table=ModelConfig,
    creation=ModelConfigCreation,
    change=ModelConfigChange,
    view_model=ModelConfigView,
    view=view_of,
    taken={"uq_model_configs_default": "is_default"},
    filters=("provider",),
    secrets=("api_key",),
    addresses=("base_url",),
    secret_scope=("provider", "base_url"),
    before_flush=_complete,
    before_view=_read_use,
)


def address_of(row: ModelConfig) -> str:
    """Where its API is, as the config says it."""
    return f"{row.provider} {row.base_url or ''}".strip()


def price_fields(row: ModelConfig) -> dict[str, Decimal | None] | None:
    """The fields of a Price; None if it is unknown."""
    if row.price_prompt is None or row.price_completion is None:
        return None
    return {
        "prompt": Decimal(row.price_prompt),
        "completion": Decimal(row.price_completion),
        "cached": Decimal(row.price_cached) if row.price_cached is not None else None,
    }
