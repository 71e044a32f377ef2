"""The registry of the models that the settings configure; chooses the model of a request."""

from __future__ import annotations

import json

from gencode.domain.errors import StartError
from gencode.embedded.offline import TemplateProject
from gencode.http.kind_dependencies import ChosenModel, ModelOption, ProjectTemplate
from gencode.llm.port import Providers
from gencode.llm.prices import FREE, Prices, price_of, unknown_names
from gencode.llm.provider_catalog import ProviderConfig, deepseek, openai, provider_config
from gencode.settings import Settings

OFFLINE = "offline"


class ModelRegistry:
    """The configured providers, without the embedded one, which exists only while the service runs.

    Raises StartError for an invalid configuration.
    """

    def __init__(self, settings: Settings) -> None:
        self.configs = _configs(settings)
        self.default = _default(settings, self.configs)
        self.prices = _prices(settings, self.names)
        self._replaceable = {OFFLINE, "deepseek", "openai", settings.default_model.partition("/")[0]}

    @property
    def names(self) -> list[str]:
        """NAME/ID of each, the embedded one included."""
        return [*(f"{config.name}/{config.model}" for config in self.configs), f"{OFFLINE}/{OFFLINE}"]

    @property
    def configuration(self) -> str:
        """The part of the configuration that influences answers, as JSON without secrets: for cache keys."""
        return json.dumps([_answer_settings(config) for config in self.configs])

    def choose(self, requested: str | None, providers: Providers) -> ChosenModel:
        """The model of a request, by default DEFAULT_MODEL. Raises Invalid for an unknown name.

        The embedded model replaces a well-known name only if no model is configured, and the result says so:
        it never replaces a configured model.
        """
        name = requested or self.default
        if not self.configs and name.partition("/")[0] in self._replaceable:
            return ChosenModel(name=OFFLINE, price=FREE, is_fallback=requested != OFFLINE, template=_template)
        price = price_of(self.prices, providers(name).name)
        is_offline = name.partition("/")[0] == OFFLINE
        return ChosenModel(name=name, price=price, template=_template if is_offline else None)

    def options(self) -> tuple[str, list[ModelOption]]:
        """The default model, and all models; the embedded one only if no other is configured."""
        found = [
            ModelOption(name=config.name, title=config.model, has_price=self._has_price(config))
            for config in self.configs
        ]
        return self.default, found or [ModelOption(name=OFFLINE, title=OFFLINE, has_price=True)]

    def _has_price(self, config: ProviderConfig) -> bool:
        return price_of(self.prices, f"{config.name}/{config.model}") is not None


def _template(prompt: str) -> ProjectTemplate:
    """The template from which the offline model answers the prompt."""
    project = TemplateProject.from_request(prompt.strip())
    return ProjectTemplate(
        name=project.choice.template, title=project.titles, nearest_to=project.choice.nearest_to
    )


def _answer_settings(config: ProviderConfig) -> dict[str, object]:
    quirks = config.quirks.model_dump(mode="json", exclude={"headers"})
    return {"name": config.name, "base_url": config.base_url, "model": config.model, "quirks": quirks}


def _configs(settings: Settings) -> list[ProviderConfig]:
    calls = settings.max_model_calls
    configs: list[ProviderConfig] = []
    if key := settings.deepseek_api_key.get_secret_value():
        configs.append(deepseek(key, settings.deepseek_base_url, settings.deepseek_model, calls))
    if key := settings.openai_api_key.get_secret_value():
        configs.append(openai(key, settings.openai_base_url, settings.openai_model, calls))
    for name, entry in settings.providers.items():
        configs.append(provider_config(name, **entry.model_dump(), concurrency=calls))
    return configs


def _prices(settings: Settings, names: list[str]) -> Prices:
    """PRICES, with the embedded model free of charge. Raises StartError for a name without a model."""
    if unknown := unknown_names(settings.prices, names):
        known = ", ".join(sorted({*names, *(name.partition("/")[0] for name in names)}))
        raise StartError(
            f"PRICES names {unknown[0][:200]!r}, which is no configured model. Use one of: {known}; or a "
            "model's id alone, or NAME/ID for another model of a provider."
        )
    return {OFFLINE: FREE, **settings.prices}


def _default(settings: Settings, configs: list[ProviderConfig]) -> str:
    """DEFAULT_MODEL if it is set, else the first configured model, else the embedded one."""
    if not configs:
        return OFFLINE
    return settings.default_model if "default_model" in settings.model_fields_set else configs[0].name
