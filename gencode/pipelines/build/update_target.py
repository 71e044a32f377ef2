"""The repository that an earlier build has delivered, which a newer one may update."""

from __future__ import annotations

from dataclasses import replace

from gencode.delivery.artifacts import PUSHED, REPOSITORY, PushCheckpoint, RepositoryCheckpoint
from gencode.delivery.forge_address import present_address
from gencode.domain.task import Task
from gencode.engine.ports.pipeline import Checkpoints
from gencode.engine.ports.store import Store, TaskQuery
from gencode.githosts.port import Repository
from gencode.pipelines.build.artifacts import UpdateTarget
from gencode.pipelines.build.names import NAME, UPDATED

MAX_BUILDS = 50
"""Builds that are looked at, from one to the one that it regenerates."""


async def update_target(store: Store, task_id: str, scope: str) -> UpdateTarget | None:
    """What the build has delivered, else what the one that it regenerates has. None if none of them has
    delivered anything, or if one is not of this scope: of another project, or somebody else's."""
    for _ in range(MAX_BUILDS):
        task = next(iter(await store.find(TaskQuery(id=task_id, limit=1))), None)
        if task is None or task.kind != NAME or task.parameters.get("scope") != scope:
            return None
        if task.result.get("branch") and (found := _delivered(task, await store.checkpoints(task.id))):
            return found
        if not (earlier := task.parameters.get("regenerates")):
            return None
        task_id = earlier
    return None


def _delivered(task: Task, checkpoints: Checkpoints) -> UpdateTarget | None:
    if UPDATED in checkpoints:
        return UpdateTarget.model_validate_json(checkpoints[UPDATED])
    if PUSHED not in checkpoints or REPOSITORY not in checkpoints:
        return None
    return UpdateTarget(
        marker=f"gencode:{task.id}",
        repository=RepositoryCheckpoint.model_validate_json(checkpoints[REPOSITORY]),
        commit=PushCheckpoint.model_validate_json(checkpoints[PUSHED]).commit,
        tree=str(task.result["tree"]),
    )


def present_repository(target: UpdateTarget, forge: str) -> Repository:
    """`forge`: the address of the local forge, which may have moved since."""
    repo = Repository(**target.repository.model_dump())
    return replace(
        repo,
        web_url=present_address(repo.web_url, repo.host, forge),
        clone_url=present_address(repo.clone_url, repo.host, forge),
    )
