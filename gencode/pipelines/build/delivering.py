"""Where a build is pushed, if it is: what the stages of gencode.delivery get of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import anyio.to_thread

from gencode.codegen.secrets_scan import paths_with_own_secrets
from gencode.delivery.artifacts import RepositoryCreated
from gencode.delivery.creating_repo import CreatingRepo
from gencode.domain.errors import SecretFound
from gencode.domain.phrase import Phrase
from gencode.engine.ports.pipeline import Emit
from gencode.githosts.port import RepositorySpec, Snapshot
from gencode.pipelines.build.archiving import snapshot_of
from gencode.pipelines.build.artifacts import Archived


@dataclass(frozen=True, kw_only=True, slots=True)
class BuiltProject:
    """Implements gencode.delivery.artifacts.Project."""

    snapshot: Snapshot
    repository: RepositorySpec


def is_delivered(work: object) -> bool:
    return not isinstance(work, Archived) or work.built.given.repository is not None


def project_of(work: Archived, author: str) -> BuiltProject | None:
    """None if it is not to be pushed. Raises UnsafePath, UnsafeTree."""
    if work.built.given.repository is None:
        return None
    return BuiltProject(
        snapshot=snapshot_of(work.built, author),
        repository=work.built.given.repository,
    )


def require_no_secrets(files: Mapping[str, str], secrets: Sequence[str]) -> None:
    """Raises SecretFound."""
    if found := paths_with_own_secrets(files, secrets):
        raise SecretFound(
            Phrase("{found!r} holds a secret of this service; nothing was pushed", found=found[0][:200])
        )


class CreatingBuildRepo:
    """The stage `creating_repo` of a build. `secrets`: of this service, which no project may contain."""

    def __init__(self, creating: CreatingRepo, author: str, secrets: Callable[[], Sequence[str]]) -> None:
        self._creating = creating
        self._author = author
        self._secrets = secrets

    async def __call__(self, work: Archived | RepositoryCreated, emit: Emit) -> Archived | RepositoryCreated:
        """Raises SecretFound, HostError."""
        if isinstance(work, RepositoryCreated):
            return work
        require_no_secrets(work.built.files, self._secrets())
        project = await anyio.to_thread.run_sync(project_of, work, self._author)
        return await self._creating(project, emit) if project else work
