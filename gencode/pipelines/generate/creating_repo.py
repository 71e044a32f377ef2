"""The third stage: creates the task's repository at the Git host."""

from __future__ import annotations

from dataclasses import asdict

from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.githosts.port import GitHost, RepositorySpec
from gencode.pipelines.generate.checkpoints import REPOSITORY, RepositoryCheckpoint
from gencode.pipelines.generate.stage_artifacts import GenerateInput, Project, RepositoryCreated


class CreatingRepo:
    """Idempotent: the host adopts a repository that carries this task's marker."""

    def __init__(self, host: GitHost) -> None:
        self._host = host

    async def __call__(self, project: Project | RepositoryCreated, emit: Emit) -> RepositoryCreated:
        """Raises HostError and its subclasses."""
        if isinstance(project, RepositoryCreated):
            return project
        title = project.snapshot.message.partition("\n")[0]
        repo = await self._host.create(repository_spec(project.request, title), project.snapshot)
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


def repository_spec(request: GenerateInput, description: str = "") -> RepositorySpec:
    """The repository of a task; its marker depends on the task alone."""
    return RepositorySpec(
        name=request.name,
        org=request.org,
        private=request.private,
        description=description,
        marker=f"gencode:{request.task_id}",
        host=request.host,
    )
