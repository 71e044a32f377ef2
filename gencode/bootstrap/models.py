"""From settings to models: which are configured, and which of them answers a request."""

from __future__ import annotations

import json

from gencode.llm.catalog import ProviderConfig, configured, deepseek, openai
from gencode.llm.port import Providers
from gencode.pipelines.dependencies import ChosenModel
from gencode.settings import Settings

OFFLINE = "offline"


class ModelRegistry:
    """The configured providers. The embedded one is no entry: it exists only while the service runs.

    Raises StartError for a configuration that cannot work.
    """

    def __init__(self, settings: Settings) -> None:
        self.configs = _configs(settings)
        self.default = _default(settings, self.configs)
        self._stood_in_for = {OFFLINE, "deepseek", "openai", settings.default_model.partition("/")[0]}

    @property
    def configuration(self) -> str:
        """All of the configuration that shapes answers, without what is secret."""
        return json.dumps([_shape(config) for config in self.configs])

    def choose(self, asked: str | None, providers: Providers) -> ChosenModel:
        """Only where no model at all is configured does the embedded one stand in for a known name: never
        in silence, and never in place of one that is paid for. Raises Invalid for an unknown name."""
        name = asked or self.default
        if not self.configs and name.partition("/")[0] in self._stood_in_for:
            return ChosenModel(name=OFFLINE, is_stand_in=asked != OFFLINE)
        providers(name)
        return ChosenModel(name=name, is_stand_in=False)


def _shape(config: ProviderConfig) -> dict[str, object]:
    quirks = config.quirks.model_dump(mode="json", exclude={"headers"})
    return {"name": config.name, "base_url": config.base_url, "model": config.model, "quirks": quirks}


def _configs(settings: Settings) -> list[ProviderConfig]:
    calls = settings.max_model_calls
    found: list[ProviderConfig] = []
    if key := settings.deepseek_api_key.get_secret_value():
        found.append(deepseek(key, settings.deepseek_base_url, settings.deepseek_model, calls))
    if key := settings.openai_api_key.get_secret_value():
        found.append(openai(key, settings.openai_base_url, settings.openai_model, calls))
    for name, entry in settings.providers.items():
        found.append(configured(name, **entry.model_dump(), concurrency=calls))
    return found


def _default(settings: Settings, configs: list[ProviderConfig]) -> str:
    """DEFAULT_MODEL; if nobody set it, the first that is configured; with none at all, the embedded one."""
    if not configs:
        return OFFLINE
    return settings.default_model if "default_model" in settings.model_fields_set else configs[0].name
