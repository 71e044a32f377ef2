from __future__ import annotations

import pytest

from gencode.domain.errors import StartError
from gencode.githosts.origins import github_web_origin, origin_of


@pytest.mark.parametrize(
    ("api", "web"),
    [
        ("https://api.github.com", "https://github.com/"),
        ("https://api.github.com/", "https://github.com/"),
        ("https://api.octo.ghe.com", "https://octo.ghe.com/"),
        ("https://git.example.org/api/v3", "https://git.example.org/"),
        ("https://api.example.org:8443/api/v3", "https://api.example.org:8443/"),
        ("http://127.0.0.1:4711/api/v3", "http://127.0.0.1:4711/"),
        ("http://[::1]:4711/api/v3", "http://[::1]:4711/"),
    ],
)
def test_the_web_origin_is_derived_from_github_s_api_url(api: str, web: str) -> None:
    assert github_web_origin(api) == origin_of(web)


@pytest.mark.parametrize(
    "api", ["", "github.com", "ftp://x", "https://t@api.github.com", "https://x/?y", "https://"]
)
def test_other_api_urls_are_refused(api: str) -> None:
    with pytest.raises(StartError, match="GITHUB_API_URL"):
        github_web_origin(api)


@pytest.mark.parametrize(
    ("url", "owned"),
    [
        ("https://github.com/octo/hello.git", True),
        ("https://GitHub.com:443/octo/hello.git", True),
        ("http://github.com/octo/hello.git", False),
        ("https://github.com:8443/octo/hello.git", False),
        ("https://github.com.evil.org/octo/hello.git", False),
        ("https://evil.org/github.com/", False),
        ("https://octo:token@github.com/octo/hello.git", False),
        ("https://github.com\\@evil.org/", False),
        ("https://github.com/\n", False),
        ("https://github.com/x?y#z", False),
        ("//github.com/x", False),
        ("git@github.com:octo/hello.git", False),
    ],
)
def test_only_plain_urls_of_the_same_origin_are_owned(url: str, owned: bool) -> None:
    assert github_web_origin("https://api.github.com").owns(url) is owned
