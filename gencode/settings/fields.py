"""Every setting: its name, default and meaning."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

from limits import RateLimitItem, parse
from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from gencode.auth.key_file import key_file
from gencode.security.redaction import MIN_SECRET_LENGTH
from gencode.settings.named import HostsByName, PricesByModel, ProvidersByName
from gencode.settings.sources import EnvFile, SecretFiles
from gencode.settings.values import (
    Count,
    Folder,
    Networks,
    Origin,
    Origins,
    Rate,
    Seconds,
    WebhookSecrets,
    is_loopback,
    listed,
)

DATA_DIR = Path("~/.local/share/gencode")


class _Sourced(BaseSettings):
    model_config = SettingsConfigDict(extra="ignore", frozen=True, env_ignore_empty=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, SecretFiles(settings_cls), env_settings, EnvFile(settings_cls)


class Settings(_Sourced):
    """Field descriptions are the documentation: .env.example is held equal to them by a test."""

    server_host: str = Field(
        "127.0.0.1", description="Address to listen on; others than loopback need API_KEYS"
    )
    server_port: int = Field(8080, ge=0, le=65535, description="Port to listen on")
    root_path: str = Field(
        "",
        pattern=r"^(/[A-Za-z0-9._~-]+)*$",
        description="Path under which a proxy shows the service, such as /gencode; for the links in answers",
    )
    api_keys: SecretStr = Field(
        SecretStr(""), description="Comma-separated: key, client=key or client=sha256:<hex of the key>"
    )
    auth: Literal["auto", "none"] = Field(
        "auto", description="none: serve any address without keys, for example as a sidecar in one pod"
    )
    rate_limit: Rate = Field("60/minute", description="Submissions per client, as <count>/<period>")
    cors_origins: Origins = Field(
        "", description="Comma-separated origins of web sites that may use the API, as https://example.com"
    )
    sse_ticket_seconds: Count = Field(900, description="Seconds for which a ticket opens its task's stream")

    webhook_secret: WebhookSecrets = Field(
        SecretStr(""),
        description="Signs callbacks: whsec_<base64>, or several with commas, which all sign. "
        "Without it each client has its own: GET /api/v1/webhook-secret",
    )
    webhook_allow_networks: Networks = Field(
        "",
        description="Comma-separated networks that callbacks may reach although not public, as 10.1.0.0/16",
    )
    webhook_allow_http: bool = Field(False, description="Let callbacks go to plain http addresses")
    webhook_timeout: Seconds = Field(15, description="Seconds that a receiver of callbacks has to answer")

    slack_signing_secret: SecretStr = Field(
        SecretStr(""), description="Lets a Slack app's slash command in at /integrations/slack"
    )
    slack_hooks: Origin = Field(
        "https://hooks.slack.com", description="Where Slack's response addresses are; answers go nowhere else"
    )
    mattermost_token: SecretStr = Field(
        SecretStr(""), description="Lets a Mattermost slash command in at /integrations/mattermost"
    )
    mattermost_url: Origin = Field("", description="Your Mattermost, as https://chat.example.com")

    github_token: SecretStr = Field(
        SecretStr(""), description="Token that may create repositories; without it the local forge is used"
    )
    github_api_url: str = Field(
        "https://api.github.com", description="GitHub's API; for Enterprise https://HOST/api/v3"
    )
    github_owner: str = Field("", description="Account to create in when a request names none")

    hosts: HostsByName = Field(
        {},
        description='More Git hosts, JSON: {"name": {"kind", "url", "token", "owner", "user", "path"}}',
    )
    default_host: str = Field(
        "", description="Host when a request names none; else github, or the first of HOSTS"
    )

    deepseek_api_key: SecretStr = Field(SecretStr(""), description="Key of DeepSeek's API")
    deepseek_base_url: str = Field("https://api.deepseek.com", description="DeepSeek's API")
    deepseek_model: str = Field("deepseek-flash", description="DeepSeek model id")
    openai_api_key: SecretStr = Field(SecretStr(""), description="Key of OpenAI's API")
    openai_base_url: str = Field("https://api.openai.com/v1", description="OpenAI's API")
    openai_model: str = Field("gpt-6-luna", description="OpenAI model id")
    providers: ProvidersByName = Field(
        {},
        description='More OpenAI-compatible APIs, JSON: {"name": {"base_url", "model", "api_key", "quirks"}}',
    )
    prices: PricesByModel = Field(
        {}, description='Cost of a million tokens, JSON: {"model": {"prompt", "completion", "cached"}}'
    )
    default_model: str = Field(
        "deepseek", description="Provider, or provider/model-id, when a request names none"
    )

    max_concurrent_tasks: Count = Field(5, description="Tasks that run at once")
    max_waiting_tasks: Count = Field(1000, description="Tasks that may wait; beyond that 503")
    max_paused_tasks: Count = Field(
        100, description="Tasks of one client that may wait for approval; beyond that 503 for more of them"
    )
    max_model_calls: Count = Field(16, description="Calls at once to one provider")
    task_timeout: Seconds = Field(600, description="Seconds that a task may take")
    approval_timeout: Seconds = Field(
        86400, description="Seconds that a plan may wait for approval, when a request wants to approve it"
    )
    max_output_tokens: int = Field(8192, ge=64, le=1_000_000, description="Token limit of one model answer")
    prompt_cache: Literal["off", "identical", "similar"] = Field(
        "off",
        description="Whether a client's earlier task answers in place of the model: of the same prompt, or"
        " also of a similar one",
    )
    prompt_cache_similarity: float = Field(
        0.95, ge=0.5, le=1, description="Least similarity of prompts that count as similar, from 0.5 to 1"
    )
    files_at_once: Count = Field(8, description="Files of one task written at once")
    first_token_timeout: Seconds = Field(60, description="Seconds until a model's first token")
    idle_timeout: Seconds = Field(60, description="Seconds between a model's tokens")
    push_timeout: Seconds = Field(120, description="Seconds that a push may take")
    allow_workflows: bool = Field(False, description="Let generated projects contain .github/workflows")
    git_author: str = Field(
        "gencode <gencode@localhost>",
        pattern=r"^[^\r\n\x00<>]+ <[^\r\n\x00<>]*>$",  # anything else is a commit that git fsck refuses
        description="Author of the commits",
    )

    data_dir: Folder = Field(
        DATA_DIR,
        description="Folder of the database and the local forge; one process each",
    )
    temp_dir: Path | None = Field(
        None,
        description="Accepted for compatibility and unused: commits are built in memory, no file is written",
    )
    forge_port: int = Field(
        0, ge=0, le=65535, description="Port of the local forge; 0: SERVER_PORT + 1, or a free one, kept"
    )
    language: Literal["en", "zh"] = Field(
        "en", description="Messages when Accept-Language asks for none we have"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least level logged")
    log_format: Literal["auto", "json", "console"] = Field(
        "auto", description="auto: console on a terminal, else JSON"
    )
    otel_exporter_otlp_endpoint: str = Field(
        "",
        pattern=r"^(https?://\S+)?$",
        description="Collector of traces (OTLP/HTTP), such as http://127.0.0.1:4318; needs gencode[otel]",
    )
    otel_exporter_otlp_headers: SecretStr = Field(
        SecretStr(""), description="Headers for the collector: name=value, comma-separated"
    )
    trace_hosts: str = Field(
        "", description="Comma-separated hosts of models or of Git that are told the trace of each request"
    )
    otel_service_name: str = Field("gencode", description="Name of this service in traces")
    shutdown_grace: Seconds = Field(10, description="Seconds that open streams and requests get at shutdown")
    send_timeout: Seconds = Field(
        30, description="Seconds after which a reader that does not read is dropped"
    )
    ping_seconds: Seconds = Field(
        15,
        description="Seconds of silence after which a stream sends a comment; less than proxies wait",
    )
    header_timeout: Seconds = Field(15, description="Seconds that the head of a request may take to arrive")
    body_timeout: Seconds = Field(30, description="Seconds that the body of a request may take to arrive")
    max_connections: Count = Field(
        4096, description="Open connections, streams included; beyond that 503. Fewer if descriptors are few"
    )
    max_body_bytes: Count = Field(1_000_000, description="Largest request body in bytes")

    @model_validator(mode="after")
    def _no_open_door(self) -> Settings:
        if self.open_to_all and self.auth != "none" and not is_loopback(self.server_host):
            raise ValueError(
                f"SERVER_HOST={self.server_host} would let anyone in: make a key (gencode keys make NAME), "
                "or set API_KEYS, SERVER_HOST=127.0.0.1, or AUTH=none if something else guards this address"
            )
        return self

    @property
    def open_to_all(self) -> bool:
        """Whether there is no key at all, neither in API_KEYS nor made by `gencode keys`."""
        return not self.api_keys.get_secret_value().strip() and key_file(self.data_dir).version() is None

    @property
    def origins(self) -> list[str]:
        return [origin.lower() for origin in listed(self.cors_origins)]

    @property
    def otel_headers(self) -> dict[str, str]:
        headers = self.otel_exporter_otlp_headers.get_secret_value()
        pairs = (pair.partition("=") for pair in headers.split(","))
        return {name.strip(): unquote(value.strip()) for name, _, value in pairs if name.strip()}

    @property
    def rate(self) -> RateLimitItem:
        return parse(self.rate_limit)

    @model_validator(mode="after")
    def _chat_is_whole(self) -> Settings:
        if bool(self.mattermost_token.get_secret_value()) != bool(self.mattermost_url):
            raise ValueError("MATTERMOST_TOKEN and MATTERMOST_URL are needed together")
        return self

    @property
    def webhook_secrets(self) -> list[str]:
        return listed(self.webhook_secret.get_secret_value())

    @property
    def webhook_networks(self) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
        return [ipaddress.ip_network(entry) for entry in listed(self.webhook_allow_networks)]

    def secrets(self) -> list[str]:
        """Every secret value that is long enough to be redacted from logs and kept out of projects."""
        fields = [getattr(self, name) for name in type(self).model_fields]
        values = [field.get_secret_value() for field in fields if isinstance(field, SecretStr)]
        keys = [entry.partition("=")[2] or entry for entry in self.api_keys.get_secret_value().split(",")]
        named = [secret for provider in self.providers.values() for secret in provider.secrets()]
        named += [host.token.get_secret_value() for host in self.hosts.values()]
        named += [part for value in self.otel_headers.values() for part in (value, value.split(" ")[-1])]
        found = {secret.strip() for secret in [*values, *keys, *named, *self.webhook_secrets]}
        return sorted(secret for secret in found if len(secret) >= MIN_SECRET_LENGTH)


class DataDir(_Sourced):
    data_dir: Folder = DATA_DIR
