"""The third stage: a repository of our own at the Git host."""

from __future__ import annotations

from dataclasses import asdict

from gencode.host import Host, RepoSpec
from gencode.pipeline import Progress, Send
from gencode.pipelines.generate.artifacts import KeptRepo, Placed, Project
from gencode.task import Status


class CreatingRepo:
    """Repeatable without a trace: the host adopts a repository that carries this task's marker."""

    status = Status.CREATING_REPO

    def __init__(self, host: Host) -> None:
        self._host = host

    async def __call__(self, project: Project | Placed, send: Send) -> Placed:
        if isinstance(project, Placed):
            return project
        repo = await self._host.create(_spec(project), project.snapshot)
        kept = KeptRepo(**asdict(repo))
        urls = {"repo_url": repo.web_url, "clone_url": repo.clone_url}
        await send(
            Progress(
                kind="repo",
                data={"host": repo.host, "owner": repo.owner, "name": repo.name, **urls},
                keep={"repo": kept.model_dump_json()},
                result=urls,
            )
        )
        return Placed(project=project, repo=repo)


def _spec(project: Project) -> RepoSpec:
    brief = project.brief
    return RepoSpec(
        name=brief.name,
        org=brief.org,
        private=brief.private,
        description=project.snapshot.message.partition("\n")[0],
        marker=f"gencode:{brief.task_id}",
        host=brief.host,
    )
