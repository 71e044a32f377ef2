"""The third stage: a repository of our own at the Git host."""

from __future__ import annotations

from dataclasses import asdict

from gencode.engine.pipeline import Emit, StageUpdate
from gencode.githosts.port import GitHost, RepositorySpec
from gencode.pipelines.generate.artifacts import KeptRepo, Project, RepositoryCreated


class CreatingRepo:
    """Repeatable without a trace: the host adopts a repository that carries this task's marker."""

    def __init__(self, host: GitHost) -> None:
        self._host = host

    async def __call__(self, project: Project | RepositoryCreated, send: Emit) -> RepositoryCreated:
        if isinstance(project, RepositoryCreated):
            return project
        repo = await self._host.create(_spec(project), project.snapshot)
        checkpoints = KeptRepo(**asdict(repo))
        urls = {"repo_url": repo.web_url, "clone_url": repo.clone_url}
        await send(
            StageUpdate(
                kind="repo",
                data={"host": repo.host, "owner": repo.owner, "name": repo.name, **urls},
                checkpoints={"repo": checkpoints.model_dump_json()},
                result=urls,
            )
        )
        return RepositoryCreated(project=project, repo=repo)


def _spec(project: Project) -> RepositorySpec:
    input = project.input
    return RepositorySpec(
        name=input.name,
        org=input.org,
        private=input.private,
        description=project.snapshot.message.partition("\n")[0],
        marker=f"gencode:{input.task_id}",
        host=input.host,
    )
