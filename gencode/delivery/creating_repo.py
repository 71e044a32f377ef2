"""The stage `creating_repo`: creates the task's repository at the Git host."""

from __future__ import annotations

from dataclasses import asdict

from gencode.delivery.artifacts import REPOSITORY, Project, RepositoryCheckpoint, RepositoryCreated
from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.githosts.port import GitHost


class CreatingRepo:
    """Idempotent: the host adopts a repository that carries this task's marker."""

    def __init__(self, host: GitHost) -> None:
        self._host = host

    async def __call__(self, project: Project | RepositoryCreated, emit: Emit) -> RepositoryCreated:
        """Raises HostError and its subclasses."""
        if isinstance(project, RepositoryCreated):
            return project
        repo = await self._host.create(project.repository, project.snapshot)
        urls = {"repo_url": repo.web_url, "clone_url": repo.clone_url}
        await emit(
            StageUpdate(
                kind="repo",
                data={"host": repo.host, "owner": repo.owner, "name": repo.name, **urls},
                checkpoints={REPOSITORY: RepositoryCheckpoint(**asdict(repo)).model_dump_json()},
                result=urls,
            )
        )
        return RepositoryCreated(project=project, repo=repo)
