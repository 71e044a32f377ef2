"""The requests to submit and to retry a task of kind `generate`."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import (
    Field,
    field_validator,
)

from gencode.delivery.request import PATTERN_MESSAGES as REPOSITORY_PATTERNS
from gencode.delivery.request import HostName, OrgName, RepoName
from gencode.domain.errors import Invalid
from gencode.http.base_models import CALLBACK_URL_PATTERN, CallbackURL, TaskRequest
from gencode.model_tasks.request import Deadline, LimitsRetry, ModelName, Money, Tokens

MAX_PROMPT = 100_000
"""Most characters of the prompt."""
_VISIBLE = r"[^\s\u0000-\u001f\u0085\ufeff]"
"""Neither white space nor a control character. Python and JSON Schema differ in what white space is."""
# What validators check must be in the schema, too: `json_schema_extra` goes to /openapi.json.
Prompt = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MAX_PROMPT,
        json_schema_extra={"pattern": rf"^[^\u0000]*{_VISIBLE}[^\u0000]*$"},
    ),
]


PATTERN_MESSAGES = {
    **REPOSITORY_PATTERNS,
    "model": "must be a name of A-Z a-z 0-9 . _ : / -, beginning with a letter or digit",
    "callback_url": CALLBACK_URL_PATTERN,
}

Deliver = Literal["checked", "best_effort"]


class GenerateRequest(TaskRequest):
    """What POST /api/v1/generate takes."""

    prompt: Prompt
    repo_name: RepoName
    model: ModelName | None = None
    github_org: OrgName | None = None
    host: HostName | None = None
    private: bool = True
    allow_secrets: bool = False
    deliver: Deliver = "checked"
    max_tokens: Tokens | None = None
    max_cost: Money | None = None
    deadline: Deadline | None = None
    cache: bool | None = None
    include_report: bool = False
    callback_url: CallbackURL | None = None
    approve_plan: bool = False

    @field_validator("prompt")
    @classmethod
    def _is_not_blank(cls, prompt: str) -> str:
        if not re.search(_VISIBLE, prompt) or "\0" in prompt:
            raise ValueError("must say something, without NUL characters")
        return prompt


class RetryRequest(LimitsRetry):
    """What POST /api/v1/task/{task_id}/retry may take: other limits than the task had (null lifts one), that
    what looks like a secret is none, and, while no repository has been created, another name or account for
    it (null: the current name, the default account)."""

    deliver: Deliver = "checked"
    allow_secrets: bool = False
    repo_name: RepoName | None = None
    github_org: OrgName | None = None


def check_cache(request: GenerateRequest, *, is_enabled: bool) -> None:
    """Raises Invalid for a request that requires the prompt cache while it is off."""
    if request.cache and not is_enabled:
        raise Invalid.of("cache", "off", "the prompt cache is off: leave it out, or set PROMPT_CACHE")
