"""Login, refresh, logout, registration, and what users do with their own account."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from gencode.domain.errors import Forbidden, NotFound
from gencode.http.body_specs import FormBody, JsonBody
from gencode.http.common_declarations import RATE_LIMITED
from gencode.http.dependencies import get_extension, get_principal, get_services
from gencode.http.operation import ErrorResponse, operation
from gencode.http.response_specs import JsonResponseSpec, ResponseSpec
from gencode.workspace.errors import AlreadyTaken, LoginFailed, LoginLocked, SessionEnded
from gencode.workspace.identity.accounts import PROFILE, NewUser
from gencode.workspace.identity.actor import Actor, user_id_of
from gencode.workspace.identity.schemas import (
    LoginForm,
    LoginOptions,
    LoginTokens,
    PasswordChange,
    ProfileChange,
    RefreshRequest,
    Registration,
    SessionList,
    SessionView,
    UserView,
)
from gencode.workspace.identity.tables import UserRole
from gencode.workspace.parameters import actor_of, client_of, id_in_path
from gencode.workspace.workspace import Workspace

LOGIN = FormBody(model=LoginForm)
REFRESH = JsonBody(model=RefreshRequest)
REGISTRATION = JsonBody(model=Registration)
PROFILE_CHANGE = JsonBody(model=ProfileChange)
PASSWORD_CHANGE = JsonBody(model=PasswordChange)
OPTIONS = JsonResponseSpec(model=LoginOptions, description="Whether passwords and registration are accepted")
TOKENS = JsonResponseSpec(model=LoginTokens, description="The tokens of the session")
USER = JsonResponseSpec(model=UserView, description="The user")
CREATED = JsonResponseSpec(status=201, model=UserView, description="The new user")
SESSIONS = JsonResponseSpec(model=SessionList, description="Sessions that are not over, the newest first")
DONE = ResponseSpec(status=204, description="Done")


@operation(
    "getLoginOptions",
    "GET /auth/options",
    "Show how people get access, for pages that ask them to log in",
    responses=(OPTIONS,),
    is_public=True,
)
async def get_login_options(request: Request) -> Response:
    workspace = get_extension(request, Workspace)
    return OPTIONS.make(LoginOptions(password=True, registration=workspace.allows_registration))


@operation(
    "logIn",
    "POST /auth/login",
    "Log in, and open a session",
    body=LOGIN,
    responses=(TOKENS,),
    errors=(LoginFailed, LoginLocked),
    is_public=True,
)
async def log_in(request: Request) -> Response:
    workspace, client = get_extension(request, Workspace), client_of(request)
    form = await LOGIN.read(request)
    user = await workspace.accounts.log_in(form.username, form.password, client.address)
    return TOKENS.make(LoginTokens.of(await workspace.sessions.open(user, client)))


@operation(
    "refreshSession",
    "POST /auth/refresh",
    "Exchange a refresh token for a new pair of tokens",
    body=REFRESH,
    responses=(TOKENS,),
    errors=(SessionEnded,),
    is_public=True,
)
async def refresh(request: Request) -> Response:
    token = (await REFRESH.read(request)).refresh_token
    return TOKENS.make(
        LoginTokens.of(await get_extension(request, Workspace).sessions.refresh(token, client_of(request)))
    )


@operation(
    "registerUser",
    "POST /auth/register",
    "Register an account of one's own",
    traits=(RATE_LIMITED,),
    body=REGISTRATION,
    responses=(CREATED,),
    errors=(ErrorResponse(error=Forbidden, description="Registration is off"), AlreadyTaken),
    is_public=True,
)
async def register(request: Request) -> Response:
    workspace = get_extension(request, Workspace)
    if not workspace.allows_registration:
        raise Forbidden("registration is off: an admin creates accounts")
    await get_services(request).rate.spend("registrations", "registration")
    given = await REGISTRATION.read(request)
    actor = Actor(id="registration", address=client_of(request).address)
    return CREATED.make(UserView.of(await workspace.accounts.create(new_user(given), actor)))


@operation("logOut", "POST /auth/logout", "End the session of the access token", responses=(DONE,))
async def log_out(request: Request) -> Response:
    workspace = get_extension(request, Workspace)
    await workspace.sessions.end(own_id(request), request.state.session_id, actor_of(request))
    return Response(status_code=DONE.status)


@operation("listOwnSessions", "GET /auth/sessions", "List one's sessions", responses=(SESSIONS,))
async def list_sessions(request: Request) -> Response:
    found = await get_extension(request, Workspace).sessions.of_user(own_id(request))
    current = request.state.session_id
    return SESSIONS.make(SessionList(sessions=[SessionView.of(one, current) for one in found]))


@operation(
    "endOwnSession", "DELETE /auth/sessions/{id:uuid}", "End a session", responses=(DONE,), errors=(NotFound,)
)
async def end_session(request: Request) -> Response:
    workspace = get_extension(request, Workspace)
    await workspace.sessions.end(own_id(request), id_in_path(request), actor_of(request))
    return Response(status_code=DONE.status)


@operation(
    "changeOwnPassword",
    "POST /auth/password",
    "Change one's password, and end one's other sessions",
    body=PASSWORD_CHANGE,
    responses=(DONE,),
    errors=(LoginFailed, LoginLocked),
)
async def change_password(request: Request) -> Response:
    given, accounts = await PASSWORD_CHANGE.read(request), get_extension(request, Workspace).accounts
    await accounts.change_password(
        own_id(request),
        given.current_password,
        given.new_password,
        actor_of(request),
        request.state.session_id,
    )
    return Response(status_code=DONE.status)


@operation("getOwnUser", "GET /users/me", "Show one's account", responses=(USER,))
async def get_own_user(request: Request) -> Response:
    return USER.make(UserView.of(await get_extension(request, Workspace).accounts.get(own_id(request))))


@operation(
    "changeOwnUser",
    "PATCH /users/me",
    "Change one's profile",
    body=PROFILE_CHANGE,
    responses=(USER,),
    errors=(AlreadyTaken,),
)
async def change_own_user(request: Request) -> Response:
    given = await PROFILE_CHANGE.read(request)
    changes = given.model_dump(exclude_unset=True)
    accounts = get_extension(request, Workspace).accounts
    return USER.make(UserView.of(await accounts.change(own_id(request), changes, actor_of(request))))


def new_user(given: Registration, role: UserRole = UserRole.USER) -> NewUser:
    return NewUser(
        username=given.username,
        email=given.email,
        password=given.password,
        role=role,
        profile=given.model_dump(include=set(PROFILE)),
    )


def own_id(request: Request) -> str:
    """The id of the user who makes the request; the permissions let nobody else in."""
    user_id = user_id_of(get_principal(request).id)
    if user_id is None:
        raise LookupError("an operation of users is called by another principal")
    return user_id


PUBLIC_OPERATIONS = (get_login_options, log_in, refresh, register)
"""For everybody."""
OWN_OPERATIONS = (
    log_out,
    list_sessions,
    end_session,
    change_password,
    get_own_user,
    change_own_user,
)
