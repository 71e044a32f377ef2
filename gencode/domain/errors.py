"""The root of every failure that a user can see, with stable codes, and the failures that all packages share.

Failures of one package are defined there, in its module `errors`.

    GencodeError
    ├── RequestError                 the caller must change something; answered as problem+json
    │   ├── Invalid                  VALIDATION           422
    │   ├── Malformed                MALFORMED            400
    │   ├── BodyTooLarge             BODY_TOO_LARGE       413
    │   ├── UnsupportedMedia         UNSUPPORTED_MEDIA    415
    │   ├── Unauthorized             UNAUTHORIZED         401
    │   ├── CrossSite                CROSS_SITE           403
    │   ├── Forbidden                FORBIDDEN            403
    │   ├── NotFound                 NOT_FOUND            404
    │   ├── WrongMethod              METHOD_NOT_ALLOWED   405
    │   ├── AlreadyFinished          ALREADY_OVER         409
    │   ├── StillWorking             STILL_WORKING        409
    │   ├── NotPaused                NOT_HELD             409
    │   ├── UnknownKind              UNKNOWN_KIND         409
    │   ├── RangeNotSatisfiable      RANGE_NOT_SATISFIABLE 416
    │   ├── Misdirected              MISDIRECTED          421
    │   ├── IdempotencyKeyReused     IDEMPOTENCY_KEY_REUSED 422
    │   ├── RateLimited              RATE_LIMITED         429
    │   ├── QuotaExceeded            QUOTA_EXCEEDED       429
    │   ├── PlanLimitReached         PLAN_LIMIT_REACHED   402
    │   ├── QueueFull                QUEUE_FULL           503
    │   ├── Overloaded               OVERLOADED           503
    │   └── ShuttingDown             SHUTTING_DOWN        503
    ├── StartError                   the process cannot start: CONFIG, DATA_DIR_LOCKED, STORE_UNUSABLE
    ├── StoreError                   STORAGE              503: nothing was stored
    │   └── OutcomeUnknown           STORAGE              503: the disk did not confirm the write
    ├── Conflict                     CONFLICT             409: another writer was faster
    ├── HostError                    HOST_*, GITHUB_*, REPO_EXISTS: gencode.githosts.errors
    │                                CHANGE_UNKNOWN, POSTING_REFUSED: gencode.reviewhosts.errors
    ├── ChangeClosed                 CHANGE_CLOSED        likewise; PostingUnavailable: POSTING_UNAVAILABLE
    ├── GitError                     GIT_*, PUSH_*, NON_FAST_FORWARD: gencode.githosts.errors
    ├── TreeError                    UNSAFE_PATH, UNSAFE_TREE: UnsafePath, UnsafeTree, TreeTooLarge
    ├── SecretFound                  SECRET_FOUND         the files contain a secret
    │   └── LikelySecretFound        SECRET_FOUND         a text that looks like a secret
    ├── SandboxFailed                SANDBOX_FAILED: gencode.sandbox.errors
    ├── NothingToTest                NOTHING_TO_TEST: gencode.pipelines.test_generation.errors
    ├── DocumentError                DOCUMENT_*: gencode.documents.errors
    ├── BadBackup                    BAD_BACKUP           gencode backup, restore: not created, or not usable
    ├── TaskTimeout                  TASK_TIMEOUT
    ├── ApprovalExpired              APPROVAL_EXPIRED     no approval in time
    ├── CrashLoop                    CRASH_LOOP
    └── Internal                     INTERNAL             a bug in this service; the log has the traceback

`Transient` is mixed into errors after which a second attempt may succeed: the retry layer checks the class,
never the text. A message says what to do next and never contains a secret.

An error that a task can fail with declares whether a retry of the task can help:

    class RepoExists(HostError):
        code = "REPO_EXISTS"
        retry_helps = RetryHelps.AFTER_CHANGE
        retry_fields = ("repo_name",)
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import ClassVar


class RetryHelps(StrEnum):
    """When a retry of a failed task, which continues from the task's checkpoints, can succeed."""

    NOW = "now"
    """Immediately and unchanged: the retry grants further attempts."""
    LATER = "later"
    """Unchanged, once the other server works again."""
    AFTER_CHANGE = "after_change"
    """Once its cause is removed, or with other values of `retry_fields`."""
    NEVER = "never"
    """The retry would end in the same failure: another request is needed."""


class GencodeError(Exception):
    """A failure with a stable `code`, an `http_status`, and a message for the user."""

    code: ClassVar[str] = "INTERNAL"
    http_status: ClassVar[int] = 500
    meaning: ClassVar[str] = ""
    """The cases in which a request gets this error, for the OpenAPI document."""
    retry_helps: ClassVar[RetryHelps] = RetryHelps.AFTER_CHANGE
    """Whether a retry of a task that failed with it can help."""
    retry_fields: ClassVar[tuple[str, ...]] = ()
    """The fields of a retry's request for which other values can help."""
    concerns_operator: ClassVar[bool] = True
    """Whether a task that failed with it is logged as an error, which an alert may watch; else as a warning:
    the cause is the request, or what the model wrote for it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    @property
    def retryable(self) -> bool:
        """Whether submitting the unchanged request again later can succeed."""
        return isinstance(self, Transient)


class Transient(GencodeError):
    """Mixed into errors after which another attempt may succeed. `retry_after`: the seconds to wait that the
    other server asked for."""

    retry_helps = RetryHelps.LATER

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


# --- errors of a request ------------------------------------------------------------------------------


class RequestError(GencodeError):
    http_status = 400
    concerns_operator = False


class Malformed(RequestError):
    code = "MALFORMED"
    meaning = "It cannot be read"


class Invalid(RequestError):
    """`problems`: one `{"field", "rule", "message"}` per broken rule."""

    code = "VALIDATION"
    http_status = 422
    meaning = "A rule is broken"

    def __init__(self, message: str, problems: list[dict[str, str]]) -> None:
        super().__init__(message)
        self.problems = problems

    @classmethod
    def of(cls, field: str, rule: str, message: str) -> Invalid:
        """For one broken rule of one field."""
        return cls(f"{field}: {message}", [{"field": field, "rule": rule, "message": message}])


class BodyTooLarge(RequestError):
    code = "BODY_TOO_LARGE"
    http_status = 413
    meaning = "Larger than MAX_BODY_BYTES"


class UnsupportedMedia(RequestError):
    code = "UNSUPPORTED_MEDIA"
    http_status = 415
    meaning = "Not JSON"


class Unauthorized(RequestError):
    code = "UNAUTHORIZED"
    http_status = 401
    meaning = "No valid API key"


class CrossSite(RequestError):
    """Another web site made the user's browser send this request."""

    code = "CROSS_SITE"
    http_status = 403


class Forbidden(RequestError):
    code = "FORBIDDEN"
    http_status = 403
    meaning = "Only an operator may do this"


class NotFound(RequestError):
    code = "NOT_FOUND"
    http_status = 404
    meaning = "There is nothing"


class WrongMethod(RequestError):
    code = "METHOD_NOT_ALLOWED"
    http_status = 405


class RangeNotSatisfiable(RequestError):
    code = "RANGE_NOT_SATISFIABLE"
    http_status = 416
    meaning = "Range begins after the end"


class AlreadyFinished(RequestError):
    code = "ALREADY_OVER"
    http_status = 409
    meaning = "It is over already"


class StillWorking(RequestError):
    """Only a failed task can be retried."""

    code = "STILL_WORKING"
    http_status = 409
    meaning = "It has not failed"


class NotPaused(RequestError):
    """The task does not wait for a user's decision."""

    code = "NOT_HELD"
    http_status = 409
    meaning = "It does not wait for approval"


class UnknownKind(RequestError):
    """This version did not store the task: it is shown, and never changed."""

    code = "UNKNOWN_KIND"
    http_status = 409
    meaning = "Its kind or stage is unknown to this version"


class IdempotencyKeyReused(RequestError):
    code = "IDEMPOTENCY_KEY_REUSED"
    http_status = 422
    meaning = "The key came with another body before"


class Misdirected(RequestError):
    """The Host header names a host that this service does not serve."""

    code = "MISDIRECTED"
    http_status = 421


class RateLimited(RequestError, Transient):
    code = "RATE_LIMITED"
    http_status = 429
    meaning = "More than RATE_LIMIT"


class QuotaExceeded(RequestError, Transient):
    """`retry_after`: seconds until the next day or month."""

    code = "QUOTA_EXCEEDED"
    http_status = 429
    meaning = "A quota of the client is used up"


class PlanLimitReached(RequestError):
    """The message says which limit, and what to do."""

    code = "PLAN_LIMIT_REACHED"
    http_status = 402
    meaning = "The subscription plan of the user or the team allows no more"


class QueueFull(RequestError, Transient):
    code = "QUEUE_FULL"
    http_status = 503
    meaning = "Too many tasks wait"


class Overloaded(RequestError, Transient):
    """More connections are open than the process can serve."""

    code = "OVERLOADED"
    http_status = 503
    meaning = "Too many connections are open"


class ShuttingDown(RequestError, Transient):
    code = "SHUTTING_DOWN"
    http_status = 503
    meaning = "The service stops"


# --- errors of the service ----------------------------------------------------------------------------


class StartError(GencodeError):
    """The process refuses to start; the message says which setting to change."""

    code = "CONFIG"


class DataDirLocked(StartError):
    code = "DATA_DIR_LOCKED"


class StoreUnusable(StartError):
    code = "STORE_UNUSABLE"


class StoreError(Transient):
    """The store did not commit: nothing was stored."""

    code = "STORAGE"
    http_status = 503
    meaning = "The store refuses"


class OutcomeUnknown(StoreError):
    """The disk did not confirm a write, which may have been stored: read it back before repeating it."""


class Conflict(GencodeError):
    """Another writer has committed this task since it was read; nothing was stored."""

    code = "CONFLICT"
    http_status = 409
    meaning = "Another process has changed the task"


class BadBackup(GencodeError):
    code = "BAD_BACKUP"


class TaskTimeout(Transient):
    """A retry gets the whole time again."""

    code = "TASK_TIMEOUT"
    retry_helps = RetryHelps.NOW


class ApprovalExpired(Transient):
    """Transient: a retry waits for a decision again."""

    code = "APPROVAL_EXPIRED"
    retry_helps = RetryHelps.NOW
    concerns_operator = False


class CrashLoop(GencodeError):
    code = "CRASH_LOOP"


class Internal(GencodeError):
    code = "INTERNAL"


# --- errors of generated files ------------------------------------------------------------------------


class TreeError(GencodeError):
    http_status = 422
    concerns_operator = False


class UnsafePath(TreeError):
    """A retry asks the model for another plan."""

    code = "UNSAFE_PATH"
    retry_helps = RetryHelps.NOW


class UnsafeTree(TreeError):
    """A retry asks the model for another plan."""

    code = "UNSAFE_TREE"
    retry_helps = RetryHelps.NOW


class TreeTooLarge(UnsafeTree):
    """The written files exceed the limits in bytes."""

    retry_helps = RetryHelps.NEVER


class SecretFound(GencodeError):
    """The field allow_secrets of a request permits secrets of others, never those of this service."""

    code = "SECRET_FOUND"
    http_status = 422
    retry_helps = RetryHelps.NEVER
    meaning = "It holds a secret of this very service, which is never served"


class LikelySecretFound(SecretFound):
    """Text that looks like a secret of others; a retry may allow it if it is none."""

    retry_helps = RetryHelps.AFTER_CHANGE
    retry_fields = ("allow_secrets",)
    concerns_operator = False


def error_classes(*bases: type[GencodeError]) -> Iterator[type[GencodeError]]:
    """These classes and all their subclasses."""
    for base in bases:
        yield base
        yield from error_classes(*base.__subclasses__())
