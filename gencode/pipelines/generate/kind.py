"""The registration of the kind `generate`: its texts, and its pipeline with the dependencies of the
service."""

from __future__ import annotations

from functools import partial

from gencode import __version__
from gencode.codegen.errors import CheckFailed, ValidationFailed
from gencode.codegen.file_generator import WritingLimits
from gencode.codegen.repair_loop import RepairLoop
from gencode.domain.errors import (
    ApprovalExpired,
    CrashLoop,
    Internal,
    PlanLimitReached,
    SecretFound,
    TaskTimeout,
    TreeError,
    error_classes,
)
from gencode.domain.task import Task
from gencode.githosts.errors import GitError, HostError
from gencode.http.generation_limits import GenerationLimits
from gencode.http.kind_dependencies import KindDependencies, KindFactory
from gencode.http.kinds import Kind, KindRuntime, Submission
from gencode.llm.errors import BudgetExceeded, ProviderError
from gencode.model_tasks.request import submitted_request
from gencode.pipelines.generate.api import choices, estimate, files, plan, report_and_bundle
from gencode.pipelines.generate.api.preparation import prepare, retry_changes
from gencode.pipelines.generate.api.request import PATTERN_MESSAGES, GenerateRequest, RetryRequest
from gencode.pipelines.generate.api.services import NAME, GenerateServices
from gencode.pipelines.generate.api.tools import files_tool
from gencode.pipelines.generate.api.views import (
    GenerateTaskFields,
    label,
    notification_fields,
    result_url,
    task_fields,
)
from gencode.pipelines.generate.cache_key import settings_digest
from gencode.pipelines.generate.committed_report import Reporter
from gencode.pipelines.generate.errors import PlanChanged
from gencode.pipelines.generate.generating import Generating
from gencode.pipelines.generate.merging_files import Merging
from gencode.pipelines.generate.pipeline import Generate
from gencode.pipelines.generate.progress import task_progress
from gencode.pipelines.generate.prompt_cache import PromptCache
from gencode.pipelines.generate.stage_names import CREATING_REPO, GENERATING, MERGING, PUSHING

KIND = Kind(
    name=NAME,
    title={"en": "Generate a repository", "zh": "生成代码仓库"},
    stage_titles={
        GENERATING: {"en": "Generating code", "zh": "生成代码"},
        MERGING: {"en": "Joining and checking files", "zh": "拼接和检查文件"},
        CREATING_REPO: {"en": "Creating the repository", "zh": "创建仓库"},
        PUSHING: {"en": "Pushing the code", "zh": "推送代码"},
    },
    request_model=GenerateRequest,
    submission=Submission(
        path="/generate",
        operation_id="generate",
        summary="Submit a prompt",
        pattern_messages=PATTERN_MESSAGES,
        tool_title="Generate a repository",
        tool_description=(
            "Turn a prompt into a new Git repository with a working project. Answers at once with a task_id; "
            "ask status for how it goes and for repo_url."
        ),
        errors=(PlanLimitReached,),
    ),
    view_model=GenerateTaskFields,
    retry_model=RetryRequest,
    approval_errors=(PlanChanged,),
    errors=tuple(
        error_classes(
            ProviderError,
            BudgetExceeded,
            ValidationFailed,
            CheckFailed,
            SecretFound,
            TreeError,
            HostError,
            GitError,
            TaskTimeout,
            ApprovalExpired,
            CrashLoop,
            Internal,
        )
    ),
    event_names=(
        "plan",
        "file",
        "usage",
        "retry",
        "failover",
        "findings",
        "merged",
        "repo",
        "pushed",
        "resumed",
    ),
    milestones=(GENERATING, CREATING_REPO),
    operations=(
        estimate.estimate,
        choices.list_models,
        choices.list_hosts,
        choices.check_repository_name,
        files.get_archive,
        report_and_bundle.bundle,
        files.get_file_list,
        files.get_file,
        plan.read_plan,
        plan.replace_plan,
        report_and_bundle.report,
    ),
)


def start(dependencies: KindDependencies) -> KindRuntime:
    services = _services(dependencies)
    return KindRuntime(
        pipeline=_pipeline(dependencies),
        prepare=partial(prepare, services),
        view=partial(task_fields, forge=dependencies.local_forge),
        label=label,
        result_url=partial(result_url, forge=dependencies.local_forge),
        notification_fields=notification_fields,
        progress=partial(task_progress, dependencies.progress_registry),
        live_progress=dependencies.progress_registry.running,
        submitted=submitted_request,
        retry_changes=partial(retry_changes, services),
        may_pause=lambda task: bool(task.parameters.get("approve_plan")),
        calls_model=_calls_model,
        approve=plan.approval,
        tools=(files_tool(services),),
        services=services,
    )


def _calls_model(task: Task) -> bool:
    """Whether a retry of the failed task would call the model. After its files are committed it would not."""
    return task.failure is None or task.failure.stage not in (CREATING_REPO, PUSHING)


GENERATE = KindFactory(kind=KIND, start=start)


def _services(dependencies: KindDependencies) -> GenerateServices:
    return GenerateServices(
        store=dependencies.store,
        checkpoint_reader=dependencies.checkpoint_reader,
        choose_model=dependencies.choose_model,
        list_models=dependencies.list_models,
        list_hosts=dependencies.list_hosts,
        git_host=dependencies.git_host,
        choose_host=dependencies.choose_host,
        price=dependencies.price,
        progress_registry=dependencies.progress_registry,
        limits=dependencies.optional_extension(GenerationLimits) or GenerationLimits(),
        is_cache_enabled=dependencies.settings.prompt_cache != "off",
        workflows=dependencies.settings.allow_workflows,
        max_output_tokens=dependencies.settings.max_output_tokens,
        secrets=dependencies.secrets,
    )


def _pipeline(dependencies: KindDependencies) -> Generate:
    settings, checker = dependencies.settings, dependencies.checker
    limits = WritingLimits(max_tokens=settings.max_output_tokens, at_once=settings.files_at_once)
    generating = Generating(
        dependencies.sessions,
        checker.signatures,
        limits,
        warm_up=checker.warm_up,
        approval_seconds=settings.approval_timeout,
        prompt_cache=_prompt_cache(dependencies),
        workflows=settings.allow_workflows,
    )
    merging = Merging(
        dependencies.sessions,
        RepairLoop(checker.check, checker.signatures, limits),
        checker.scan,
        settings.git_author,
        Reporter(dependencies.store),
        secrets=dependencies.secrets.current,
        workflows=settings.allow_workflows,
    )
    return Generate(
        generating,
        merging,
        dependencies.git_host,
        workflows=settings.allow_workflows,
        price=dependencies.price,
        forge=dependencies.local_forge,
    )


def _prompt_cache(dependencies: KindDependencies) -> PromptCache:
    settings = dependencies.settings
    digest = settings_digest(
        __version__,
        dependencies.models_configuration,
        settings.max_output_tokens,
        settings.allow_workflows,
    )
    return PromptCache(dependencies.store, settings.prompt_cache, digest, settings.prompt_cache_similarity)
