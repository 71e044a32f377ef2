"""Failures of Git hosts and of pushes, with stable codes.

    GencodeError
    ├── HostError                    a host's REST API; the service retries the Transient ones
    │   ├── RepoExists               REPO_EXISTS
    │   ├── HostUnknown              HOST_UNKNOWN
    │   ├── HostAuth                 HOST_AUTH            GitHubAuth         GITHUB_AUTH
    │   ├── HostForbidden            HOST_FORBIDDEN       GitHubForbidden    GITHUB_FORBIDDEN
    │   ├── HostOrg                  HOST_ORG             GitHubOrg          GITHUB_ORG
    │   ├── HostInvalid              HOST_INVALID         GitHubInvalid      GITHUB_INVALID
    │   ├── HostRateLimit            HOST_RATE_LIMIT      GitHubRateLimit    GITHUB_RATE_LIMIT    Transient
    │   ├── HostUnavailable          HOST_UNAVAILABLE     GitHubUnavailable  GITHUB_UNAVAILABLE   Transient
    │   ├── HostNetwork              HOST_NETWORK         GitHubNetwork      GITHUB_NETWORK       Transient
    │   └── HostProtocol             HOST_PROTOCOL        GitHubProtocol     GITHUB_PROTOCOL      Transient
    └── GitError                     a push; never retried by the service
        ├── GitAuth                  GIT_AUTH
        ├── GitNotFound              GIT_NOT_FOUND
        ├── GitUnavailable           GIT_UNAVAILABLE
        ├── GitTimeout               GIT_TIMEOUT
        ├── GitNetwork               GIT_NETWORK
        ├── GitProtocol              GIT_PROTOCOL
        ├── GitRejected              GIT_REJECTED
        ├── PushSecret               PUSH_SECRET
        ├── PushWorkflowScope        PUSH_WORKFLOW_SCOPE
        ├── PushTooLarge             PUSH_TOO_LARGE
        └── NonFastForward           NON_FAST_FORWARD

GitHub was supported first: its codes stay, and each GITHUB_* class is a subclass of the general HOST_* class.
Each code is explained in docs/errors.md.
"""

from __future__ import annotations

from typing import ClassVar

from gencode.domain.errors import GencodeError, RetryHelps, Transient

# --- the REST API of a host -------------------------------------------------------------------------


class HostError(GencodeError):
    """The host refused a request to its REST API, or did not answer it."""

    code = "HOST_ERROR"
    http_status = 502


class RepoExists(HostError):
    """The name is taken by a repository that this task did not create."""

    code = "REPO_EXISTS"
    retry_fields = ("repo_name", "github_org")
    concerns_operator = False


class HostUnknown(HostError):
    """The task names a host that is no longer configured."""

    code = "HOST_UNKNOWN"


class HostAuth(HostError):
    """The host does not accept the token."""

    code = "HOST_AUTH"


class HostForbidden(HostError):
    """The token lacks a permission."""

    code = "HOST_FORBIDDEN"


class HostOrg(HostError):
    """The organisation does not exist, or the token may not create repositories in it."""

    code = "HOST_ORG"
    retry_fields = ("github_org",)
    concerns_operator = False


class HostInvalid(HostError):
    """The host refused the repository for another reason, for example its name."""

    code = "HOST_INVALID"
    retry_fields: ClassVar[tuple[str, ...]] = ("repo_name", "github_org")
    concerns_operator = False


class HostRateLimit(HostError, Transient):
    code = "HOST_RATE_LIMIT"


class HostUnavailable(HostError, Transient):
    code = "HOST_UNAVAILABLE"


class HostNetwork(HostError, Transient):
    code = "HOST_NETWORK"


class HostProtocol(HostError, Transient):
    """The answer does not come from this API: malformed JSON, a redirect to another host."""

    code = "HOST_PROTOCOL"


class GitHubAuth(HostAuth):
    code = "GITHUB_AUTH"


class GitHubForbidden(HostForbidden):
    code = "GITHUB_FORBIDDEN"


class GitHubOrg(HostOrg):
    code = "GITHUB_ORG"


class GitHubInvalid(HostInvalid):
    code = "GITHUB_INVALID"


class GitHubRateLimit(HostRateLimit):
    code = "GITHUB_RATE_LIMIT"


class GitHubUnavailable(HostUnavailable):
    code = "GITHUB_UNAVAILABLE"


class GitHubNetwork(HostNetwork):
    code = "GITHUB_NETWORK"


class GitHubProtocol(HostProtocol):
    code = "GITHUB_PROTOCOL"


# --- the push -----------------------------------------------------------------------------------------


class GitError(GencodeError):
    """The push failed. Never Transient: the repository exists by now, so that submitting the same request
    again ends in REPO_EXISTS. A retry of the task pushes to the repository that it created."""

    code = "GIT_ERROR"
    http_status = 502


class GitAuth(GitError):
    code = "GIT_AUTH"


class GitNotFound(GitError):
    code = "GIT_NOT_FOUND"


class GitUnavailable(GitError):
    code = "GIT_UNAVAILABLE"
    retry_helps = RetryHelps.LATER


class GitTimeout(GitError):
    code = "GIT_TIMEOUT"
    retry_helps = RetryHelps.LATER


class GitNetwork(GitError):
    code = "GIT_NETWORK"
    retry_helps = RetryHelps.LATER


class GitProtocol(GitError):
    code = "GIT_PROTOCOL"


class GitRejected(GitError):
    """The server refused the push for a reason without a code of its own."""

    code = "GIT_REJECTED"


class PushSecret(GitError):
    """The host's push protection found a secret in the files. A retry pushes the same files, which helps only
    once the host lets them pass."""

    code = "PUSH_SECRET"
    concerns_operator = False


class PushWorkflowScope(GitError):
    """The token may not push files under .github/workflows."""

    code = "PUSH_WORKFLOW_SCOPE"


class PushTooLarge(GitError):
    code = "PUSH_TOO_LARGE"
    retry_helps = RetryHelps.NEVER
    concerns_operator = False


class NonFastForward(GitError):
    """The branch holds other commits; it is never overwritten."""

    code = "NON_FAST_FORWARD"
