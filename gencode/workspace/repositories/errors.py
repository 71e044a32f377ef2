"""The errors of reading a repository."""

from __future__ import annotations

from gencode.domain.errors import RequestError, RetryHelps
from gencode.githosts.errors import (
    GitAuth,
    GitNetwork,
    GitNotFound,
    GitProtocol,
    GitRejected,
    GitTimeout,
    GitUnavailable,
)
from gencode.githosts.fetch.errors import CloneStorage, RepositoryTooLarge


class RepositoryUnusable(RequestError):
    """The repository or its credential was deleted, switched off, or is not for this user."""

    code = "REPOSITORY_UNUSABLE"
    http_status = 409
    meaning = "The repository, or its credential, cannot be used"


class CloneMissing(RequestError):
    """This process has no clone of the repository: it was never synced, or by another one."""

    code = "CLONE_MISSING"
    http_status = 409
    meaning = "The repository is not synced, or not by this process"
    retry_helps = RetryHelps.LATER


class RefUnknown(RequestError):
    """The repository has no such branch, tag or commit."""

    code = "REF_UNKNOWN"
    http_status = 404
    meaning = "The repository has no such branch, tag or commit"


class PathUnknown(RequestError):
    """The commit has no such file or directory."""

    code = "PATH_UNKNOWN"
    http_status = 404
    meaning = "The commit has no such file or directory"


FETCH_ERRORS = (
    *(GitAuth, GitNotFound, GitUnavailable, GitTimeout, GitNetwork, GitProtocol, GitRejected),
    *(RepositoryTooLarge, CloneStorage, RepositoryUnusable),
)
"""What a task that fetches a repository can fail with."""
