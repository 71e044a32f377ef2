"""Where settings stand besides the environment: in files with one secret each, and in `.env`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

from gencode.domain.errors import StartError

ENV_FILE = Path(".env")
RECEIVES = {
    "github_api_url": "github_token",
    "deepseek_base_url": "deepseek_api_key",
    "openai_base_url": "openai_api_key",
    "otel_exporter_otlp_endpoint": "otel_exporter_otlp_headers",
}
"""Settings that say where another, a secret, is sent. (An entry of PROVIDERS or HOSTS brings its own.)"""
_HOLD_SECRETS = ("providers", "hosts")


class SecretFiles(PydanticBaseSettingsSource):
    """NAME_FILE for every secret NAME (and for what holds secrets among other things)."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        path = os.environ.get(f"{field_name.upper()}_FILE")
        secret = field.annotation is SecretStr or field_name in _HOLD_SECRETS
        if not path or not secret:
            return None, field_name, False
        try:
            return Path(path).read_text(encoding="utf-8").strip(), field_name, False
        except (OSError, UnicodeDecodeError) as error:
            raise StartError(f"{field_name.upper()}_FILE: cannot read {path}: {error}") from None

    def __call__(self) -> dict[str, Any]:
        found = {name: self.get_field_value(field, name)[0] for name, field in self._fields()}
        return {name: value for name, value in found.items() if value is not None}

    def _fields(self) -> list[tuple[str, Any]]:
        return list(self.settings_cls.model_fields.items())


class EnvFile(PydanticBaseSettingsSource):
    """`.env` of the working folder, which may have come with somebody else's repository.

    It sends no secret from elsewhere away: it may not say where one goes that it does not hold, and no
    `${NAME}` in it is replaced by what the environment has. To be asked after all the other sources.
    """

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return in_env_file().get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        fields = self.settings_cls.model_fields
        found = {name: value for name, value in in_env_file().items() if name in fields}
        for place, secret in RECEIVES.items():
            if self.current_state.get(secret) and self._moves(place, found):
                raise StartError(_moved(place.upper(), secret.upper()))
        return found

    def _moves(self, place: str, found: dict[str, str]) -> bool:
        """Whether it is this file that says so, and not merely what is so anyway (as in .env.example)."""
        usual = str(self.settings_cls.model_fields[place].default)
        return place not in self.current_state and found.get(place, usual).rstrip("/") != usual


def in_env_file() -> dict[str, str]:
    """By field name. What is empty counts as not set."""
    try:
        found = dotenv_values(ENV_FILE, interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(f"{ENV_FILE}: cannot read it: {error}") from None
    return {name.lower(): value for name, value in found.items() if value}


def _moved(place: str, secret: str) -> str:
    return (
        f"{place}: {ENV_FILE} in this folder would change where {secret} is sent, which is not from there; "
        "if you mean it, set both in the environment; if not, start in another folder"
    )
