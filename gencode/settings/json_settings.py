"""Settings in JSON: PROVIDERS, HOSTS and PRICES, whose entries have names chosen by the operator."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, RootModel, SecretStr, model_validator
from pydantic_settings import NoDecode

from gencode.llm.prices import Price
from gencode.settings.value_types import Days

_SECRET_HEADER = re.compile("auth|key|token|secret|cookie", re.IGNORECASE)
_HostName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}$")]
"""The pattern of `host` in requests."""


class NamedProvider(BaseModel):
    """An entry of PROVIDERS: an OpenAI-compatible API, or Anthropic's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str
    model: str
    api_key: SecretStr = SecretStr("")
    quirks: dict[str, Any] = Field({}, repr=False)
    api: Literal["openai", "anthropic"] = "openai"

    def secrets(self) -> list[str]:
        """The key, and the values of headers whose names indicate a secret."""
        headers = self.quirks.get("headers")
        pairs = headers.items() if isinstance(headers, dict) else ()
        values = [str(value) for name, value in pairs if _SECRET_HEADER.search(str(name))]
        return [self.api_key.get_secret_value(), *values, *(value.split(" ")[-1] for value in values)]


class NamedHost(BaseModel):
    """An entry of HOSTS: a Git host, or a directory of bare repositories."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    kind: Literal["github", "gitea", "forgejo", "gitlab", "gitee", "bitbucket", "directory"]
    url: str = ""
    token: SecretStr = SecretStr("")
    owner: str = ""
    user: str = ""
    path: Path | None = None

    @model_validator(mode="after")
    def _require_fields_of_kind(self) -> NamedHost:
        if self.kind == "directory":
            if self.path is None or not self.path.is_absolute() or self.token.get_secret_value():
                raise ValueError('a directory needs a "path" that begins with "/", and takes no "token"')
        elif self.path is not None or not self.token.get_secret_value():
            raise ValueError('it needs a "token"; only a directory has a "path"')
        if self.kind in ("gitea", "forgejo") and not self.url:
            raise ValueError('it needs a "url", the address that a browser opens')
        if self.kind == "bitbucket" and not self.owner:
            raise ValueError('it needs an "owner", the workspace or workspace/PROJECT')
        return self


class _Providers(RootModel[dict[str, NamedProvider]]):
    pass


class _Hosts(RootModel[dict[_HostName, NamedHost]]):
    pass


class _Days(RootModel[dict[str, Days]]):
    pass


class _Prices(RootModel[dict[str, Price]]):
    pass


def _providers(value: object) -> object:
    return _Providers.model_validate_json(value).root if isinstance(value, str) else value


def _hosts(value: object) -> object:
    return _Hosts.model_validate_json(value).root if isinstance(value, str) else value


def _days(value: object) -> object:
    return _Days.model_validate_json(value).root if isinstance(value, str) else value


def _prices(value: object) -> object:
    return _Prices.model_validate_json(value).root if isinstance(value, str) else value


ProvidersByName = Annotated[dict[str, NamedProvider], NoDecode, BeforeValidator(_providers)]
HostsByName = Annotated[dict[str, NamedHost], NoDecode, BeforeValidator(_hosts)]
DaysByClient = Annotated[dict[str, Days], NoDecode, BeforeValidator(_days)]
PricesByModel = Annotated[dict[str, Price], NoDecode, BeforeValidator(_prices)]
