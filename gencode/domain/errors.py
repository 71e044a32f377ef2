"""Every failure a user can see, as one tree with stable codes.

    GencodeError
    ├── RequestError                 the caller must change something; answered as problem+json
    │   ├── Invalid                  VALIDATION           422
    │   ├── Malformed                MALFORMED            400
    │   ├── BodyTooLarge             BODY_TOO_LARGE       413
    │   ├── UnsupportedMedia         UNSUPPORTED_MEDIA    415
    │   ├── Unauthorized             UNAUTHORIZED         401
    │   ├── CrossSite                CROSS_SITE           403
    │   ├── NotFound                 NOT_FOUND            404
    │   ├── WrongMethod              METHOD_NOT_ALLOWED   405
    │   ├── AlreadyOver              ALREADY_OVER         409
    │   ├── StillWorking             STILL_WORKING        409
    │   ├── NotHeld                  NOT_HELD             409
    │   ├── PlanChanged              PLAN_CHANGED         412
    │   ├── Misdirected              MISDIRECTED          421
    │   ├── KeyReused                IDEMPOTENCY_KEY_REUSED 422
    │   ├── RateLimited              RATE_LIMITED         429
    │   ├── QueueFull                QUEUE_FULL           503
    │   ├── Overloaded               OVERLOADED           503
    │   └── ShuttingDown             SHUTTING_DOWN        503
    ├── StartError                   the process cannot start: CONFIG, DATA_DIR_LOCKED, STORE_UNUSABLE
    ├── StoreError                   STORAGE              503 when it happens in a request
    ├── ProviderError                LLM_*                the model
    ├── HostError                    HOST_*, GITHUB_*, REPO_EXISTS   the Git host's API
    ├── GitError                     GIT_*, PUSH_*, NON_FAST_FORWARD   the push
    ├── TreeError                    UNSAFE_PATH, UNSAFE_TREE
    ├── SecretFound                  SECRET_FOUND         the files hold what must not be published
    ├── GateFailed                   GATE_FAILED          the files have faults that the model did not mend
    ├── BudgetExceeded               BUDGET_EXCEEDED      the request's own limit
    ├── BadBundle                    BAD_BUNDLE           gencode replay: the file makes no commit of ours
    ├── BadBackup                    BAD_BACKUP           gencode backup, restore: not made, or not usable
    ├── TaskTimeout                  TASK_TIMEOUT
    ├── ApprovalExpired              APPROVAL_EXPIRED     nobody approved in time
    ├── CrashLoop                    CRASH_LOOP
    └── Internal                     INTERNAL             a bug of ours; the log has the trace

`Transient` is mixed into the errors that a second attempt may cure: the retry layer looks at the class,
never at the text. A message says what to do next and never holds a secret.
"""

from __future__ import annotations

from typing import ClassVar


class GencodeError(Exception):
    """A failure with a stable `code`, an HTTP `http_status`, and a message written for its reader."""

    code: ClassVar[str] = "INTERNAL"
    http_status: ClassVar[int] = 500
    meaning: ClassVar[str] = ""
    """When a request is answered with it, for the OpenAPI document."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    @property
    def retryable(self) -> bool:
        """Whether submitting the same request again later can succeed without anyone changing anything."""
        return isinstance(self, Transient)


class Transient(GencodeError):
    """Mixed into errors that another attempt may cure. `retry_after`: seconds the other side asked for."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


# --- the caller's side ------------------------------------------------------------------------------


class RequestError(GencodeError):
    http_status = 400


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
    """Another web site made the browser of our user ask this."""

    code = "CROSS_SITE"
    http_status = 403


class NotFound(RequestError):
    code = "NOT_FOUND"
    http_status = 404
    meaning = "There is nothing"


class WrongMethod(RequestError):
    code = "METHOD_NOT_ALLOWED"
    http_status = 405


class AlreadyFinished(RequestError):
    code = "ALREADY_OVER"
    http_status = 409
    meaning = "It is over already"


class StillWorking(RequestError):
    """Only what has failed can be tried again."""

    code = "STILL_WORKING"
    http_status = 409
    meaning = "It has not failed"


class NotPaused(RequestError):
    """Nothing of the task waits for a person's word."""

    code = "NOT_HELD"
    http_status = 409
    meaning = "It does not wait for approval"


class PlanChanged(RequestError):
    """If-Match: somebody else was faster."""

    code = "PLAN_CHANGED"
    http_status = 412
    meaning = "If-Match names another revision"


class IdempotencyKeyReused(RequestError):
    code = "IDEMPOTENCY_KEY_REUSED"
    http_status = 422
    meaning = "The key came with another body before"


class Misdirected(RequestError):
    """The request is for a host name that this service does not answer to."""

    code = "MISDIRECTED"
    http_status = 421


class RateLimited(RequestError, Transient):
    code = "RATE_LIMITED"
    http_status = 429
    meaning = "More than RATE_LIMIT"


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


# --- our own side -----------------------------------------------------------------------------------


class StartError(GencodeError):
    """The process refuses to start; the message says which setting to change."""

    code = "CONFIG"


class DataDirLocked(StartError):
    code = "DATA_DIR_LOCKED"


class StoreUnusable(StartError):
    code = "STORE_UNUSABLE"


class StoreError(Transient):
    """The store did not commit; nothing was promised to anyone."""

    code = "STORAGE"
    http_status = 503
    meaning = "The store refuses"


class ValidationFailed(GencodeError):
    code = "GATE_FAILED"


class BudgetExceeded(GencodeError):
    code = "BUDGET_EXCEEDED"


class BadBundle(GencodeError):
    code = "BAD_BUNDLE"


class BadBackup(GencodeError):
    code = "BAD_BACKUP"


class TaskTimeout(Transient):
    code = "TASK_TIMEOUT"


class ApprovalExpired(Transient):
    """Transient: a retry waits for another word."""

    code = "APPROVAL_EXPIRED"


class CrashLoop(GencodeError):
    code = "CRASH_LOOP"


class Internal(GencodeError):
    code = "INTERNAL"


# --- the model --------------------------------------------------------------------------------------


class ProviderError(GencodeError):
    code = "LLM_ERROR"
    http_status = 502


class LLMBadRequest(ProviderError):
    code = "LLM_BAD_REQUEST"


class LLMAuth(ProviderError):
    code = "LLM_AUTH"


class LLMBalance(ProviderError):
    code = "LLM_BALANCE"


class LLMQuota(ProviderError):
    code = "LLM_QUOTA"


class LLMRefused(ProviderError):
    code = "LLM_REFUSED"


class LLMTruncated(ProviderError):
    code = "LLM_TRUNCATED"


class LLMTooLarge(ProviderError):
    code = "LLM_TOO_LARGE"


class LLMRateLimit(ProviderError, Transient):
    code = "LLM_RATE_LIMIT"


class LLMUnavailable(ProviderError, Transient):
    code = "LLM_UNAVAILABLE"


class LLMNetwork(ProviderError, Transient):
    code = "LLM_NETWORK"


class LLMTimeout(ProviderError, Transient):
    code = "LLM_TIMEOUT"


class LLMIncomplete(ProviderError, Transient):
    """The stream ended without saying why; what came is not a complete answer."""

    code = "LLM_INCOMPLETE"


class LLMBadOutput(ProviderError, Transient):
    """The answer is not what was asked for: blank, not the JSON of a plan, reasoning only."""

    code = "LLM_BAD_OUTPUT"


# --- the Git host -----------------------------------------------------------------------------------


class HostError(GencodeError):
    code = "HOST_ERROR"
    http_status = 502


class RepoExists(HostError):
    code = "REPO_EXISTS"


class HostUnknown(HostError):
    """The task was meant for a host that is not configured any more."""

    code = "HOST_UNKNOWN"


class HostAuth(HostError):
    code = "HOST_AUTH"


class HostForbidden(HostError):
    code = "HOST_FORBIDDEN"


class HostOrg(HostError):
    code = "HOST_ORG"


class HostInvalid(HostError):
    code = "HOST_INVALID"


class HostRateLimit(HostError, Transient):
    code = "HOST_RATE_LIMIT"


class HostUnavailable(HostError, Transient):
    code = "HOST_UNAVAILABLE"


class HostNetwork(HostError, Transient):
    code = "HOST_NETWORK"


class HostProtocol(HostError, Transient):
    """An answer that is not this host's: malformed JSON, a redirect to another host."""

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


# --- the push: never retried ------------------------------------------------------------------------


class GitError(GencodeError):
    code = "GIT_ERROR"
    http_status = 502


class GitAuth(GitError):
    code = "GIT_AUTH"


class GitNotFound(GitError):
    code = "GIT_NOT_FOUND"


class GitUnavailable(GitError):
    code = "GIT_UNAVAILABLE"


class GitTimeout(GitError):
    code = "GIT_TIMEOUT"


class GitNetwork(GitError):
    code = "GIT_NETWORK"


class GitProtocol(GitError):
    code = "GIT_PROTOCOL"


class GitRejected(GitError):
    code = "GIT_REJECTED"


class PushSecret(GitError):
    code = "PUSH_SECRET"


class PushWorkflowScope(GitError):
    code = "PUSH_WORKFLOW_SCOPE"


class PushTooLarge(GitError):
    code = "PUSH_TOO_LARGE"


class NonFastForward(GitError):
    code = "NON_FAST_FORWARD"


# --- what a model may name --------------------------------------------------------------------------


class TreeError(GencodeError):
    http_status = 422


class UnsafePath(TreeError):
    code = "UNSAFE_PATH"


class UnsafeTree(TreeError):
    code = "UNSAFE_TREE"


class SecretFound(GencodeError):
    """`request`'s allow_secrets lets others' secrets pass, never this service's own."""

    code = "SECRET_FOUND"
    http_status = 422
    meaning = "It holds a secret of this very service, which is never served"
