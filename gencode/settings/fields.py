"""All settings: name, type, default and description."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from limits import RateLimitItem, parse
from pydantic import Field, SecretStr, model_validator

from gencode.auth.key_store import key_store
from gencode.outbound.proxies import ProxyRules
from gencode.security.redaction import MIN_SECRET_LENGTH
from gencode.settings.json_settings import DaysByClient, HostsByName, PricesByModel, ProvidersByName
from gencode.settings.proxies import OutboundProxy, proxy_rules, proxy_secrets
from gencode.settings.sourced_settings import SourcedSettings
from gencode.settings.value_types import (
    Count,
    DatabaseUrl,
    Days,
    Directory,
    EncryptionKeys,
    Networks,
    Origin,
    Origins,
    Rate,
    Seconds,
    WebhookSecrets,
    encryption_keys,
    is_loopback,
    lets_anyone_in,
    split_list,
)
from gencode.settings.workspace_settings import WorkspaceSettings

DATA_DIR = Path("~/.local/share/gencode")


class Settings(WorkspaceSettings):
    """.env.example and docs/configuration.md are generated from the descriptions of the fields."""

    server_host: str = Field(
        "127.0.0.1", description="Address to listen on; an address other than loopback needs API keys"
    )
    server_port: int = Field(8080, ge=0, le=65535, description="Port to listen on")
    root_path: str = Field(
        "",
        pattern=r"^(/[A-Za-z0-9._~-]+)*$",
        description="Path under which a reverse proxy serves the service, such as /gencode; used in links",
    )
    api_keys: SecretStr = Field(
        SecretStr(""),
        description="Comma-separated keys: key, client=key or client=sha256:<hex digest of the key>",
    )
    auth: Literal["auto", "none"] = Field(
        "auto", description="none: no keys on any address, for example for a sidecar in a pod"
    )
    rate_limit: Rate = Field("60/minute", description="Submissions of each client, as <count>/<period>")
    cors_origins: Origins = Field(
        "",
        description="Comma-separated origins of web sites that may call the API, such as https://example.com",
    )
    sse_ticket_seconds: Count = Field(
        900, description="Seconds for which a ticket gives access to its task's event stream"
    )

    webhook_secret: WebhookSecrets = Field(
        SecretStr(""),
        description="Signs callbacks: whsec_<base64>, or several, comma-separated, which all sign. "
        "Unset: each client has its own secret, GET /api/v1/webhook-secret",
    )
    webhook_allow_networks: Networks = Field(
        "",
        description="Comma-separated private networks that callbacks may reach, such as 10.1.0.0/16",
    )
    webhook_allow_http: bool = Field(False, description="Allow callbacks to http:// URLs")
    webhook_timeout: Seconds = Field(15, description="Seconds to wait for the response to a callback")

    slack_signing_secret: SecretStr = Field(
        SecretStr(""), description="Enables the slash command of a Slack app at /integrations/slack"
    )
    slack_hooks: Origin = Field(
        "https://hooks.slack.com", description="Origin of Slack's response URLs; replies are sent to no other"
    )
    mattermost_token: SecretStr = Field(
        SecretStr(""), description="Enables a Mattermost slash command at /integrations/mattermost"
    )
    mattermost_url: Origin = Field(
        "", description="Origin of the Mattermost server, such as https://chat.example.com"
    )

    github_token: SecretStr = Field(
        SecretStr(""),
        description="Token that may create repositories; without it and HOSTS the local forge is used",
    )
    github_api_url: str = Field(
        "https://api.github.com",
        description="Base URL of GitHub's API; for GitHub Enterprise Server https://HOST/api/v3",
    )
    github_owner: str = Field(
        "", description="User or organization to create repositories in when a request names none"
    )

    hosts: HostsByName = Field(
        {},
        description='Other Git hosts, JSON: {"name": {"kind", "url", "token", "owner", "user", "path"}}',
    )
    default_host: str = Field(
        "", description="Git host for requests that name none; unset: github, or the first of HOSTS"
    )

    deepseek_api_key: SecretStr = Field(SecretStr(""), description="API key for DeepSeek")
    deepseek_base_url: str = Field("https://api.deepseek.com", description="Base URL of DeepSeek's API")
    deepseek_model: str = Field("deepseek-flash", description="Model id at DeepSeek")
    openai_api_key: SecretStr = Field(SecretStr(""), description="API key for OpenAI")
    openai_base_url: str = Field("https://api.openai.com/v1", description="Base URL of OpenAI's API")
    openai_model: str = Field("gpt-6-luna", description="Model id at OpenAI")
    providers: ProvidersByName = Field(
        {},
        description='More OpenAI-compatible APIs, JSON: {"name": {"base_url", "model", "api_key", "quirks"}}',
    )
    prices: PricesByModel = Field(
        {},
        description=(
            'Cost per million tokens, JSON: {"model": {"prompt", "completion", "cached"}}; "model" is a '
            "provider, a model id, or provider/model-id"
        ),
    )
    default_model: str = Field(
        "deepseek", description="Provider, or provider/model-id, for requests that name none"
    )

    max_concurrent_tasks: Count = Field(5, description="Tasks that run concurrently")
    max_waiting_tasks: Count = Field(1000, description="Length of the queue; further submissions get 503")
    max_paused_tasks: Count = Field(
        100, description="Paused tasks of one client; a client with more may submit none that can pause (503)"
    )
    max_model_calls: Count = Field(16, description="Concurrent calls to one provider, of all processes")
    task_timeout: Seconds = Field(600, description="Seconds that a task may run")
    approval_timeout: Seconds = Field(
        86400, description="Seconds that a plan may wait for approval, if its request asked for approval"
    )
    max_output_tokens: int = Field(
        8192, ge=64, le=1_000_000, description="Maximum output tokens of one model call"
    )
    prompt_cache: Literal["off", "identical", "similar"] = Field(
        "off",
        description="Reuse the result of a client's earlier task in place of model calls: for identical"
        " prompts, or also for similar ones",
    )
    prompt_cache_similarity: float = Field(
        0.95, ge=0.5, le=1, description="Minimum similarity of prompts that count as similar, from 0.5 to 1"
    )
    files_at_once: Count = Field(8, description="Files of one task that are written concurrently")
    first_token_timeout: Seconds = Field(
        60,
        description="Seconds to wait for the first token of a model call, once earlier calls are answered",
    )
    idle_timeout: Seconds = Field(60, description="Seconds to wait for the next token of a model call")
    push_timeout: Seconds = Field(120, description="Seconds that a push may take")
    allow_workflows: bool = Field(
        False, description="Allow files that a Git host runs, such as .github/workflows and .gitlab-ci.yml"
    )
    git_author: str = Field(
        "gencode <gencode@localhost>",
        pattern=r"^[^\r\n\x00<>]+ <[^\r\n\x00<>]*>$",  # git fsck rejects commits with any other form
        description="Author of the commits",
    )

    outbound_proxy: OutboundProxy = Field(
        SecretStr(""),
        description="Proxy for all outbound requests, http://HOST:PORT or http://USER:PASSWORD@HOST:PORT;"
        " environment: HTTPS_PROXY and HTTP_PROXY of the process",
    )
    no_proxy: str = Field(
        "",
        description="Comma-separated targets reached without OUTBOUND_PROXY: names with their subdomains, IP"
        " addresses, networks; loopback never needs it",
    )
    ca_bundle: Path | None = Field(
        None, description="PEM file of certificate authorities to trust in addition to the public ones"
    )

    data_dir: Directory = Field(
        DATA_DIR,
        description="Folder of the database and the local forge; for one process only",
    )
    database_url: DatabaseUrl = Field(
        SecretStr(""),
        description="PostgreSQL database that several processes share, postgresql://USER:PASSWORD@HOST:PORT/NAME"
        " (needs the extra cluster); unset: SQLite in DATA_DIR, for one process",
    )
    database_direct_url: DatabaseUrl = Field(
        SecretStr(""),
        description="The same database without a pooler such as PgBouncer, if DATABASE_URL goes through one",
    )
    worker_stale_seconds: float = Field(
        20,
        ge=4,
        le=600,
        description="Seconds without a heartbeat after which other workers take over a worker's tasks; the"
        " same in all processes",
    )
    worker_port: int = Field(
        0, ge=0, le=65535, description="Port of the probes and metrics of `gencode worker`; 0: none"
    )
    retention_days: Days = Field(
        0, description="Days after its last change when a finished task is deleted; 0: never"
    )
    retention_days_by_client: DaysByClient = Field(
        {}, description='Other RETENTION_DAYS for some clients, JSON: {"name": days}'
    )
    idempotency_key_days: Days = Field(
        30, description="Days after which an Idempotency-Key can be used again; 0: never"
    )
    temp_dir: Path | None = Field(
        None,
        description="Ignored; accepted for compatibility. Commits are built in memory, without files",
    )
    forge_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="Port of the local forge; 0: that of the last start, else SERVER_PORT + 1, else any free",
    )
    language: Literal["en", "zh"] = Field(
        "en", description="Language of messages if Accept-Language has none that is supported"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Minimum level of log lines"
    )
    log_format: Literal["auto", "json", "console"] = Field(
        "auto", description="auto: console on a terminal, otherwise JSON"
    )
    otel_exporter_otlp_endpoint: str = Field(
        "",
        pattern=r"^(https?://\S+)?$",
        description="OpenTelemetry collector (OTLP/HTTP), as http://127.0.0.1:4318; needs the extra otel",
    )
    otel_exporter_otlp_headers: SecretStr = Field(
        SecretStr(""), description="Headers for the collector: comma-separated name=value"
    )
    trace_hosts: str = Field(
        "",
        description="Comma-separated host names of models or Git hosts that receive the traceparent header",
    )
    otel_service_name: str = Field("gencode", description="Service name in traces")
    shutdown_grace: Seconds = Field(
        10, description="Seconds for open requests and streams to finish at shutdown"
    )
    send_timeout: Seconds = Field(
        30, description="Seconds after which the connection of a client that does not read is closed"
    )
    ping_seconds: Seconds = Field(
        15,
        description="Seconds between keep-alive comments on idle streams; less than the timeout of proxies",
    )
    header_timeout: Seconds = Field(15, description="Seconds to receive the headers of a request")
    body_timeout: Seconds = Field(30, description="Seconds to receive the body of a request")
    max_connections: Count = Field(
        4096,
        description="Open connections, streams included; further ones get 503. Lower if descriptors are few",
    )
    max_body_bytes: Count = Field(1_000_000, description="Maximum size of a request body in bytes")

    @model_validator(mode="after")
    def _require_keys_off_loopback(self) -> Settings:
        if self.database_url.get_secret_value() or self.workspace:  # it may have some, or accounts
            return self
        if self.has_no_api_keys and self.auth != "none" and not is_loopback(self.server_host):
            raise ValueError(lets_anyone_in(self.server_host))
        return self

    @property
    def has_no_api_keys(self) -> bool:
        """Whether no API key exists, neither in API_KEYS nor made by `gencode keys`."""
        return not self.api_keys.get_secret_value().strip() and key_store(self.data_dir).version() is None

    @property
    def proxies(self) -> ProxyRules:
        """OUTBOUND_PROXY and NO_PROXY, parsed."""
        return proxy_rules(self.outbound_proxy.get_secret_value(), self.no_proxy)

    @property
    def origins(self) -> list[str]:
        """CORS_ORIGINS as a list."""
        return [origin.lower() for origin in split_list(self.cors_origins)]

    @property
    def otel_headers(self) -> dict[str, str]:
        """OTEL_EXPORTER_OTLP_HEADERS by name, with percent-decoded values."""
        headers = self.otel_exporter_otlp_headers.get_secret_value()
        pairs = (pair.partition("=") for pair in headers.split(","))
        return {name.strip(): unquote(value.strip()) for name, _, value in pairs if name.strip()}

    @property
    def rate(self) -> RateLimitItem:
        """RATE_LIMIT, parsed."""
        return parse(self.rate_limit)

    @model_validator(mode="after")
    def _require_both_mattermost_settings(self) -> Settings:
        if bool(self.mattermost_token.get_secret_value()) != bool(self.mattermost_url):
            raise ValueError("MATTERMOST_TOKEN and MATTERMOST_URL are needed together")
        return self

    @property
    def webhook_secrets(self) -> list[str]:
        """WEBHOOK_SECRET as a list."""
        return split_list(self.webhook_secret.get_secret_value())

    @property
    def webhook_networks(self) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
        """WEBHOOK_ALLOW_NETWORKS, parsed."""
        return [ipaddress.ip_network(entry) for entry in split_list(self.webhook_allow_networks)]

    def secrets(self) -> list[str]:
        """Every secret value that is long enough to be redacted from logs and kept out of projects."""
        headers = [part for value in self.otel_headers.values() for part in (value, value.split(" ")[-1])]
        found = {*headers, *proxy_secrets(self.proxies), *(secret for _, secret in self._named_secrets())}
        return sorted(secret for secret in found if len(secret) >= MIN_SECRET_LENGTH)

    def short_secrets(self) -> list[str]:
        """The settings that have a secret which is too short for this."""
        return sorted({name for name, secret in self._named_secrets() if 0 < len(secret) < MIN_SECRET_LENGTH})

    def _named_secrets(self) -> Iterator[tuple[str, str]]:
        """Each secret with the name of its setting, without those of OTEL_EXPORTER_OTLP_HEADERS."""
        for name in type(self).model_fields:
            if name != "outbound_proxy" and isinstance(field := getattr(self, name), SecretStr):
                yield name.upper(), field.get_secret_value().strip()
        for name in ("database_url", "database_direct_url"):
            yield name.upper(), unquote(urlsplit(getattr(self, name).get_secret_value()).password or "")
        for entry in self.api_keys.get_secret_value().split(","):
            yield "API_KEYS", (entry.partition("=")[2] or entry).strip()
        yield from (("WEBHOOK_SECRET", secret) for secret in self.webhook_secrets)
        yield from (("ENCRYPTION_KEY", key) for key in split_list(self.encryption_key.get_secret_value()))
        for name, provider in self.providers.items():
            yield from ((f"PROVIDERS ({name})", secret.strip()) for secret in provider.secrets())
        for name, host in self.hosts.items():
            yield f"HOSTS ({name})", host.token.get_secret_value().strip()


class DataDir(SourcedSettings):
    """DATA_DIR alone, for commands that must work while other settings are invalid."""

    data_dir: Directory = DATA_DIR


class DatabaseSettings(DataDir):
    """Where the tasks are, for commands that must work while other settings are invalid."""

    database_url: DatabaseUrl = SecretStr("")
    database_direct_url: DatabaseUrl = SecretStr("")

    @property
    def direct_dsn(self) -> str:
        """The address without a pooler; "" for SQLite."""
        return self.database_url.get_secret_value() and (
            self.database_direct_url.get_secret_value() or self.database_url.get_secret_value()
        )


class EncryptionSettings(DatabaseSettings):
    """The keys of stored secrets, for `gencode secrets`."""

    encryption_key: EncryptionKeys = SecretStr("")

    @property
    def encryption_keys(self) -> Sequence[bytes]:
        """ENCRYPTION_KEY as a list; empty if it is unset."""
        return encryption_keys(self.encryption_key)


class RetentionSettings(DatabaseSettings):
    """The settings that `gencode prune` needs."""

    retention_days: Days = 0
    retention_days_by_client: DaysByClient = {}  # noqa: RUF012 - pydantic copies it
    idempotency_key_days: Days = 30
