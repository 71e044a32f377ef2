"""Testing a Git credential, beside the operations of every resource."""

from __future__ import annotations

from enum import StrEnum

from starlette.requests import Request
from starlette.responses import Response

from gencode.domain.errors import GencodeError, StartError
from gencode.githosts.connection_options import HostOptions
from gencode.githosts.errors import HostAuth, HostError, HostForbidden
from gencode.githosts.host_types import token_login
from gencode.http.base_models import ResponseModel, Words
from gencode.http.common_declarations import RATE_LIMITED
from gencode.http.dependencies import get_extension, get_principal, get_services
from gencode.http.operation import operation
from gencode.http.response_specs import JsonResponseSpec
from gencode.outbound.user_http import UserHttp
from gencode.workspace.git_credentials.hosts import host_address
from gencode.workspace.git_credentials.resource import GIT_CREDENTIALS
from gencode.workspace.git_credentials.table import GitCredential, GitProvider
from gencode.workspace.parameters import ONE, id_in_path
from gencode.workspace.resources.routes import operations_of
from gencode.workspace.workspace import Workspace


class TokenState(StrEnum):
    """What a host says of a token."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """The host cannot be asked, or did not answer."""


class CredentialTest(ResponseModel):
    """`login`: the account of the token, if the host tells. `code`: of the error; see docs/errors.md."""

    state: TokenState
    login: Words | None
    code: str | None
    message: Words


_TESTED = JsonResponseSpec(model=CredentialTest, description="What the host says of the token")
_NO_API = "this host has no API that could be asked: sync a repository to see whether it takes the token"


@operation(
    "testGitCredential",
    "POST /git/credentials/{id:uuid}/test",
    "Ask the host whose the token of a credential is",
    traits=(ONE, RATE_LIMITED),
    responses=(_TESTED,),
)
async def test_credential(request: Request) -> Response:
    services, principal = get_services(request), get_principal(request)
    rate_headers = await services.rate.spend(principal.id)
    store = get_extension(request, Workspace).resource(GIT_CREDENTIALS)
    row = await store.get(id_in_path(request), principal.id)
    result = await _ask(request, row, store.secret(row, "access_token"))
    return _TESTED.make(result, rate_headers)


async def _ask(request: Request, row: GitCredential, token: str) -> CredentialTest:
    """One attempt."""
    provider = GitProvider(row.provider)
    if provider is GitProvider.GENERIC:
        return CredentialTest(state=TokenState.UNKNOWN, login=None, code=None, message=_NO_API)
    client = get_extension(request, UserHttp).client_for(row.owner)
    options = HostOptions(metrics=get_services(request).metrics)
    address = host_address(provider, row.api_url)
    try:
        login = await token_login(provider, address, token, client, options, user=row.git_username)
    except (HostAuth, HostForbidden) as error:
        return _failed(TokenState.REFUSED, error)
    except (HostError, StartError) as error:
        return _failed(TokenState.UNKNOWN, error)
    whose = f"the token of {login} is accepted" if login else "the token is accepted"
    return CredentialTest(state=TokenState.ACCEPTED, login=login, code=None, message=whose)


def _failed(state: TokenState, error: GencodeError) -> CredentialTest:
    return CredentialTest(state=state, login=None, code=error.code, message=error.message)


GIT_CREDENTIAL_OPERATIONS = (*operations_of(GIT_CREDENTIALS), test_credential)
