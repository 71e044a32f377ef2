"""The rules of the providers of model configs: their addresses, and how they deviate from OpenAI's API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from gencode.domain.errors import Invalid
from gencode.domain.phrase import Phrase
from gencode.workspace.model_configs.table import ModelConfig, ModelProvider


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderRules:
    """base_url         of the API
    api              whose requests and answers it has
    quirks           see gencode.llm.openai.quirks
    max_temperature  the highest; the lowest is 0
    has_zero         whether a temperature of 0 is allowed
    max_tokens       the most of an answer; None: each model has its own limit
    """

    base_url: str
    api: Literal["openai", "anthropic"] = "openai"
    quirks: Mapping[str, Any] = field(default_factory=dict)
    max_temperature: float = 2
    has_zero: bool = True
    max_tokens: int | None = None


RULES: Mapping[ModelProvider, ProviderRules] = {
    ModelProvider.OPENAI: ProviderRules(
        base_url="https://api.openai.com/v1", quirks={"max_tokens_field": "max_completion_tokens"}
    ),
    ModelProvider.DEEPSEEK: ProviderRules(
        base_url="https://api.deepseek.com",
        quirks={"prefix": "deepseek", "thinking": {"thinking": {"type": "disabled"}}},
    ),
    ModelProvider.SPARK: ProviderRules(
        base_url="https://spark-api-open.xf-yun.com/v1", max_temperature=1, has_zero=False, max_tokens=8192
    ),
    ModelProvider.DOUBAO: ProviderRules(base_url="https://ark.cn-beijing.volces.com/api/v3"),
    ModelProvider.GEMINI: ProviderRules(base_url="https://generativelanguage.googleapis.com/v1beta/openai"),
    ModelProvider.CLAUDE: ProviderRules(
        base_url="https://api.anthropic.com", api="anthropic", max_temperature=1
    ),
    ModelProvider.COMPATIBLE: ProviderRules(base_url=""),
}


def check_provider_rules(row: ModelConfig) -> None:
    """Raises Invalid for values that the provider would refuse with each call."""
    rules = RULES[ModelProvider(row.provider)]
    if not (rules.base_url or row.base_url):
        raise Invalid.of(
            "base_url",
            "value_error",
            Phrase("must be given for the provider {provider}", provider=row.provider),
        )
    if row.temperature is not None and not _is_temperature(row.temperature, rules):
        told = Phrase(
            "must be 0 to {highest:g} for the provider {provider}"
            if rules.has_zero
            else "must be above 0, up to {highest:g} for the provider {provider}",
            highest=rules.max_temperature,
            provider=row.provider,
        )
        raise Invalid.of("temperature", "value_error", told)
    if row.max_tokens is not None and rules.max_tokens is not None and row.max_tokens > rules.max_tokens:
        told = Phrase(
            "must be at most {max_tokens} for the provider {provider}",
            max_tokens=rules.max_tokens,
            provider=row.provider,
        )
        raise Invalid.of("max_tokens", "value_error", told)


def _is_temperature(value: float, rules: ProviderRules) -> bool:
    return (value > 0 or (rules.has_zero and value == 0)) and value <= rules.max_temperature


def answer_limit(row: ModelConfig) -> int | None:
    """The most tokens of an answer; None without a limit."""
    return row.max_tokens or RULES[ModelProvider(row.provider)].max_tokens
