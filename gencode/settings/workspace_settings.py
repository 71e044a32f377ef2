"""The settings of the workspace: accounts, and what users keep."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from pydantic import Field, SecretStr

from gencode.settings.sourced_settings import SourcedSettings
from gencode.settings.value_types import (
    EncryptionKeys,
    Extensions,
    Networks,
    SandboxChoice,
    encryption_keys,
    split_list,
)


class WorkspaceSettings(SourcedSettings):
    """Fields of Settings."""

    workspace: bool = Field(
        False, description="Accounts with roles, sessions and an audit log (the extra `workspace`)"
    )
    jwt_secret_key: SecretStr = Field(
        SecretStr(""),
        description="Signs the tokens of sessions; 32 bytes at least. Unset: created and kept",
    )
    encryption_key: EncryptionKeys = Field(
        SecretStr(""),
        description="Encrypts stored keys and tokens of users: 32 bytes in base64, or several, "
        "comma-separated: the first encrypts, all decrypt. Unset: created and kept in DATA_DIR",
    )
    jwt_access_token_expire_minutes: int = Field(
        30, ge=1, le=1440, description="Lifetime of an access token in minutes"
    )
    jwt_refresh_token_expire_days: int = Field(
        7, ge=1, le=365, description="Days without a refresh after which a session is over"
    )
    allow_registration: bool = Field(
        False, description="Everybody who reaches the service may register an account, with the role user"
    )
    login_attempts: int = Field(
        5, ge=1, le=1000, description="Failed logins with a name after which it is locked for a while"
    )
    login_lock_minutes: int = Field(15, ge=1, le=1440, description="Minutes for which a name is locked")
    trusted_proxies: Networks = Field(
        "",
        description="Comma-separated addresses or networks of reverse proxies whose X-Forwarded-For tells "
        "the addresses of people, for limits of logins, sessions and the audit log",
    )
    chat_context_tokens: int = Field(
        24_000,
        ge=500,
        le=10_000_000,
        description="Most tokens of the prompt of an answer in a conversation; older messages are left out",
    )
    workspace_allow_networks: Networks = Field(
        "",
        description="Comma-separated private networks that addresses of users (models, Git) may reach, also "
        "by http://, such as 10.1.0.0/16",
    )
    max_clone_bytes: int = Field(
        2**30,
        ge=1,
        le=2**40,
        description="Most bytes that a Git server may send for a clone; 16 times as many when inflated",
    )
    max_clone_objects: int = Field(
        1_000_000, ge=1, le=20_000_000, description="Most objects that a Git server may send for a clone"
    )
    max_clone_object_bytes: int = Field(
        100 * 2**20, ge=1, le=2**30, description="Maximum size of one object of a clone in bytes, inflated"
    )
    max_clone_refs: int = Field(100_000, ge=1, le=1_000_000, description="Most branches and tags of a clone")
    clone_timeout: float = Field(
        1800.0, ge=1, le=86_400, description="Seconds that the download for a clone may take"
    )
    clones_at_once: int = Field(4, ge=1, le=64, description="Clones that a process fetches concurrently")

    max_file_size: int = Field(
        10 * 2**20, ge=1, le=64 * 2**20, description="Maximum size of an uploaded file in bytes"
    )
    allowed_extensions: Extensions = Field(
        ".txt,.md,.pdf,.doc,.docx",
        description="Names of uploaded files may end so; comma-separated, a part of the default",
    )

    sandbox: SandboxChoice = Field(
        "off",
        description="Where generated tests are run: off, bubblewrap, or container:COMMAND that runs what "
        "follows it in a container without network",
    )

    @property
    def file_extensions(self) -> Sequence[str]:
        """ALLOWED_EXTENSIONS as a list."""
        return split_list(self.allowed_extensions.lower())

    plan_limits: bool = Field(
        False,
        description="Whether subscription plans limit users and teams: PLAN_*_GENERATIONS and TEAM_*. Off: "
        "only what an admin sets for a team",
    )
    plan_free_generations: int = Field(
        10, ge=0, le=10**9, description="Generations in a month with the plan free, with PLAN_LIMITS"
    )
    plan_team_generations: int = Field(
        100, ge=0, le=10**9, description="Generations in a month with the plan team, with PLAN_LIMITS"
    )
    plan_enterprise_generations: int = Field(
        1000, ge=0, le=10**9, description="Generations in a month with the plan enterprise, with PLAN_LIMITS"
    )
    team_max_members: int = Field(
        10, ge=1, le=10**6, description="Members of a team without a number of its own, with PLAN_LIMITS"
    )
    team_max_projects: int = Field(
        50, ge=0, le=10**6, description="Projects of a team without a number of its own, with PLAN_LIMITS"
    )
    team_storage_quota_mb: int = Field(
        1024,
        ge=0,
        le=10**9,
        description="MB of artifacts of a team without a quota of its own, with PLAN_LIMITS",
    )

    workspace_purge_days: int = Field(
        30, ge=0, le=36_500, description="Days after which deleted rows are removed for good; 0: never"
    )

    @property
    def workspace_networks(self) -> Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]:
        """WORKSPACE_ALLOW_NETWORKS, parsed."""
        return [ipaddress.ip_network(entry) for entry in split_list(self.workspace_allow_networks)]

    @property
    def trusted_proxy_networks(self) -> Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]:
        """TRUSTED_PROXIES, parsed."""
        return [ipaddress.ip_network(entry) for entry in split_list(self.trusted_proxies)]

    @property
    def encryption_keys(self) -> Sequence[bytes]:
        """ENCRYPTION_KEY as a list; empty if it is unset."""
        return encryption_keys(self.encryption_key)
