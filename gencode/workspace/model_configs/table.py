"""The table of model configs."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from gencode.workspace.resources.declaration import OwnedRow
from gencode.workspace.usage.config_use import ConfigUse

_ONE_DEFAULT = text("is_default AND NOT is_deleted")


class ModelProvider(StrEnum):
    OPENAI = "openai"
    DEEPSEEK = "deepseek"
    SPARK = "spark"
    DOUBAO = "doubao"
    GEMINI = "gemini"
    CLAUDE = "claude"
    COMPATIBLE = "compatible"
    """Any other API that is compatible with OpenAI's; needs a `base_url`."""


_PROVIDERS = ", ".join(f"'{provider.value}'" for provider in ModelProvider)


class ModelConfig(OwnedRow):
    """base_url      null: the provider's own
    priority      of two active configs, the one with the lower number replaces a failed one first
    price_*       per million tokens, as decimal numbers; null: unknown
    monthly_*     limits of a calendar month in UTC; null: none
    """

    __tablename__ = "model_configs"

    provider: Mapped[str] = mapped_column(String(20))
    base_url: Mapped[str | None] = mapped_column(String(1000))
    model: Mapped[str] = mapped_column(String(200))
    api_key_encrypted: Mapped[str | None] = mapped_column(Text)
    max_tokens: Mapped[int | None]
    temperature: Mapped[float | None]
    is_default: Mapped[bool] = mapped_column(default=False)
    is_active: Mapped[bool] = mapped_column(default=True)
    priority: Mapped[int] = mapped_column(default=100)
    price_prompt: Mapped[str | None] = mapped_column(String(40))
    price_completion: Mapped[str | None] = mapped_column(String(40))
    price_cached: Mapped[str | None] = mapped_column(String(40))
    monthly_token_limit: Mapped[int | None] = mapped_column(BigInteger)
    monthly_cost_limit: Mapped[str | None] = mapped_column(String(40))

    used = ConfigUse()
    """Of the present month; read for rows that are shown."""

    __table_args__ = (
        CheckConstraint(f"provider IN ({_PROVIDERS})", name="provider"),
        Index(
            "uq_model_configs_default",
            "owner",
            unique=True,
            sqlite_where=_ONE_DEFAULT,
            postgresql_where=_ONE_DEFAULT,
        ),
    )
