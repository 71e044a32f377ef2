"""Plan and files of an earlier task, in place of asking the model again: the prompt cache."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import anyio.to_thread

from gencode.domain.task import State, Task
from gencode.engine.store import Store, TaskQuery
from gencode.pipelines.generate.artifacts import REPORT, GenerateInput, KeptSnapshot, Plan
from gencode.pipelines.generate.cache_key import cache_key, kin
from gencode.pipelines.generate.checkpoints import Checkpoints, kept_plan

Mode = Literal["off", "identical", "similar"]
DONE = (State.SUCCEEDED,)

LOOKED_AT = 5
"""Tasks of a recipe whose files are looked at; the newest one will do but for rare cases."""
COMPARED = 200
"""The client's newest completed tasks, among which a similar prompt is looked for."""
LONGEST = 10_000
"""Characters of prompts that are compared (about a millisecond a pair); longer ones must be identical."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CacheHit:
    """`similarity` of the prompts, from 0 to 1; 1.0 is the same recipe."""

    task_id: str
    similarity: float
    plan: Plan
    files: dict[str, str]


class PromptCache:
    """Finds among the completed tasks of the same client, never of another: prompts and files are theirs.

    settings   a digest of the settings that shape answers (see `recipe`)
    threshold  least similarity, from 0 to 1, of prompts that count as similar
    """

    def __init__(self, store: Store, mode: Mode, settings: str, threshold: float = 0.95) -> None:
        self._store = store
        self._mode = mode
        self._settings = settings
        self._threshold = threshold

    def cache_key(self, input: GenerateInput, model: str) -> str:
        """By which later tasks find this one; "" when none may."""
        return cache_key(self._settings, input, model) if self._may(input) else ""

    async def __call__(self, input: GenerateInput, model: str) -> CacheHit | None:
        """Raises StoreError."""
        if not self._may(input):
            return None
        digest = self.cache_key(input, model)
        query = TaskQuery(principal=input.client, states=DONE, cache_key=digest, limit=LOOKED_AT)
        same = await self._first(input, [(1.0, task) for task in await self._store.find(query)])
        if same or self._mode != "similar":
            return same
        return await self._first(input, await self._similar(input, model))

    def _may(self, input: GenerateInput) -> bool:
        return self._mode != "off" and input.cache

    async def _first(self, input: GenerateInput, tasks: Sequence[tuple[float, Task]]) -> CacheHit | None:
        for similarity, task in tasks:
            if _sound(task, input) and (found := await self._read(task, similarity)):
                return found
        return None

    async def _read(self, task: Task, similarity: float) -> CacheHit | None:
        """In a thread: it may be 32 MiB."""
        checkpoints = await self._store.checkpoints(task.id)
        return await anyio.to_thread.run_sync(_cache_hit, task.id, similarity, checkpoints)

    async def _similar(self, input: GenerateInput, model: str) -> list[tuple[float, Task]]:
        """The most similar first."""
        if len(input.prompt) > LONGEST:
            return []
        query = TaskQuery(principal=input.client, states=DONE, limit=COMPARED)
        alike = kin(self._settings, model) + ":"
        tasks = [task for task in await self._store.find(query) if task.cache_key.startswith(alike)]
        prompts = [str((await self._store.request(task.id)).get("prompt")) for task in tasks]
        ratios = await anyio.to_thread.run_sync(_ratios, input.prompt, prompts, self._threshold)
        found = [(ratio, task) for ratio, task in zip(ratios, tasks, strict=True) if ratio]
        return sorted(found, key=lambda pair: pair[0], reverse=True)[:LOOKED_AT]


def _sound(task: Task, input: GenerateInput) -> bool:
    """Whether a completed task's files passed all checks that those of this one must pass."""
    asked = task.parameters
    checked = asked.get("deliver", "checked") == "checked"
    return checked and (input.allow_secrets or not asked.get("allow_secrets"))


def _cache_hit(task_id: str, similarity: float, checkpoints: Checkpoints) -> CacheHit | None:
    """None for a commit that has other files than its plan. Its report is of that task alone."""
    planned = kept_plan(checkpoints)
    if not planned or "snapshot" not in checkpoints:
        return None
    files = dict(KeptSnapshot.model_validate_json(checkpoints["snapshot"]).files)
    paths = {file.path for file in planned.plan.files}
    files = {path: text for path, text in files.items() if path != REPORT or path in paths}
    if files.keys() != paths:
        return None
    return CacheHit(task_id=task_id, similarity=similarity, plan=planned.plan, files=files)


def _ratios(prompt: str, others: Sequence[str], threshold: float) -> list[float]:
    """How similar each is, white space aside; 0.0 below the threshold and for what is too long. Never 1.0:
    none of them is the same."""
    fuzz = importlib.import_module("rapidfuzz.fuzz")  # 2 MiB that few services need
    own, least = " ".join(prompt.split()), 100 * threshold
    return [
        min(fuzz.ratio(own, " ".join(other.split()), score_cutoff=least) / 100, 0.999)
        if len(other) <= LONGEST
        else 0.0
        for other in others
    ]
