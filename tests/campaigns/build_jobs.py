"""Blueprints in the kill campaign of the workspace: drafts of requirements, proposals, builds, repositories;
and what must be there afterwards."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.campaigns.workspace_jobs import Job

STEPS = ("Load the order by order_id.", "Check that status is new", "Set status to shipped", "Return it")


def spec(number: int, *models: str) -> dict[str, Any]:
    """Its flow is told to the model with the number, so that no build keeps that of another one."""
    status = {"name": "status", "type": "enum", "enumValues": [{"name": "new"}, {"name": "shipped"}]}
    flow = f"ship_{number}"
    return {
        "projectName": f"built_{number}",
        "dataModels": [{"name": "Order", "fields": [status]}, *({"name": name} for name in models)],
        "apis": [
            {
                "name": "ship",
                "path": "/orders/{order_id}/ship",
                "method": "POST",
                "flow": flow,
                "parameters": [{"name": "order_id", "in": "path", "type": "integer", "required": True}],
            }
        ],
        "businessFlows": [{"name": flow, "entity": "Order", "steps": [{"text": text} for text in STEPS]}],
    }


async def blueprint(job: Job) -> None:
    """A draft, then a proposal for it."""
    text = f"Customers place orders. An order of shop {job.number} has a number and a total."
    made = await job.task("/pipelines/blueprint", {"text": text, "name": f"drawn-{job.number}"}, "-draft")
    if made["status"] == "completed":
        more = {"text": f"Each order of shop {job.number} has an invoice. An invoice has a number."}
        await job.task(f"/blueprints/{made['blueprint_id']}/parse", more, "-parse")


async def build(job: Job) -> None:
    """A draft by a task, as a row that is created directly could be there twice after a kill. Its project is
    delivered, then updated by that of a newer document."""
    named = {"text": f"Shop {job.number} has orders.", "name": f"built-{job.number}"}
    made = await job.task("/pipelines/blueprint", named, "-drawn")
    if made["status"] != "completed":
        return
    address = f"/blueprints/{made['blueprint_id']}"
    await job.client.send("PATCH", address, json={"spec": spec(job.number)})
    deliver = {"deliver": {"repo_name": f"built-{job.number}"}}
    built = await job.task(f"{address}/generate", deliver, "-build")
    if built["status"] != "completed":
        return
    await job.client.send("PATCH", address, json={"spec": spec(job.number, "Invoice")})
    update = {"update_repository": True, "allow_data_loss": True}
    await job.task(f"/task/{built['task_id']}/regenerate", update, "-update")


def repository_faults(data_dir: Path, builds: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Each build that has delivered has its repository, with one commit, and one on it if it was updated.

    builds  the results of tasks that have succeeded, by id
    """
    commits = {path.stem: path for path in data_dir.rglob("built-*.git")}
    for task_id, result in builds.items():
        if not (url := result.get("repo_url")):
            continue
        if (folder := commits.get(url.rstrip("/").rpartition("/")[2].removesuffix(".git"))) is None:
            yield f"build {task_id} says {url}, which is not there"
            continue
        delivered = result.get("update", result)
        if delivered.get("outcome", "advanced") != "advanced":
            yield f"build {task_id} was not pushed to the branch that nobody has changed: {delivered}"
        elif delivered["commit"] not in _git(folder, "rev-list", "main").split():
            yield f"build {task_id} has pushed {delivered['commit']}, which is not on the branch"
    for name, folder in commits.items():
        branches = _git(folder, "for-each-ref", "--format=%(refname)").split()
        if branches not in ([], ["refs/heads/main"]):
            yield f"the repository {name} has the branches {branches}"
        elif branches and int(_git(folder, "rev-list", "--count", "--all")) > 2:
            yield f"the repository {name} has more commits than were made"
        _git(folder, "fsck", "--strict")


def results_of(rows: Any) -> dict[str, dict[str, Any]]:
    return {task_id: json.loads(result) for task_id, result in rows}


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "--git-dir", folder, *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout
