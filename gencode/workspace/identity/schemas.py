"""The JSON of accounts and sessions."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, WithJsonSchema

from gencode.domain.task import rfc3339
from gencode.http.base_models import Moment, RequestModel, ResponseModel
from gencode.workspace.identity.passwords import MAX_LENGTH, MIN_LENGTH
from gencode.workspace.identity.sessions import TokenPair
from gencode.workspace.identity.tables import EMAIL_LENGTH, NAME_LENGTH, User, UserRole, UserSession
from gencode.workspace.plans.end_date import LastDay
from gencode.workspace.plans.rules import Plan
from gencode.workspace.resources.models import PRINTABLE, unchanged

_EMAIL = re.compile(r"[^\s@\x00-\x1f\x7f]{1,64}@[^\s@\x00-\x1f\x7f]+\.[^\s@\x00-\x1f\x7f.]+")


def _email(value: str) -> str:
    if len(value) > EMAIL_LENGTH or not _EMAIL.fullmatch(value):
        raise ValueError("must be an email address")
    return value.lower()  # databases do so with ASCII letters only


Username = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$", max_length=NAME_LENGTH),
    Field(description="Letters and digits, with . _ - between them; unique whatever the case"),
]
Email = Annotated[
    str,
    AfterValidator(_email),
    WithJsonSchema({"type": "string", "format": "email", "maxLength": EMAIL_LENGTH}),
]
Password = Annotated[str, Field(min_length=MIN_LENGTH, max_length=MAX_LENGTH, repr=False)]
Short = Annotated[str, StringConstraints(max_length=100, pattern=PRINTABLE)]
Avatar = Annotated[str, StringConstraints(max_length=500, pattern=r"^https://[!-~]+$")]


class LoginOptions(ResponseModel):
    """Whether people may log in with a password, and register."""

    password: bool
    registration: bool


class LoginForm(RequestModel):
    """The password grant of OAuth 2, which libraries send. `username`: or the email address."""

    username: Annotated[str, StringConstraints(min_length=1, max_length=EMAIL_LENGTH, pattern=PRINTABLE)]
    password: Annotated[str, Field(min_length=1, max_length=MAX_LENGTH, repr=False)]
    grant_type: Literal["password", ""] = "password"
    scope: Annotated[str, Field(max_length=1000)] = ""
    client_id: Annotated[str, Field(max_length=1000)] = ""
    client_secret: Annotated[str, Field(max_length=1000, repr=False)] = ""


class RefreshRequest(RequestModel):
    refresh_token: Annotated[str, Field(min_length=1, max_length=200, repr=False)]


class LoginTokens(ResponseModel):
    """`expires_in`: seconds, of the access token."""

    access_token: str
    refresh_token: str
    token_type: Literal["bearer"]
    expires_in: int

    @classmethod
    def of(cls, pair: TokenPair) -> LoginTokens:
        return cls(
            access_token=pair.access_token,
            refresh_token=pair.refresh_token,
            token_type="bearer",
            expires_in=pair.expires_in,
        )


class Profile(RequestModel):
    nickname: Short | None = None
    avatar: Avatar | None = None
    department: Short | None = None
    position: Short | None = None


class Registration(Profile):
    username: Username
    email: Email
    password: Password


class UserCreation(Registration):
    role: UserRole = Field(UserRole.USER, strict=False)


class ProfileChange(Profile):
    """Fields that are not given stay as they are."""

    email: Email = unchanged("")


class UserChange(ProfileChange):
    username: Username = unchanged("")
    role: UserRole = unchanged(UserRole.USER, is_enum=True)
    subscription_level: Plan = unchanged(Plan.FREE, is_enum=True)
    subscription_ends_on: LastDay | None = unchanged(None)
    is_active: bool = unchanged(True)


class PasswordChange(RequestModel):
    current_password: Annotated[str, Field(min_length=1, max_length=MAX_LENGTH, repr=False)]
    new_password: Password


class PasswordReset(RequestModel):
    new_password: Password


class UserView(ResponseModel):
    id: str
    username: str
    email: str
    nickname: str | None
    avatar: str | None
    department: str | None
    position: str | None
    role: UserRole
    subscription_level: Plan
    subscription_ends_on: str | None
    is_active: bool
    last_login: Moment | None
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, user: User) -> UserView:
        return cls(
            id=user.id,
            username=user.username,
            email=user.email,
            nickname=user.nickname,
            avatar=user.avatar,
            department=user.department,
            position=user.position,
            role=UserRole(user.role),
            subscription_level=Plan(user.subscription_level),
            subscription_ends_on=user.subscription_ends_on,
            is_active=user.is_active,
            last_login=rfc3339(user.last_login) if user.last_login else None,
            created_at=rfc3339(user.created_at),
            updated_at=rfc3339(user.updated_at),
        )


class UserPage(ResponseModel):
    """`next_cursor`: the cursor of the next page; null on the last."""

    users: list[UserView]
    next_cursor: str | None


class SessionView(ResponseModel):
    """`current`: whether the request was made with a token of this session."""

    id: str
    user_agent: str
    address: str
    created_at: Moment
    last_used_at: Moment
    expires_at: Moment
    current: bool

    @classmethod
    def of(cls, session: UserSession, current: str) -> SessionView:
        return cls(
            id=session.id,
            user_agent=session.user_agent,
            address=session.address,
            created_at=rfc3339(session.created_at),
            last_used_at=rfc3339(session.rotated_at),
            expires_at=rfc3339(session.expires_at),
            current=session.id == current,
        )


class SessionList(ResponseModel):
    sessions: list[SessionView]
