"""Settings from the environment, from files and from .env."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import SecretStr

from gencode.domain.errors import StartError
from gencode.security.regular_file import MAX_BYTES
from gencode.settings import NamedHost, NamedProvider, Settings, is_loopback, load, set_by_env_file
from gencode.settings.sources import SECRET_OF_URL

PROVIDER = NamedProvider(
    base_url="https://api.example.com/v1",
    model="m",
    api_key=SecretStr("provider-key"),
    quirks={"headers": {"Proxy-Authorization": "Basic header-key", "Referer": "https://example.com"}},
)


def test_secrets_lists_each_secret_value() -> None:
    settings = Settings.model_construct(
        api_keys=SecretStr("first-key, alice=alice-key=, abc"),
        github_token=SecretStr("token,with,commas"),
        deepseek_api_key=SecretStr(" deepseek-key "),
        providers={"other": PROVIDER},
    )
    assert {
        "first-key",
        "alice-key=",
        "token,with,commas",
        "deepseek-key",
        "provider-key",
        "Basic header-key",
        "header-key",
    } <= set(settings.secrets())


def test_tokens_of_hosts_are_secrets_and_not_printed() -> None:
    host = NamedHost(kind="gitlab", token=SecretStr("glpat-1234"))
    settings = Settings.model_construct(hosts={"lab": host})
    assert "glpat-1234" in settings.secrets()
    assert "glpat-1234" not in repr(settings)


def test_each_encryption_key_is_a_secret() -> None:
    keys = ("QUFB" * 10 + "QUE=", "QkJC" * 10 + "QkI=")
    settings = Settings.model_construct(encryption_key=SecretStr(", ".join(keys)))
    assert set(keys) <= set(settings.secrets())


def test_each_header_of_a_collector_is_a_secret() -> None:
    headers = SecretStr("authorization=Bearer%20collector-key,x-team=team-key")
    settings = Settings.model_construct(otel_exporter_otlp_headers=headers)
    assert {"Bearer collector-key", "collector-key", "team-key"} <= set(settings.secrets())


def test_ordinary_values_are_not_secrets() -> None:
    settings = Settings.model_construct(api_keys=SecretStr("abc"), providers={"other": PROVIDER})
    assert not {"abc", "", "https://example.com", "m"} & set(settings.secrets())


def test_printed_settings_show_no_secret() -> None:
    shown = repr(Settings.model_construct(github_token=SecretStr("a-token"), providers={"other": PROVIDER}))
    assert not [secret for secret in ("a-token", "provider-key", "header-key") if secret in shown]


# --- the environment --------------------------------------------------------------------------------

Environment = pytest.MonkeyPatch


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Environment:
    """An environment without settings and without a .env file."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.delenv(f"{name.upper()}_FILE", raising=False)
    monkeypatch.chdir(tmp_path)
    return monkeypatch


def config_error() -> str:
    with pytest.raises(StartError) as caught:
        load()
    assert caught.value.code == "CONFIG"
    return caught.value.message


def test_all_settings_have_defaults(environment: Environment) -> None:
    settings = load()
    assert (settings.server_host, settings.server_port, settings.has_no_api_keys) == ("127.0.0.1", 8080, True)
    assert (settings.max_concurrent_tasks, settings.task_timeout, settings.default_model) == (
        5,
        600,
        "deepseek",
    )
    assert (settings.rate.amount, settings.rate.GRANULARITY.name) == (60, "minute")
    assert settings.data_dir.is_absolute()
    assert settings.secrets() == []


def test_setting_names_of_the_original_design_are_accepted(environment: Environment) -> None:
    for name, value in {
        "SERVER_PORT": "9000",
        "GITHUB_TOKEN": "a-token",
        "DEEPSEEK_API_KEY": "a-key",
        "DEFAULT_MODEL": "openai",
        "MAX_CONCURRENT_TASKS": "7",
        "TASK_TIMEOUT": "30",
        "TEMP_DIR": "/nowhere",
    }.items():
        environment.setenv(name, value)
    settings = load()
    assert (settings.server_port, settings.max_concurrent_tasks, settings.task_timeout) == (9000, 7, 30)
    assert (settings.github_token.get_secret_value(), settings.default_model) == ("a-token", "openai")


def test_an_empty_variable_is_the_same_as_unset(environment: Environment) -> None:
    environment.setenv("SERVER_PORT", "")
    environment.setenv("GITHUB_TOKEN", "")
    assert load().server_port == 8080


SECRETS = [name for name, field in Settings.model_fields.items() if field.annotation is SecretStr]
VALID_VALUES = {
    "webhook_secret": f"whsec_{'a' * 40}",
    "outbound_proxy": "http://user:from-the-file@proxy.example.com:3128",
    "encryption_key": "ZnJvbS10aGUtZmlsZSwgMzIgYnl0ZXMgb2YgdGV4dCE=",
    "database_url": "postgresql://user:from-the-file@db.example.com/gencode",
    "database_direct_url": "postgresql://user:from-the-file@db.example.com/gencode",
}
"""Of secrets that must have a certain form."""


@pytest.mark.parametrize("name", SECRETS)
def test_every_secret_can_be_read_from_a_file(environment: Environment, tmp_path: Path, name: str) -> None:
    secret = VALID_VALUES.get(name, "from-the-file")
    (tmp_path / "secret").write_text(f"  {secret}\n")
    environment.setenv(f"{name.upper()}_FILE", str(tmp_path / "secret"))
    environment.setenv("MATTERMOST_URL", "https://chat.example.com" if name == "mattermost_token" else "")
    settings = load()
    assert getattr(settings, name).get_secret_value() == secret
    assert any(known in secret for known in settings.secrets())


@pytest.mark.parametrize("secret", ["whsec_short", "whsec_" + "é" * 40, "a" * 40, f"whsec_{'a' * 40},x"])
def test_an_invalid_webhook_secret_is_rejected(secret: str) -> None:
    with pytest.raises(StartError, match="WEBHOOK_SECRET") as caught:
        load({"webhook_secret": secret})
    assert secret not in caught.value.message


@pytest.mark.parametrize(
    "fields",
    [
        {"mattermost_token": "t"},
        {"mattermost_url": "https://chat.example.com"},
        {"mattermost_token": "t", "mattermost_url": "chat.example.com"},
        {"slack_hooks": "https://hooks.slack.com/services"},
    ],
)
def test_incomplete_chat_settings_are_rejected(fields: dict[str, str]) -> None:
    with pytest.raises(StartError):
        load(fields)


def test_webhook_secrets_and_networks_are_comma_separated() -> None:
    old, new = (f"whsec_{letter * 40}" for letter in "ab")
    settings = load({"webhook_secret": f"{new}, {old}", "webhook_allow_networks": "10.1.0.0/16,::1"})
    assert settings.webhook_secrets == [new, old]
    assert {new, old} <= set(settings.secrets())
    assert [str(network) for network in settings.webhook_networks] == ["10.1.0.0/16", "::1/128"]
    with pytest.raises(StartError, match="WEBHOOK_ALLOW_NETWORKS"):
        load({"webhook_allow_networks": "10.1.2.3/8"})


def test_providers_can_be_read_from_a_file(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text(
        '{"mine": {"base_url": "http://x/v1", "model": "m", "api_key": "mine-key"}}'
    )
    environment.setenv("PROVIDERS_FILE", str(tmp_path / "p.json"))
    settings = load()
    assert settings.providers["mine"].model == "m"
    assert "mine-key" in settings.secrets()


@pytest.mark.fault(110)
@pytest.mark.parametrize("name", ["GITHUB_TOKEN_FILE", "PROVIDERS_FILE", ".env"])
@pytest.mark.parametrize("kind", ["pipe", "device", "huge"])
def test_what_is_no_bounded_file_ends_the_start_at_once(
    environment: Environment, tmp_path: Path, name: str, kind: str
) -> None:
    """A pipe that nobody writes to would be waited for, and /dev/zero has no end."""
    path = tmp_path / name
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.write_bytes(b"#" * (MAX_BYTES + 1))
    if name != ".env":
        environment.setenv(name, str(path))
    said = config_error()
    assert name in said
    assert ("more than" if kind == "huge" else "not a regular file") in said


def test_an_unreadable_file_is_reported(environment: Environment, tmp_path: Path) -> None:
    environment.setenv("GITHUB_TOKEN_FILE", str(tmp_path / "missing"))
    assert "GITHUB_TOKEN_FILE" in config_error()
    assert "missing" in config_error()
    (tmp_path / "missing").write_bytes(b"\xff\xfe\x00")
    assert "GITHUB_TOKEN_FILE" in config_error()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SERVER_PORT", "99999"),
        ("SERVER_PORT", "eighty"),
        ("MAX_CONCURRENT_TASKS", "0"),
        ("TASK_TIMEOUT", "-1"),
        ("TASK_TIMEOUT", "inf"),
        ("TASK_TIMEOUT", "nan"),
        ("RATE_LIMIT", "many"),
        ("AUTH", "maybe"),
        ("LANGUAGE", "fr"),
        ("LOG_LEVEL", "LOUD"),
        ("PROVIDERS", "{"),
        ("PROVIDERS", '{"x": {"model": "m"}}'),
        ("PROVIDERS", '{"x": {"base_url": "u", "model": "m", "api_key": "s3cret-key", "more": 1}}'),
    ],
)
def test_an_invalid_value_is_reported_with_the_name_of_its_setting(
    environment: Environment, name: str, value: str
) -> None:
    environment.setenv(name, value)
    message = config_error()
    assert name in message
    assert "s3cret-key" not in message


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com"])
def test_an_address_off_loopback_needs_keys_or_auth_none(environment: Environment, host: str) -> None:
    environment.setenv("SERVER_HOST", host)
    message = config_error()
    assert host in message
    assert "API_KEYS" in message
    assert "AUTH=none" in message
    environment.setenv("AUTH", "none")
    assert load().has_no_api_keys
    environment.delenv("AUTH")
    environment.setenv("API_KEYS", "a-key")
    assert not load().has_no_api_keys


def test_loopback_addresses() -> None:
    assert [
        host for host in ("127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost") if not is_loopback(host)
    ] == []
    assert [host for host in ("0.0.0.0", "::", "10.0.0.1", "example.com", "") if is_loopback(host)] == []


# --- .env -------------------------------------------------------------------------------------------

ELSEWHERE = "https://elsewhere.example.com"
each_url_setting = pytest.mark.parametrize(("url_setting", "secret"), SECRET_OF_URL.items())


@each_url_setting
def test_an_env_file_cannot_redirect_a_secret_of_the_environment(
    environment: Environment, url_setting: str, secret: str
) -> None:
    Path(".env").write_text(f"{url_setting}={ELSEWHERE}\n")
    environment.setenv(secret.upper(), "a=very-secret")
    message = config_error()
    assert url_setting.upper() in message
    assert secret.upper() in message
    assert "very-secret" not in message


@each_url_setting
def test_an_env_file_cannot_redirect_a_secret_of_a_file(
    environment: Environment, tmp_path: Path, url_setting: str, secret: str
) -> None:
    Path(".env").write_text(f"{url_setting.upper()}={ELSEWHERE}\n{secret.upper()}=its-own\n")
    (tmp_path / "secret").write_text("a=very-secret")
    environment.setenv(f"{secret.upper()}_FILE", str(tmp_path / "secret"))
    assert url_setting.upper() in config_error()


@each_url_setting
def test_an_env_file_can_set_the_url_for_its_own_secret(
    environment: Environment, url_setting: str, secret: str
) -> None:
    Path(".env").write_text(f"{url_setting.upper()}={ELSEWHERE}\n{secret.upper()}=its-own\n")
    settings = load()
    assert getattr(settings, url_setting) == ELSEWHERE
    assert getattr(settings, secret).get_secret_value() == "its-own"


@each_url_setting
def test_the_environment_takes_precedence_over_an_env_file(
    environment: Environment, url_setting: str, secret: str
) -> None:
    Path(".env").write_text(f"{url_setting.upper()}={ELSEWHERE}\n")
    environment.setenv(secret.upper(), "a=very-secret")
    environment.setenv(url_setting.upper(), "https://mine.example.com")
    assert getattr(load(), url_setting) == "https://mine.example.com"


def test_a_default_url_in_an_env_file_is_accepted(environment: Environment) -> None:
    Path(".env").write_text("GITHUB_API_URL=https://api.github.com/\n")
    environment.setenv("GITHUB_TOKEN", "a-token")
    assert load().github_token.get_secret_value() == "a-token"


@pytest.mark.parametrize("line", ["OUTBOUND_PROXY=http://10.0.0.1:3128", "ca_bundle=/tmp/ca.pem"])
@pytest.mark.parametrize("secret", ["GITHUB_TOKEN", "DEEPSEEK_API_KEY", "HOSTS"])
def test_an_env_file_cannot_route_secrets_of_the_environment(
    environment: Environment, line: str, secret: str
) -> None:
    """A proxy together with a certificate authority could read them."""
    Path(".env").write_text(f"{line}\n")
    value = '{"a": {"kind": "gitlab", "token": "very-secret"}}' if secret == "HOSTS" else "very-secret"
    environment.setenv(secret, value)
    message = config_error()
    assert line.partition("=")[0].upper() in message
    assert secret in message
    environment.setenv(line.partition("=")[0].upper(), line.partition("=")[2])
    assert load().secrets() == ["very-secret"]


def test_an_env_file_can_route_its_own_secrets(environment: Environment) -> None:
    Path(".env").write_text("GITHUB_TOKEN=its-own-token\nOUTBOUND_PROXY=http://proxy.example.com:3128\n")
    assert load().proxies.proxy_for("https", None, "api.github.com") == "http://proxy.example.com:3128"


def test_an_env_file_is_not_interpolated(environment: Environment) -> None:
    environment.setenv("GITHUB_TOKEN", "a-token")
    entry = '{"base_url": "https://elsewhere.example.com/${GITHUB_TOKEN}", "model": "m"}'
    Path(".env").write_text(f'PROVIDERS={{"x": {entry}}}\n')
    assert load().providers["x"].base_url == "https://elsewhere.example.com/${GITHUB_TOKEN}"


def test_settings_changed_by_an_env_file_are_listed_by_name(environment: Environment) -> None:
    Path(".env").write_text("AUTH=none\nSERVER_PORT=8080\nGITHUB_TOKEN=a-token\nLOG_LEVEL=DEBUG\nOTHER=x\n")
    environment.setenv("LOG_LEVEL", "INFO")
    assert set_by_env_file() == ["AUTH", "GITHUB_TOKEN"]


def test_an_unreadable_env_file_is_reported(environment: Environment) -> None:
    Path(".env").write_bytes(b"AUTH=\xff\n")
    assert ".env" in config_error()


# --- Git hosts --------------------------------------------------------------------------------------


def test_hosts_are_json(environment: Environment) -> None:
    environment.setenv("HOSTS", '{"lab": {"kind": "gitlab", "token": "glpat-1234", "owner": "a/b"}}')
    lab = load().hosts["lab"]
    assert (lab.kind, lab.token.get_secret_value(), lab.owner) == ("gitlab", "glpat-1234", "a/b")


def test_hosts_can_be_read_from_a_file(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "hosts.json").write_text('{"disk": {"kind": "directory", "path": "/srv/git"}}\n')
    environment.setenv("HOSTS_FILE", str(tmp_path / "hosts.json"))
    assert load().hosts["disk"].path == Path("/srv/git")


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ('{"kind": "svn"}', "HOSTS.X.KIND: Input should be 'github', 'gitea'"),
        ('{"kind": "gitlab"}', 'HOSTS.X: it needs a "token"'),
        ('{"kind": "gitlab", "tokn": "glpat-1234"}', "HOSTS.X.TOKN: Extra inputs are not permitted"),
        ('{"kind": "gitea", "token": "glpat-1234"}', 'HOSTS.X: it needs a "url"'),
        ('{"kind": "bitbucket", "token": "glpat-1234"}', 'HOSTS.X: it needs an "owner"'),
        ('{"kind": "gitlab", "token": "glpat-1234", "path": "/x"}', 'only a directory has a "path"'),
        ('{"kind": "directory"}', 'HOSTS.X: a directory needs a "path" that begins with "/"'),
        ('{"kind": "directory", "path": "git"}', 'a directory needs a "path" that begins with "/"'),
        ('{"kind": "directory", "path": "/x", "token": "glpat-1234"}', 'and takes no "token"'),
        ('"glpat-1234"', "HOSTS.X: Input should be"),
    ],
)
def test_an_invalid_host_is_reported_without_its_token(
    environment: Environment, entry: str, words: str
) -> None:
    environment.setenv("HOSTS", f'{{"x": {entry}}}')
    with pytest.raises(StartError) as caught:
        load()
    assert words in caught.value.message
    assert "glpat" not in caught.value.message


@pytest.mark.parametrize("text", ["glpat-1234", '{"X y": {"kind": "gitlab", "token": "glpat-1234"}}'])
def test_invalid_json_and_host_names_are_rejected(environment: Environment, text: str) -> None:
    environment.setenv("HOSTS", text)
    with pytest.raises(StartError, match="HOSTS") as caught:
        load()
    assert "glpat" not in caught.value.message


# --- outbound requests ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "proxy",
    [
        "https://proxy.example.com:3128",
        "socks5://proxy.example.com:1080",
        "http://proxy.example.com",
        "http://proxy.example.com:99999",
        "http://user:very-secret@proxy.example.com:3128/path",
        "http://[::1:3128",
        "none",
    ],
)
def test_an_invalid_proxy_is_rejected_without_its_password(environment: Environment, proxy: str) -> None:
    environment.setenv("OUTBOUND_PROXY", proxy)
    message = config_error()
    assert message == "OUTBOUND_PROXY: must be http://HOST:PORT or http://USER:PASSWORD@HOST:PORT"


def test_proxies_of_the_environment_are_used_only_if_the_operator_says_so(environment: Environment) -> None:
    environment.setenv("HTTPS_PROXY", "http://user:p%40ssword@secure.example.com:3128")
    environment.setenv("http_proxy", "plain.example.com:3128")
    environment.setenv("NO_PROXY", "internal.example.com, 10.0.0.0/8")
    assert load().proxies.proxy_for("https", None, "api.github.com") == ""
    environment.setenv("OUTBOUND_PROXY", "environment")
    proxies = load().proxies
    assert proxies.proxy_for("https", None, "api.github.com").endswith("@secure.example.com:3128")
    assert proxies.proxy_for("http", None, "api.github.com") == "http://plain.example.com:3128"
    assert proxies.proxy_for("https", None, "git.internal.example.com") == ""
    secrets = load().secrets()
    assert {"p@ssword", "p%40ssword"} < set(secrets)
    assert "environment" not in secrets
    assert "p%40ssword" not in repr(proxies)
