"""Sources of settings besides the environment: files with one secret each, and `.env`."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

from gencode.domain.errors import StartError
from gencode.security.regular_file import read_regular_file

ENV_FILE = Path(".env")
SECRET_OF_URL = {
    "github_api_url": "github_token",
    "deepseek_base_url": "deepseek_api_key",
    "openai_base_url": "openai_api_key",
    "otel_exporter_otlp_endpoint": "otel_exporter_otlp_headers",
}
"""For each setting with a URL, the secret that is sent to it. Entries of PROVIDERS and HOSTS have both."""
_JSON_WITH_SECRETS = ("providers", "hosts")
_ROUTES = ("outbound_proxy", "ca_bundle")
"""Settings that determine who can read every secret that is sent."""


class SecretFiles(PydanticBaseSettingsSource):
    """Reads NAME_FILE for each secret NAME, and for PROVIDERS and HOSTS, which contain secrets."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        path = os.environ.get(f"{field_name.upper()}_FILE")
        secret = field.annotation is SecretStr or field_name in _JSON_WITH_SECRETS
        if not path or not secret:
            return None, field_name, False
        try:
            return read_regular_file(Path(path)).decode().strip(), field_name, False
        except (OSError, UnicodeDecodeError) as error:
            raise StartError(f"{field_name.upper()}_FILE: cannot read {path}: {error}") from None

    def __call__(self) -> dict[str, Any]:
        found = {name: self.get_field_value(field, name)[0] for name, field in self._fields()}
        return {name: value for name, value in found.items() if value is not None}

    def _fields(self) -> list[tuple[str, Any]]:
        return list(self.settings_cls.model_fields.items())


class EnvFile(PydanticBaseSettingsSource):
    """Reads `.env` of the working directory, which may be part of an untrusted repository.

    It cannot redirect a secret of another source: it raises StartError if the file changes the URL to which
    one is sent, and does not interpolate `${NAME}`. It must be the last source.
    """

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return read_env_file().get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        fields = self.settings_cls.model_fields
        found = {name: value for name, value in read_env_file().items() if name in fields}
        for url_setting, secret in SECRET_OF_URL.items():
            if self.current_state.get(secret) and self._changes(url_setting, found):
                raise StartError(_refusal_message(url_setting.upper(), secret.upper()))
        for secret in (*SECRET_OF_URL.values(), *_JSON_WITH_SECRETS):
            if self.current_state.get(secret):
                self._refuse_routes(found, secret)
        return found

    def _refuse_routes(self, found: dict[str, str], secret: str) -> None:
        for route in _ROUTES:
            if route in found and route not in self.current_state:
                raise StartError(_refusal_message(route.upper(), secret.upper()))

    def _changes(self, url_setting: str, found: dict[str, str]) -> bool:
        """Whether `.env` changes the setting, rather than repeat its default as .env.example does."""
        default = str(self.settings_cls.model_fields[url_setting].default)
        return (
            url_setting not in self.current_state and found.get(url_setting, default).rstrip("/") != default
        )


def read_env_file() -> dict[str, str]:
    """Values of `.env` by field name, without empty ones."""
    try:
        if not ENV_FILE.exists() or ENV_FILE.is_dir():
            return {}
        text = io.StringIO(read_regular_file(ENV_FILE).decode(), newline=None)
        found = dotenv_values(stream=text, interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(f"{ENV_FILE}: cannot read it: {error}") from None
    return {name.lower(): value for name, value in found.items() if value}


def _refusal_message(url_setting: str, secret: str) -> str:
    return (
        f"{url_setting}: {ENV_FILE} in this folder would change where {secret} is sent, "
        "which is not from there; "
        "if you mean it, set both in the environment; if not, start in another folder"
    )
