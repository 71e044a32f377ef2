"""How admins manage users."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from gencode.http.body_specs import JsonBody
from gencode.http.dependencies import get_extension
from gencode.http.operation import operation
from gencode.http.response_specs import JsonResponseSpec
from gencode.workspace.errors import AlreadyTaken, LastAdmin
from gencode.workspace.identity.accounts import Accounts
from gencode.workspace.identity.auth_routes import CREATED, DONE, USER, new_user
from gencode.workspace.identity.schemas import (
    PasswordReset,
    UserChange,
    UserCreation,
    UserPage,
    UserView,
)
from gencode.workspace.parameters import CURSOR, LIMIT, ONE, actor_of, id_in_path
from gencode.workspace.workspace import Workspace

CREATION = JsonBody(model=UserCreation)
CHANGE = JsonBody(model=UserChange)
RESET = JsonBody(model=PasswordReset)
PAGE = JsonResponseSpec(model=UserPage, description="Users in the order of their names")


@operation("listUsers", "GET /users", "List users", parameters=(LIMIT, CURSOR), responses=(PAGE,))
async def list_users(request: Request) -> Response:
    limit = LIMIT.read(request)
    found = list(await _accounts(request).page(limit + 1, CURSOR.read(request)))
    shown = found[:limit]
    after = shown[-1].username if len(found) > limit else None
    return PAGE.make(UserPage(users=[UserView.of(user) for user in shown], next_cursor=after))


@operation(
    "createUser", "POST /users", "Create a user", body=CREATION, responses=(CREATED,), errors=(AlreadyTaken,)
)
async def create_user(request: Request) -> Response:
    given = await CREATION.read(request)
    user = await _accounts(request).create(new_user(given, given.role), actor_of(request))
    get_extension(request, Workspace).authenticator.require()
    return CREATED.make(UserView.of(user))


@operation("getUser", "GET /users/{id:uuid}", "Show a user", traits=(ONE,), responses=(USER,))
async def get_user(request: Request) -> Response:
    return USER.make(UserView.of(await _accounts(request).get(id_in_path(request))))


@operation(
    "changeUser",
    "PATCH /users/{id:uuid}",
    "Change a user",
    traits=(ONE,),
    body=CHANGE,
    responses=(USER,),
    errors=(AlreadyTaken, LastAdmin),
)
async def change_user(request: Request) -> Response:
    changes = (await CHANGE.read(request)).model_dump(exclude_unset=True, mode="json")
    user = await _accounts(request).change(id_in_path(request), changes, actor_of(request))
    return USER.make(UserView.of(user))


@operation(
    "deleteUser",
    "DELETE /users/{id:uuid}",
    "Delete a user, and end its sessions",
    traits=(ONE,),
    responses=(DONE,),
    errors=(LastAdmin,),
)
async def delete_user(request: Request) -> Response:
    await _accounts(request).delete(id_in_path(request), actor_of(request))
    return Response(status_code=DONE.status)


@operation(
    "resetPassword",
    "POST /users/{id:uuid}/password",
    "Give a user another password, and end its sessions",
    traits=(ONE,),
    body=RESET,
    responses=(DONE,),
)
async def reset_password(request: Request) -> Response:
    new = (await RESET.read(request)).new_password
    await _accounts(request).reset_password(id_in_path(request), new, actor_of(request))
    return Response(status_code=DONE.status)


def _accounts(request: Request) -> Accounts:
    return get_extension(request, Workspace).accounts


ADMIN_OPERATIONS = (list_users, create_user, get_user, change_user, delete_user, reset_password)
