"""The tables of users and of their sessions."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, String, Text, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from gencode.workspace.plans.rules import Plan
from gencode.workspace.tables import NOT_DELETED, Base, Row, SoftDeleted

NAME_LENGTH = 64
EMAIL_LENGTH = 254


def _unique_among_present(name: str, expression: ColumnElement[str]) -> Index:
    """A deleted user does not keep others from having its name."""
    return Index(name, expression, unique=True, sqlite_where=NOT_DELETED, postgresql_where=NOT_DELETED)


class UserRole(StrEnum):
    ADMIN = "admin"
    DEVELOPER = "developer"
    TESTER = "tester"
    USER = "user"


class User(Row, SoftDeleted, Base):
    __tablename__ = "users"

    username: Mapped[str] = mapped_column(String(NAME_LENGTH))
    email: Mapped[str] = mapped_column(String(EMAIL_LENGTH))
    password_hash: Mapped[str] = mapped_column(Text)
    nickname: Mapped[str | None] = mapped_column(String(100))
    avatar: Mapped[str | None] = mapped_column(String(500))
    department: Mapped[str | None] = mapped_column(String(100))
    position: Mapped[str | None] = mapped_column(String(100))
    role: Mapped[str] = mapped_column(String(20), default=UserRole.USER.value)
    is_active: Mapped[bool] = mapped_column(default=True)
    subscription_level: Mapped[str] = mapped_column(String(20), default=Plan.FREE.value)
    subscription_ends_on: Mapped[str | None] = mapped_column(String(10))
    last_login: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("role IN ('admin', 'developer', 'tester', 'user')", name="role"),
        _unique_among_present("uq_users_username", func.lower(username)),
        _unique_among_present("uq_users_email", func.lower(email)),
    )


class UserSession(Row, Base):
    """One login, and the tokens that follow from it.

    sequence    of its present refresh token
    rotated_at  when that token replaced its predecessor
    ended_at    by logout, by an admin, or since a refresh token was used twice
    """

    __tablename__ = "user_sessions"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    sequence: Mapped[int] = mapped_column(default=0)
    rotated_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]
    user_agent: Mapped[str] = mapped_column(String(300), default="")
    address: Mapped[str] = mapped_column(String(64), default="")


class LoginAttempts(Base):
    """Failed logins with one name, whether or not a user has it: from one network of clients, or from all.

    name_digest   of the name in lower case and of the network, in hexadecimal
    failures      since the last login, or since the last lock ended
    locked_until  no login before
    """

    __tablename__ = "login_attempts"

    name_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    last_at: Mapped[datetime] = mapped_column(index=True)
    locked_until: Mapped[datetime | None]


async def has_users(session: AsyncSession) -> bool:
    """Whether there is any user who is not deleted."""
    return await session.scalar(select(User.id).where(~User.is_deleted).limit(1)) is not None
