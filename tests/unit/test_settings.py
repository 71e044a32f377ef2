from __future__ import annotations

from pydantic import SecretStr

from gencode.settings import NamedProvider, Settings

PROVIDER = NamedProvider(
    base_url="https://api.example.com/v1",
    model="m",
    api_key=SecretStr("provider-key"),
    quirks={"headers": {"Proxy-Authorization": "Basic header-key", "Referer": "https://example.com"}},
)


def test_every_secret_is_known_by_itself() -> None:
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


def test_ordinary_values_are_no_secrets() -> None:
    settings = Settings.model_construct(api_keys=SecretStr("abc"), providers={"other": PROVIDER})
    assert not {"abc", "", "https://example.com", "m"} & set(settings.secrets())


def test_settings_can_be_printed() -> None:
    shown = repr(Settings.model_construct(github_token=SecretStr("a-token"), providers={"other": PROVIDER}))
    assert not [secret for secret in ("a-token", "provider-key", "header-key") if secret in shown]
