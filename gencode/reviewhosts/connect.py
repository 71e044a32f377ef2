"""From a user's credential and the address of a repository to its change requests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import httpx

from gencode.domain.errors import StartError
from gencode.githosts.api_dialect import ApiDialect
from gencode.githosts.connection_options import WRITE_SPACING, HostOptions
from gencode.githosts.host_identity import HostErrors
from gencode.githosts.host_types import user_api, user_identity
from gencode.observability.metrics import Metrics
from gencode.reviewhosts.api import ReviewApi
from gencode.reviewhosts.errors import PostingRefused, PostingUnavailable
from gencode.reviewhosts.gitea import GiteaReviewDialect, GiteaReviews
from gencode.reviewhosts.github import GitHubReviewDialect, GitHubReviews
from gencode.reviewhosts.gitlab import GitLabReviewDialect, GitLabReviews
from gencode.reviewhosts.port import ReviewHost


@dataclass(frozen=True, kw_only=True, slots=True)
class _Type:
    """spacing  seconds between two writes"""

    dialect: Callable[[], ApiDialect]
    reviews: Callable[[ReviewApi], ReviewHost]
    spacing: float = 0.0


_GITEA = _Type(dialect=GiteaReviewDialect, reviews=GiteaReviews)
_TYPES: Mapping[str, _Type] = {
    "github": _Type(dialect=GitHubReviewDialect, reviews=GitHubReviews, spacing=WRITE_SPACING),
    "gitlab": _Type(dialect=GitLabReviewDialect, reviews=GitLabReviews),
    "gitea": _GITEA,
    "forgejo": _GITEA,
}
PROVIDERS: Sequence[str] = tuple(_TYPES)
"""Those that reviews are posted to."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Repository:
    """provider  one of PROVIDERS
    host      the address of the host's web pages; "" for the provider's own
    url       the address of the repository
    """

    provider: str
    host: str
    url: str


def review_host(
    repository: Repository,
    token: str,
    client: httpx.AsyncClient,
    metrics: Metrics,
    spacing: float | None = None,
) -> ReviewHost:
    """Raises PostingUnavailable. `spacing`: replaced by tests."""
    kind = _TYPES[repository.provider]
    dialect = kind.dialect()
    identity = user_identity(repository.provider, dialect.name, HostErrors(invalid=PostingRefused))
    options = HostOptions(metrics=metrics, spacing=kind.spacing if spacing is None else spacing)
    try:
        api = user_api(repository.provider, repository.host, token, client, options, dialect, identity)
    except StartError as error:
        raise PostingUnavailable(error.message) from None
    owner, name = _names(repository)
    return kind.reviews(ReviewApi(api, identity, dialect, dialect.repo_path(owner, name)))


def _names(repository: Repository) -> tuple[str, str]:
    """Raises PostingUnavailable."""
    folder = urlsplit(repository.host).path.rstrip("/")
    path = unquote(urlsplit(repository.url).path).removesuffix("/").removesuffix(".git")
    owner, _, name = path.removeprefix(folder).strip("/").rpartition("/")
    is_valid = owner and name and (repository.provider == "gitlab" or "/" not in owner)
    if not is_valid:
        raise PostingUnavailable(f"the address of the repository has no owner and name: {repository.url}")
    return owner, name
