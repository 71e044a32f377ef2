"""What users of the workspace do in its kill campaign: each job submits the tasks of a kind, one after
another, and waits for them. Each has content of its own, so that no call of one is paid for by another."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

import anyio

from tests.campaigns.build_jobs import blueprint, build
from tests.campaigns.workspace_client import PersistentClient
from tests.servers.changes import HEAD, NUMBER
from tests.servers.changes import PATCH as CHANGE
from tests.servers.git_repository import GitRepository

CANCELLED_SHARE = 0.15
CANCEL_SECONDS = 1.0
"""The longest until a task is cancelled."""
BRANCHES = 12
PATCH = """\
diff --git a/a.py b/a.py
new file mode 100644
--- /dev/null
+++ b/a.py
@@ -0,0 +1,4 @@
+def check_{number}(value, seen=[]):
+    if value == None:
+        return seen
+    return {number}
"""
SHAPES = '''\
def area_{number}(w, h):
    """
    >>> area_{number}(2, 3)
    6
    """
    return w * h
'''


@dataclass(frozen=True, kw_only=True)
class Place:
    """What was made before the first kill.

    repository, base  ids; `changed`: of the repository on the host with a change request
    config            the reference of the user's model config
    posting           held by the job that posts: two reviews of one change at a time would be two reviews
    """

    repository: str
    changed: str
    base: str
    config: str
    posting: anyio.Lock


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job under way. `random`: its own draws."""

    number: int
    client: PersistentClient
    place: Place
    random: Random

    async def task(self, path: str, body: Mapping[str, Any] | None, step: str = "") -> dict[str, Any]:
        """Submits a task, and returns it when it is over."""
        key = f"{self.number:04}{step}"
        return await self.ended(await self.client.submit(path, body, key))

    async def ended(self, task_id: str) -> dict[str, Any]:
        """Some of the tasks are cancelled."""
        if self.random.random() < CANCELLED_SHARE:
            await anyio.sleep(self.random.random() * CANCEL_SECONDS)
            await self.client.cancel(task_id)
        return await self.client.over(task_id)


async def chat(job: Job) -> None:
    """Two questions in one conversation; the second as soon as the first is over. A task that is cancelled in
    the queue makes no conversation."""
    first = await job.task("/pipelines/chat", {"content": f"What is {job.number}?"}, "-first")
    if first["status"] != "completed":
        return
    path = f"/chat/conversations/{first['conversation_id']}/messages"
    await job.task(path, {"content": f"And what is {job.number} again?"}, "-second")


async def code_diff(job: Job) -> None:
    row = await compared(job)
    await job.ended(job.client.accept(f"{job.number:04}-diff", str(row["task_id"])))


async def compared(job: Job) -> dict[str, Any]:
    branch = f"change-{job.number % BRANCHES}"
    body = {"name": f"diff-{job.number}", "repository_id": job.place.repository, "source_ref": branch}
    created: dict[str, Any] = await job.client.post(
        "/code-diffs", {**body, "target_ref": "main"}, key=f"{job.number:04}-diff"
    )
    return created


async def code_review(job: Job) -> None:
    """Of a patch."""
    patch = PATCH.format(number=job.number)
    await job.task("/pipelines/code-review", {"patch": patch, "subject": f"review-{job.number}"})


async def posted_review(job: Job) -> None:
    """Of the same change each time, whose comments are to be there once."""
    to = {"change": NUMBER, "repository_id": job.place.changed, "commit": HEAD}
    async with job.place.posting:
        await job.task("/pipelines/code-review", {"patch": CHANGE, "post": to})


async def index(job: Job) -> None:
    """A document of the knowledge base, which a task indexes."""
    text = "\n\n".join(f"# Part {part}\n\nNumber {job.number} has a part {part}." for part in range(4))
    path = f"/knowledge/bases/{job.place.base}/documents"
    body = {"name": f"document-{job.number}", "text": text}
    row = await job.client.post(path, body, key=f"{job.number:04}-document")
    await job.ended(job.client.accept(f"{job.number:04}-document", str(row["task_id"])))


async def requirements(job: Job) -> None:
    """An uploaded document is read, then analysed."""
    text = f"# Login {job.number}\n\nThe system must lock an account after {job.number} failed logins.\n"
    key, files = f"{job.number:04}-upload", {"file": (f"upload-{job.number}.md", text.encode())}
    row = await job.client.send("POST", "/requirements/upload", key=key, files=files)
    read = await job.ended(job.client.accept(key, str(row["parse_task_id"])))
    if read["status"] == "completed":
        await job.task("/pipelines/requirement-analysis", {"document_id": row["id"]}, "-analysis")


async def sync_repository(job: Job) -> None:
    """A sync that is under way answers for another one, so two keys may have one task."""
    path = f"/git/repositories/{job.place.repository}/sync"
    key = f"{job.number:04}-sync"
    await job.ended(job.client.accept(key, str((await job.client.post(path, key=key))["task_id"])))


async def test_generation(job: Job) -> None:
    files = [{"path": "shapes.py", "text": SHAPES.format(number=job.number)}]
    await job.task("/pipelines/test-generation", {"files": files, "functions": [f"area_{job.number}"]})


async def generate(job: Job) -> None:
    body = {"prompt": f"a command line tool number {job.number}", "repo_name": f"tool-{job.number}"}
    await job.task("/generate", {**body, "model": job.place.config})


JOBS: Mapping[str, Callable[[Job], Awaitable[None]]] = {
    "chat": chat,
    "code_diff": code_diff,
    "code_review": code_review,
    "posted_review": posted_review,
    "index": index,
    "requirements": requirements,
    "sync_repository": sync_repository,
    "test_generation": test_generation,
    "generate": generate,
    "blueprint": blueprint,
    "build": build,
}
"""All kinds of the workspace; `requirements` has two."""


async def prepare(client: PersistentClient, repository_url: str, model_url: str, host: Any) -> Place:
    """What the jobs need. `host`: of a change request."""
    price = {"price_prompt": "0.3", "price_completion": "1.1", "is_default": True}
    config = {"name": "mine", "provider": "compatible", "base_url": model_url, "model": "offline"}
    made = await client.post("/ai/models", {**config, **price, "api_key": "sk-0123456789"})
    repository = await client.post("/git/repositories", {"name": "project", "repository_url": repository_url})
    credential = {"name": "c", "provider": "github", "access_token": host.token, "api_url": host.url}
    row = {"name": "shop", "repository_url": f"{host.url}/octo/shop.git"}
    row["credential_id"] = (await client.post("/git/credentials", credential))["id"]
    changed = await client.post("/git/repositories", row)
    encoder = {"encoder": "model", "encoder_config": made["reference"]}
    base = await client.post("/knowledge/bases", {"name": "guides", **encoder})
    return Place(
        repository=repository["id"],
        changed=changed["id"],
        base=base["id"],
        config=made["reference"],
        posting=anyio.Lock(),
    )


def fill(repository: GitRepository) -> None:
    """Branches that differ from `main`."""
    repository.commit({"a.py": b"x = 1\n"}, "first")
    for number in range(BRANCHES):
        repository.git("checkout", "-q", "-b", f"change-{number}", "main")
        repository.commit({"a.py": b"x = 1\n", f"b{number}.py": b"y = %d\n" % number}, "change")
    repository.git("checkout", "-q", "main")
