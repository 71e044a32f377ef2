"""The errors of the workspace's requests."""

from __future__ import annotations

from gencode.domain.errors import RequestError, RetryHelps, Transient, Unauthorized


class LoginFailed(Unauthorized):
    """The same for an unknown user, a wrong password and a deactivated account."""

    code = "LOGIN_FAILED"
    meaning = "Unknown user or wrong password"


class LoginLocked(RequestError, Transient):
    """`retry_after`: seconds until the next attempt is allowed."""

    code = "LOGIN_LOCKED"
    http_status = 429
    meaning = "Too many failed logins with this name"


class SessionEnded(Unauthorized):
    """The refresh token is not genuine, has expired or was used before, or its session has ended."""

    code = "SESSION_ENDED"
    meaning = "The session is over: log in again"


class AlreadyTaken(RequestError):
    """Another row has the value that must be unique."""

    code = "ALREADY_TAKEN"
    http_status = 409
    meaning = "Another one has this name"


class ConversationBusy(RequestError):
    """A conversation has one answer at a time."""

    code = "CONVERSATION_BUSY"
    http_status = 409
    meaning = "An answer of this conversation is being written"
    retry_helps = RetryHelps.LATER


class NoEncryptionKey(RequestError):
    code = "NO_ENCRYPTION_KEY"
    http_status = 409
    meaning = "Secrets cannot be stored without ENCRYPTION_KEY"


class LastAdmin(RequestError):
    code = "LAST_ADMIN"
    http_status = 409
    meaning = "It is the last active admin"


class NotAnalysed(RequestError):
    code = "NOT_ANALYSED"
    http_status = 409
    meaning = "The requirement document has no requirements yet"


class VersionChanged(RequestError):
    """The If-Match precondition failed."""

    code = "VERSION_CHANGED"
    http_status = 412
    meaning = "If-Match names another version"


class ProjectArchived(RequestError):
    code = "PROJECT_ARCHIVED"
    http_status = 409
    meaning = "The project is archived"


class BlueprintPublished(RequestError):
    code = "BLUEPRINT_PUBLISHED"
    http_status = 409
    meaning = "The version is published"


class BlueprintInvalid(RequestError):
    code = "BLUEPRINT_INVALID"
    http_status = 409
    meaning = "The blueprint has errors"


class ProposalOutdated(RequestError):
    """The draft is not what the proposal was made from."""

    code = "PROPOSAL_OUTDATED"
    http_status = 409
    meaning = "The blueprint was changed since the proposal was made"


class ProposalDecided(RequestError):
    code = "PROPOSAL_DECIDED"
    http_status = 409
    meaning = "The proposal was accepted or rejected already"


class TemplateNotProven(RequestError):
    code = "TEMPLATE_NOT_PROVEN"
    http_status = 409
    meaning = "The template set is not proven"


class TemplateFailed(RequestError):
    """The message names file and line."""

    code = "TEMPLATE_FAILED"
    http_status = 409
    retry_helps = RetryHelps.NEVER
    meaning = "The template set cannot be rendered for this blueprint"


class TemplateCheckFailed(RequestError, Transient):
    """The set may be good: a process of the service failed."""

    code = "TEMPLATE_CHECK_FAILED"
    http_status = 503
    meaning = "The process that renders or checks templates failed"


class TeamHasProjects(RequestError):
    code = "TEAM_HAS_PROJECTS"
    http_status = 409
    meaning = "The team has projects still"


class TeamNeedsOwner(RequestError):
    code = "TEAM_NEEDS_OWNER"
    http_status = 409
    meaning = "The team would have no owner"
