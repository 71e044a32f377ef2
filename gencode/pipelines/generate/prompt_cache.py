"""The prompt cache: finds an earlier task whose plan and files can replace the calls of a model."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import anyio.to_thread

from gencode.codegen.file_checkpoints import Checkpoints
from gencode.domain.task import State, Task
from gencode.engine.ports.store import Store, TaskQuery
from gencode.pipelines.generate.cache_hit import CacheHit
from gencode.pipelines.generate.cache_key import cache_key, key_prefix
from gencode.pipelines.generate.checkpoints import saved_plan
from gencode.pipelines.generate.commit_checkpoint import read_commit
from gencode.pipelines.generate.committed_report import REPORT
from gencode.pipelines.generate.stage_artifacts import GenerateInput
from gencode.pipelines.generate.task_template import template_of

Mode = Literal["off", "identical", "similar"]
DONE = (State.SUCCEEDED,)
MAX_CANDIDATES = 5
"""The most tasks whose checkpoints are read; nearly always the newest one is usable."""
MAX_COMPARED = 200
"""The number of the client's newest completed tasks that are searched for a similar prompt."""
MAX_PROMPT = 10_000
"""Characters of prompts that are compared (about a millisecond a pair); longer ones must be identical."""


class PromptCache:
    """Searches the completed tasks of the same client, never of another: prompts and files are private.

    settings   a `settings_digest`
    threshold  least similarity, from 0 to 1, of prompts that count as similar
    """

    def __init__(self, store: Store, mode: Mode, settings: str, threshold: float = 0.95) -> None:
        self._store = store
        self._mode = mode
        self._settings = settings
        self._threshold = threshold

    def cache_key(self, request: GenerateInput, model: str) -> str:
        """The key by which later tasks find this one; "" if none may."""
        return cache_key(self._settings, request.job.prompt, model) if self._is_allowed(request) else ""

    async def __call__(self, request: GenerateInput, model: str) -> CacheHit | None:
        """The newest task with the same cache key, else the most similar one. Raises StoreError."""
        if not self._is_allowed(request):
            return None
        digest = self.cache_key(request, model)
        query = TaskQuery(principal=request.client, states=DONE, cache_key=digest, limit=MAX_CANDIDATES)
        same = await self._first_usable(request, [(1.0, task) for task in await self._store.find(query)])
        if same or self._mode != "similar":
            return same
        return await self._first_usable(request, await self._similar(request, model))

    def _is_allowed(self, request: GenerateInput) -> bool:
        return self._mode != "off" and request.cache

    async def _first_usable(
        self, request: GenerateInput, tasks: Sequence[tuple[float, Task]]
    ) -> CacheHit | None:
        for similarity, task in tasks:
            if _is_usable(task, request) and (found := await self._read(task, similarity)):
                return found
        return None

    async def _read(self, task: Task, similarity: float) -> CacheHit | None:
        """Parses the checkpoints in a thread, because they may have 32 MiB."""
        checkpoints = await self._store.checkpoints(task.id)
        found = await anyio.to_thread.run_sync(_cache_hit, task.id, similarity, checkpoints)
        return replace(found, template=template_of(task)) if found else None

    async def _similar(self, request: GenerateInput, model: str) -> list[tuple[float, Task]]:
        """The most similar first."""
        if len(request.job.prompt) > MAX_PROMPT:
            return []
        query = TaskQuery(principal=request.client, states=DONE, limit=MAX_COMPARED)
        prefix = key_prefix(self._settings, model) + ":"
        tasks = [task for task in await self._store.find(query) if task.cache_key.startswith(prefix)]
        prompts = [str((await self._store.request(task.id)).get("prompt")) for task in tasks]
        ratios = await anyio.to_thread.run_sync(_ratios, request.job.prompt, prompts, self._threshold)
        found = [(ratio, task) for ratio, task in zip(ratios, tasks, strict=True) if ratio]
        return sorted(found, key=lambda pair: pair[0], reverse=True)[:MAX_CANDIDATES]


def _is_usable(task: Task, request: GenerateInput) -> bool:
    """Whether a completed task's files have passed every check that this request demands."""
    checked = task.parameters.get("deliver", "checked") == "checked"
    return checked and (request.allow_secrets or not task.parameters.get("allow_secrets"))


def _cache_hit(task_id: str, similarity: float, checkpoints: Checkpoints) -> CacheHit | None:
    """None if the commit has other files than its plan. The task's report is omitted."""
    planned, commit = saved_plan(checkpoints), read_commit(checkpoints)
    if not planned or not commit:
        return None
    paths = {file.path for file in planned.plan.files}
    files = {path: text for path, text in commit.files.items() if path != REPORT or path in paths}
    if files.keys() != paths:
        return None
    return CacheHit(task_id=task_id, similarity=similarity, plan=planned.plan, files=files)


def _ratios(prompt: str, others: Sequence[str], threshold: float) -> list[float]:
    """The similarity of each, ignoring white space; 0.0 below the threshold and for prompts that are too
    long. Never 1.0: identical prompts have been found by their key."""
    fuzz = importlib.import_module("rapidfuzz.fuzz")  # 2 MiB that few services need
    own, cutoff = " ".join(prompt.split()), 100 * threshold
    return [
        min(fuzz.ratio(own, " ".join(other.split()), score_cutoff=cutoff) / 100, 0.999)
        if len(other) <= MAX_PROMPT
        else 0.0
        for other in others
    ]
