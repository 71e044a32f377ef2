"""The registration of the kind `test_generation`."""

from __future__ import annotations

from functools import partial

from gencode.codegen.errors import CheckFailed
from gencode.codegen.test_code.reader import TestCodeReader
from gencode.domain.errors import (
    CrashLoop,
    Internal,
    SecretFound,
    TaskTimeout,
    UnsafePath,
    UnsafeTree,
    error_classes,
)
from gencode.githosts.errors import GitError
from gencode.githosts.fetch.errors import CloneStorage, RepositoryTooLarge
from gencode.http.kind_dependencies import KindDependencies, KindFactory
from gencode.http.kinds import Kind, KindRuntime, Submission
from gencode.llm.errors import BudgetExceeded, ProviderError
from gencode.model_tasks.request import LimitsRetry, limits_changes, submitted_request
from gencode.pipelines.test_generation.api import tests
from gencode.pipelines.test_generation.api.preparation import (
    TestGenerationServices,
    prepare,
)
from gencode.pipelines.test_generation.api.request import PATTERN_MESSAGES, TestGenerationRequest
from gencode.pipelines.test_generation.api.views import (
    TestGenerationFields,
    label,
    notification_fields,
    task_fields,
)
from gencode.pipelines.test_generation.collecting import Collecting
from gencode.pipelines.test_generation.errors import NothingToTest
from gencode.pipelines.test_generation.names import COLLECTING, NAME, PUSHING, VERIFYING, WRITING
from gencode.pipelines.test_generation.pipeline import TestGeneration
from gencode.pipelines.test_generation.pushing_branch import PushingBranch
from gencode.pipelines.test_generation.sources import StoredSource
from gencode.pipelines.test_generation.verification.sandbox_verifier import SandboxVerifier
from gencode.pipelines.test_generation.verifying_tests import VerifyingTests
from gencode.pipelines.test_generation.writing_tests import WritingTests
from gencode.sandbox.errors import SandboxFailed
from gencode.workspace.code_diffs.errors import DiffNotReady, DiffUnusable
from gencode.workspace.code_diffs.store import CodeDiffs
from gencode.workspace.repositories.clones import RepositoryClones
from gencode.workspace.repositories.errors import CloneMissing, RefUnknown, RepositoryUnusable
from gencode.workspace.repositories.push import RepositoryPush
from gencode.workspace.repositories.sync import RepositorySync
from gencode.workspace.workspace import Workspace

KIND = Kind(
    name=NAME,
    title={"en": "Write tests", "zh": "编写测试"},
    stage_titles={
        COLLECTING: {"en": "Finding functions", "zh": "查找函数"},
        WRITING: {"en": "Writing tests", "zh": "编写测试"},
        VERIFYING: {"en": "Checking the tests", "zh": "检验测试"},
        PUSHING: {"en": "Pushing a branch", "zh": "推送分支"},
    },
    request_model=TestGenerationRequest,
    submission=Submission(
        path="/pipelines/test-generation",
        operation_id="generateTests",
        summary="Write tests for changed or named functions",
        pattern_messages=PATTERN_MESSAGES,
        tool_title="Write tests",
        tool_description=(
            "Write tests for the functions that a patch changes, or that are named. Answers at once with a "
            "task_id; ask status for how it goes. The result says whether the tests were run."
        ),
    ),
    view_model=TestGenerationFields,
    retry_model=LimitsRetry,
    errors=(
        *error_classes(ProviderError, GitError),
        RepositoryTooLarge,
        CloneStorage,
        RepositoryUnusable,
        CloneMissing,
        RefUnknown,
        DiffNotReady,
        DiffUnusable,
        BudgetExceeded,
        CheckFailed,
        SecretFound,
        SandboxFailed,
        NothingToTest,
        UnsafePath,
        UnsafeTree,
        TaskTimeout,
        CrashLoop,
        Internal,
    ),
    error_advice={
        NothingToTest.code: {
            "en": "Send the files that the patch changes as they are after it, or other names of functions.",
            "zh": "请发送补丁修改后的文件内容，或指定其他函数名。",
        }
    },
    event_names=("targets", "test_file", "verified", "pushed", "usage", "retry", "failover", "resumed"),
    milestones=(WRITING, VERIFYING),
    operations=(tests.read_tests, tests.archive_tests, tests.patch_tests),
)


def start(dependencies: KindDependencies) -> KindRuntime:
    reader = TestCodeReader(dependencies.checker)
    clones, sync = dependencies.extension(RepositoryClones), RepositorySync.of(dependencies)
    push = RepositoryPush.of(dependencies, sync)
    diffs = CodeDiffs(dependencies.extension(Workspace), dependencies.store)
    settings = dependencies.settings
    is_off = settings.sandbox == "off"
    services = TestGenerationServices(
        checkpoint_reader=dependencies.checkpoint_reader,
        choose_model=dependencies.choose_model,
        store=dependencies.store,
        sync=sync,
        push=push,
        diffs=diffs,
        is_off=is_off,
    )
    pipeline = TestGeneration(
        Collecting(reader, StoredSource(clones, sync, diffs)),
        WritingTests(
            dependencies.sessions, dependencies.checker, settings.max_output_tokens, settings.files_at_once
        ),
        VerifyingTests(reader, SandboxVerifier(dependencies.sandbox, reader)),
        PushingBranch(push, settings.git_author),
        dependencies.price,
        is_off=is_off,
    )
    return KindRuntime(
        pipeline=pipeline,
        prepare=partial(prepare, services),
        view=task_fields,
        label=label,
        notification_fields=notification_fields,
        submitted=submitted_request,
        retry_changes=partial(limits_changes, dependencies.price),
        services=services,
    )


TEST_GENERATION = KindFactory(kind=KIND, start=start)
