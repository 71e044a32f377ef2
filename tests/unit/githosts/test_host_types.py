from __future__ import annotations

from base64 import b64encode

import httpx
import pytest
from starlette.responses import JSONResponse

from gencode.domain.errors import StartError
from gencode.githosts.connection_options import HostOptions
from gencode.githosts.errors import HostAuth
from gencode.githosts.host_types import connect
from gencode.githosts.http_client import http_client
from tests.servers.fixed_reply import fixed_reply_server
from tests.unit.githosts.samples import SNAPSHOT, SPEC


def addresses(kind: str, url: str) -> tuple[str, str]:
    """The addresses of its API and of its repositories."""
    endpoint = connect(kind, "work", url, "token", httpx.AsyncClient(verify=False), HostOptions()).endpoint
    web = endpoint.web
    return endpoint.api_url, f"{web.scheme}://{web.host}:{web.port}"


@pytest.mark.parametrize(
    ("kind", "url", "api", "web"),
    [
        ("github", "", "https://api.github.com", "https://github.com:443"),
        ("github", "https://github.com/", "https://api.github.com", "https://github.com:443"),
        ("github", "https://octo.ghe.com", "https://api.octo.ghe.com", "https://octo.ghe.com:443"),
        (
            "github",
            "https://git.example.org",
            "https://git.example.org/api/v3",
            "https://git.example.org:443",
        ),
        ("github", "https://x.org:8443/api/v3", "https://x.org:8443/api/v3", "https://x.org:8443"),
        ("github", "https://api.github.com", "https://api.github.com", "https://github.com:443"),
        (
            "gitea",
            "https://git.example.org/",
            "https://git.example.org/api/v1",
            "https://git.example.org:443",
        ),
        ("forgejo", "http://[::1]:3000/git", "http://[::1]:3000/git/api/v1", "http://[::1]:3000"),
        ("gitlab", "", "https://gitlab.com/api/v4", "https://gitlab.com:443"),
        ("gitlab", "https://x.org/gitlab", "https://x.org/gitlab/api/v4", "https://x.org:443"),
        ("gitee", "", "https://gitee.com/api/v5", "https://gitee.com:443"),
        ("bitbucket", "", "https://api.bitbucket.org/2.0", "https://bitbucket.org:443"),
        ("bitbucket", "https://bitbucket.org/", "https://api.bitbucket.org/2.0", "https://bitbucket.org:443"),
    ],
)
def test_the_api_url_is_derived_from_the_web_url(kind: str, url: str, api: str, web: str) -> None:
    assert addresses(kind, url) == (api, web)


@pytest.mark.parametrize("kind", ["github", "gitea", "gitlab", "gitee", "bitbucket"])
@pytest.mark.parametrize(
    "url",
    ["git.example.org", "ftp://x", "https://user:secret@x.org", "https://x.org/?q", "https://x.org\\@y"],
)
def test_other_addresses_are_refused_with_the_name_of_their_setting(kind: str, url: str) -> None:
    with pytest.raises(StartError, match='the url of "work" in HOSTS must be an address') as caught:
        addresses(kind, url)
    assert "secret" not in caught.value.message


def test_a_token_that_no_header_can_carry_is_refused_and_not_shown() -> None:
    with pytest.raises(StartError, match='the token of "work" in HOSTS has characters') as caught:
        connect("gitlab", "work", "", "glpat-\n", httpx.AsyncClient(verify=False), HostOptions())
    assert "glpat" not in caught.value.message


async def test_the_encoded_form_of_a_token_is_redacted_like_the_token() -> None:
    sent = b64encode(b"me@example.org:a-token").decode()
    refusal = JSONResponse({"error": {"message": f"no such credentials: {sent}"}}, 401)
    async with fixed_reply_server(refusal) as (url, _), http_client() as client:
        options = HostOptions(owner="o")
        host = connect("bitbucket", "it", url, "a-token", client, options, user="me@example.org")
        with pytest.raises(HostAuth, match="no such credentials") as refused:
            await host.create(SPEC, SNAPSHOT)
    assert sent not in refused.value.message
