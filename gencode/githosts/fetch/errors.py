"""The error of a fetch: by HTTP status, or by the server's text."""

from __future__ import annotations

from collections.abc import Mapping

from gencode.domain.errors import GencodeError, RetryHelps
from gencode.githosts.errors import GitAuth, GitError, GitNotFound, GitProtocol, GitUnavailable
from gencode.githosts.push_reasons import find_reason, reason_lines
from gencode.githosts.refusal_texts import account_advice, reports_rate_limit
from gencode.security.redaction import quoted, sanitize


class RepositoryTooLarge(GencodeError):
    """The repository exceeds a limit of this service, which the message names."""

    code = "REPOSITORY_TOO_LARGE"
    http_status = 502
    retry_helps = RetryHelps.NEVER
    concerns_operator = False


class CloneStorage(GencodeError):
    """The disk of this service does not take the clone."""

    code = "CLONE_STORAGE"
    retry_helps = RetryHelps.LATER


def fetch_error(text: str, secrets: tuple[str, ...], message: str) -> GitError:
    """The error for what the server said in place of the objects. `message`: if that names no reason."""
    quote = quoted(text, secrets)
    reason = find_reason(list(reason_lines(text)))
    if reason and reason.error is GitNotFound:
        return _not_found(quote, has_token=bool(secrets))
    if reason and reason.error is GitUnavailable:
        return GitUnavailable(f"the Git server failed while it sent the objects; try again later{quote}")
    return GitProtocol(message + quote)


def status_error(
    status: int, headers: Mapping[str, str], text: str, secrets: tuple[str, ...], *, has_token: bool
) -> GitError:
    """The error for a status other than 200."""
    quote = quoted(text, secrets)
    if status == 429 or status >= 500 or (status == 403 and reports_rate_limit(text)):
        pause = sanitize(headers.get("retry-after", ""))
        wait = f" and asked to wait (Retry-After: {pause})" if pause else ""
        return GitUnavailable(f"the Git server answered {status}{wait}; try again later{quote}")
    if status in (401, 403) and has_token:
        advice = account_advice(text) or "it needs read access to the repository's contents"
        return GitAuth(f"the Git server refused the token ({status}): {advice}{quote}")
    if status in (401, 403):
        return GitAuth(
            "the Git server wants credentials: the repository is private, or does not exist. Choose a "
            f"credential of this host{quote}"
        )
    if status == 404:
        return _not_found(quote, has_token=has_token)
    return GitProtocol(f"the Git server answered with status {status}{quote}")


def _not_found(quote: str, *, has_token: bool) -> GitNotFound:
    hint = "or hides it from the token" if has_token else "or hides it from those without a credential"
    return GitNotFound(f"the Git server does not know the repository, {hint}: see its address{quote}")
