"""Which targets go through the proxy."""

from __future__ import annotations

import pytest

from gencode.outbound.proxies import DIRECT, ProxyRules

PROXY = "http://proxy.example.com:3128"


def rules(*no_proxy: str) -> ProxyRules:
    return ProxyRules(by_scheme={"http": PROXY, "https": PROXY}, no_proxy=no_proxy)


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:11434/v1",
        "http://LOCALHOST/",
        "http://model.localhost/",
        "http://127.0.0.1:8081/",
        "http://127.8.9.1/",
        "http://[::1]:8080/",
        "http://[::ffff:127.0.0.1]/",
    ],
)
def test_loopback_never_uses_a_proxy(url: str) -> None:
    assert rules().proxy_for_url(url) == ""


@pytest.mark.parametrize(
    "url",
    ["https://api.github.com/", "http://10.1.2.3/", "https://localhost.example.com/", "http://[fe80::1]/"],
)
def test_everything_else_does(url: str) -> None:
    assert rules().proxy_for_url(url) == PROXY
    assert DIRECT.proxy_for_url(url) == ""


@pytest.mark.parametrize(
    ("entry", "direct", "proxied"),
    [
        ("example.com", ["https://example.com", "https://git.EXAMPLE.com."], ["https://badexample.com"]),
        (".example.com", ["https://git.example.com", "https://example.com"], ["https://example.com.cn"]),
        ("*.example.com", ["https://a.b.example.com"], ["https://example.org"]),
        ("EXAMPLE.COM:8443", ["https://example.com:8443"], ["https://example.com"]),
        ("example.com:443", ["https://example.com"], ["http://example.com"]),
        ("10.0.0.0/8", ["http://10.255.0.1"], ["http://11.0.0.1", "http://ten.example.com"]),
        ("10.1.2.3", ["http://10.1.2.3:81"], ["http://10.1.2.4"]),
        ("10.1.2.3:81", ["http://10.1.2.3:81"], ["http://10.1.2.3"]),
        ("fd00::/8", ["http://[fd00::7]"], ["http://[2001:db8::7]"]),
        ("[fd00::7]:81", ["http://[fd00::7]:81"], ["http://[fd00::7]"]),
        ("*", ["https://example.com", "http://10.1.2.3"], []),
        (".", [], ["https://example.com"]),
        ("10.0.0.0/99", [], ["http://10.0.0.1"]),
    ],
)
def test_no_proxy_names_targets(entry: str, direct: list[str], proxied: list[str]) -> None:
    chosen = rules("other.example.net", entry)
    assert [chosen.proxy_for_url(url) for url in direct] == [""] * len(direct)
    assert [chosen.proxy_for_url(url) for url in proxied] == [PROXY] * len(proxied)


def test_a_scheme_without_a_proxy_is_direct() -> None:
    only_https = ProxyRules(by_scheme={"https": PROXY})
    assert only_https.proxy_for_url("http://example.com") == ""
    assert only_https.proxy_for_url("https://example.com") == PROXY


def test_any_name_of_the_target_can_exclude_it() -> None:
    """A receiver of webhooks is called by its address; its name is known as well."""
    assert rules("hooks.example.com").proxy_for("https", None, "93.184.216.34", "hooks.example.com") == ""
    assert rules("93.184.216.0/24").proxy_for("https", None, "93.184.216.34", "hooks.example.com") == ""
    assert rules("other.example.com").proxy_for("https", None, "93.184.216.34", "hooks.example.com") == PROXY
