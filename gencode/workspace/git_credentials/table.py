"""The table of Git credentials."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import CheckConstraint, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from gencode.workspace.resources.declaration import OwnedRow

_ONE_DEFAULT = text("is_default AND NOT is_deleted")


class GitProvider(StrEnum):
    GITHUB = "github"
    GITLAB = "gitlab"
    GITEE = "gitee"
    BITBUCKET = "bitbucket"
    GITEA = "gitea"
    FORGEJO = "forgejo"
    GENERIC = "generic"
    """Any other server of Git's smart HTTP, without an API that gencode knows."""


_PROVIDERS = ", ".join(f"'{provider.value}'" for provider in GitProvider)


class GitCredential(OwnedRow):
    """git_username  the account of the token; "" where the host needs none
    git_email     of commits that are made for the user; "" if unknown
    api_url       the address of the host; null: the provider's own
    """

    __tablename__ = "git_credentials"

    provider: Mapped[str] = mapped_column(String(20))
    git_username: Mapped[str] = mapped_column(String(100))
    git_email: Mapped[str] = mapped_column(String(254))
    access_token_encrypted: Mapped[str | None] = mapped_column(Text)
    api_url: Mapped[str | None] = mapped_column(String(1000))
    is_default: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (
        CheckConstraint(f"provider IN ({_PROVIDERS})", name="provider"),
        Index(
            "uq_git_credentials_default",
            "owner",
            "provider",
            unique=True,
            sqlite_where=_ONE_DEFAULT,
            postgresql_where=_ONE_DEFAULT,
        ),
    )
