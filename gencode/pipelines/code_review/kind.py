"""The registration of the kind `code_review`."""

from __future__ import annotations

from functools import partial

from gencode.domain.errors import CrashLoop, Internal, SecretFound, TaskTimeout, error_classes
from gencode.githosts.errors import GitError
from gencode.githosts.fetch.errors import CloneStorage, RepositoryTooLarge
from gencode.http.kind_dependencies import KindDependencies, KindFactory
from gencode.http.kinds import Kind, KindRuntime, Submission
from gencode.llm.errors import BudgetExceeded, ProviderError
from gencode.model_tasks.request import LimitsRetry, limits_changes
from gencode.outbound.user_http import UserHttp
from gencode.pipelines.code_review.api.operations import OPERATIONS
from gencode.pipelines.code_review.api.preparation import Preparation, submitted
from gencode.pipelines.code_review.api.request import PATTERN_MESSAGES, CodeReviewRequest
from gencode.pipelines.code_review.api.tools import review_tool
from gencode.pipelines.code_review.api.views import (
    CodeReviewFields,
    label,
    notification_fields,
    task_fields,
)
from gencode.pipelines.code_review.collecting import Collecting
from gencode.pipelines.code_review.delivering import Delivering
from gencode.pipelines.code_review.judging import Judging
from gencode.pipelines.code_review.messages import POST_ADVICE
from gencode.pipelines.code_review.names import (
    COLLECTED_EVENT,
    COLLECTING,
    DELIVERING,
    FINDING_EVENT,
    JUDGED_EVENT,
    JUDGING,
    NAME,
    POSTED_EVENT,
    POSTING,
    REVIEWED_EVENT,
    REVIEWING,
)
from gencode.pipelines.code_review.pipeline import CodeReview
from gencode.pipelines.code_review.posting import PostingStage
from gencode.pipelines.code_review.reviewed_hunks import ReviewedHunks
from gencode.pipelines.code_review.reviewing import Reviewing
from gencode.pipelines.code_review.sources import DiffSource
from gencode.reviewhosts.errors import POSTING_ERRORS
from gencode.workspace.code_diffs.errors import DiffNotReady
from gencode.workspace.code_diffs.store import CodeDiffs
from gencode.workspace.repositories.change_requests import ChangeRequests
from gencode.workspace.repositories.clones import RepositoryClones
from gencode.workspace.repositories.errors import CloneMissing, RefUnknown, RepositoryUnusable
from gencode.workspace.repositories.sync import RepositorySync
from gencode.workspace.reviews.store import ReviewStore
from gencode.workspace.workspace import Workspace

MOST_AT_ONCE = 4
"""Calls of one review."""


KIND = Kind(
    name=NAME,
    title={"en": "Review code", "zh": "代码评审"},
    stage_titles={
        COLLECTING: {"en": "Reading the diff", "zh": "读取差异"},
        REVIEWING: {"en": "Reviewing", "zh": "评审"},
        JUDGING: {"en": "Merging and ranking", "zh": "合并与排序"},
        DELIVERING: {"en": "Writing the result", "zh": "写入结果"},
        POSTING: {"en": "Posting the review", "zh": "发布评审"},
    },
    request_model=CodeReviewRequest,
    submission=Submission(
        path="/pipelines/code-review",
        operation_id="reviewCode",
        summary="Submit a change for review",
        pattern_messages=PATTERN_MESSAGES,
        tool_title="Review a change of code",
        tool_description=(
            "Have a patch, or a branch of a registered repository, reviewed. Answers at once "
            "with a task_id; ask status for how it goes, and review for the findings."
        ),
    ),
    view_model=CodeReviewFields,
    retry_model=LimitsRetry,
    errors=(
        *error_classes(ProviderError, GitError),
        RepositoryTooLarge,
        CloneStorage,
        RepositoryUnusable,
        CloneMissing,
        RefUnknown,
        DiffNotReady,
        BudgetExceeded,
        SecretFound,
        *POSTING_ERRORS,
        TaskTimeout,
        CrashLoop,
        Internal,
    ),
    error_advice=POST_ADVICE,
    event_names=(
        *(COLLECTED_EVENT, FINDING_EVENT, REVIEWED_EVENT, JUDGED_EVENT, POSTED_EVENT),
        *("usage", "retry", "failover"),
    ),
    milestones=(REVIEWING,),
    operations=OPERATIONS,
)


def start(dependencies: KindDependencies) -> KindRuntime:
    settings, workspace = dependencies.settings, dependencies.extension(Workspace)
    tokens = settings.max_output_tokens
    store = ReviewStore(workspace.database, workspace.audit)
    hunks = ReviewedHunks(store)
    diffs = CodeDiffs(workspace, dependencies.store)
    clones, sync = dependencies.extension(RepositoryClones), RepositorySync.of(dependencies)
    changes = ChangeRequests(workspace, dependencies.extension(UserHttp), dependencies.metrics)
    pipeline = CodeReview(
        Collecting(DiffSource(clones, sync, diffs), hunks, dependencies.checker),
        Reviewing(dependencies.sessions, hunks, tokens, min(settings.files_at_once, MOST_AT_ONCE)),
        Judging(dependencies.sessions, tokens),
        Delivering(store),
        PostingStage(changes, dependencies.secrets, dependencies.slots),
        dependencies.price,
    )
    return KindRuntime(
        pipeline=pipeline,
        prepare=Preparation(workspace, sync, diffs, changes, dependencies.choose_model),
        view=task_fields,
        label=label,
        notification_fields=notification_fields,
        submitted=submitted,
        tools=(review_tool(dependencies.store, dependencies.checkpoint_reader),),
        retry_changes=partial(limits_changes, dependencies.price),
    )


CODE_REVIEW = KindFactory(kind=KIND, start=start)
