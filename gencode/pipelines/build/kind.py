"""The registration of the kind `build`."""

from __future__ import annotations

from functools import partial

from gencode.certification import Certifier
from gencode.certification.environments import FOLDER
from gencode.codegen.errors import CheckFailed
from gencode.delivery.creating_repo import CreatingRepo
from gencode.delivery.pushing import Pushing
from gencode.domain.errors import (
    CrashLoop,
    Forbidden,
    Internal,
    NotFound,
    PlanLimitReached,
    SecretFound,
    TaskTimeout,
    TreeError,
    error_classes,
)
from gencode.githosts.errors import GitError, HostError
from gencode.http.generation_limits import GenerationLimits
from gencode.http.kind_dependencies import KindDependencies, KindFactory
from gencode.http.kinds import Kind, KindRuntime, Submission
from gencode.llm.errors import BudgetExceeded, ProviderError
from gencode.model_tasks.request import LimitsRetry, limits_changes, submitted_request
from gencode.pipelines.build.api import artifacts, builds
from gencode.pipelines.build.api.preparation import (
    BuildServices,
    may_pause,
    prepare,
)
from gencode.pipelines.build.api.request import PATTERN_MESSAGES, BuildRequest
from gencode.pipelines.build.api.tools import project_tool
from gencode.pipelines.build.api.views import BuildFields, label, notification_fields, result_url, task_fields
from gencode.pipelines.build.approving_migration import ApprovingMigration
from gencode.pipelines.build.archiving import Archiving
from gencode.pipelines.build.delivering import CreatingBuildRepo
from gencode.pipelines.build.errors import VerificationFailed
from gencode.pipelines.build.messages import STAGE_TITLES
from gencode.pipelines.build.names import NAME, RENDERING, VERIFYING
from gencode.pipelines.build.pipeline import Build
from gencode.pipelines.build.rendering import Rendering
from gencode.pipelines.build.updating_repo import UpdatingRepo
from gencode.pipelines.build.verifying import Verifying
from gencode.pipelines.build.writing_holes import WritingHoles
from gencode.sandbox.errors import SandboxFailed
from gencode.workspace.builds.storage import BuildStorage
from gencode.workspace.builds.store import BuildStore
from gencode.workspace.errors import (
    ProjectArchived,
    TemplateCheckFailed,
    TemplateFailed,
    TemplateNotProven,
)
from gencode.workspace.templates.proofs import TemplateProofs
from gencode.workspace.workspace import Workspace

KIND = Kind(
    name=NAME,
    title={"en": "Build a project", "zh": "构建项目"},
    stage_titles=STAGE_TITLES,
    request_model=BuildRequest,
    submission=Submission(
        path="/pipelines/build",
        operation_id="build",
        summary="Build the project of a blueprint",
        pattern_messages=PATTERN_MESSAGES,
        tool_title="Build a project",
        tool_description=(
            "Build the project of a stored blueprint. Answers at once with a task_id; ask status for how it "
            "goes, and project for the files and whether they were proven to work."
        ),
        errors=(PlanLimitReached, NotFound, Forbidden, ProjectArchived, TemplateNotProven),
    ),
    view_model=BuildFields,
    retry_model=LimitsRetry,
    errors=(
        *error_classes(ProviderError, TreeError, HostError, GitError),
        BudgetExceeded,
        CheckFailed,
        SandboxFailed,
        SecretFound,
        TemplateFailed,
        TemplateCheckFailed,
        PlanLimitReached,
        VerificationFailed,
        TaskTimeout,
        CrashLoop,
        Internal,
    ),
    error_advice={
        VerificationFailed.code: {
            "en": "Read the report and the files; change the blueprint, or build without a model's flows.",
            "zh": "请查看报告和文件；修改蓝图，或不使用模型编写流程再次构建。",
        }
    },
    event_names=(
        "rendered",
        "hole",
        "archived",
        "changes",
        "verification_step",
        "certificate",
        "repo",
        "pushed",
        "update",
        "usage",
        "retry",
        "failover",
        "resumed",
    ),
    milestones=(RENDERING, VERIFYING),
    operations=(
        builds.generate_blueprint,
        builds.list_builds,
        builds.regenerate,
        artifacts.list_artifacts,
        artifacts.get_artifact,
        artifacts.get_report,
    ),
)


def start(dependencies: KindDependencies) -> KindRuntime:
    workspace, settings = dependencies.extension(Workspace), dependencies.settings
    is_off = settings.sandbox == "off"
    certifier = Certifier(sandbox=dependencies.sandbox, environments=settings.data_dir / FOLDER)
    services = BuildServices(
        workspace=workspace,
        builds=BuildStore(workspace.database),
        store=dependencies.store,
        checkpoint_reader=dependencies.checkpoint_reader,
        choose_model=dependencies.choose_model,
        storage=BuildStorage(workspace.database, workspace.plans, dependencies.store),
        limits=dependencies.optional_extension(GenerationLimits) or GenerationLimits(),
        secrets=dependencies.secrets,
        choose_host=dependencies.choose_host,
        is_off=is_off,
    )
    pipeline = Build(
        Rendering(services.builds, dependencies.git_host, dependencies.extension(TemplateProofs)),
        ApprovingMigration(settings.approval_timeout),
        WritingHoles(
            dependencies.sessions,
            services.builds,
            dependencies.checker,
            settings.max_output_tokens,
            settings.files_at_once,
        ),
        Archiving(settings.git_author, dependencies.store, services.storage),
        Verifying(certifier, services.builds, settings.git_author),
        CreatingBuildRepo(
            CreatingRepo(dependencies.git_host), settings.git_author, dependencies.secrets.current
        ),
        Pushing(dependencies.git_host),
        UpdatingRepo(
            dependencies.git_host,
            settings.git_author,
            dependencies.local_forge,
            dependencies.secrets.current,
        ),
        dependencies.price,
        author=settings.git_author,
        forge=dependencies.local_forge,
        is_off=is_off,
    )
    return KindRuntime(
        pipeline=pipeline,
        prepare=partial(prepare, services),
        view=partial(task_fields, forge=dependencies.local_forge),
        label=label,
        result_url=partial(result_url, forge=dependencies.local_forge),
        notification_fields=notification_fields,
        submitted=submitted_request,
        retry_changes=partial(limits_changes, dependencies.price),
        may_pause=may_pause,
        tools=(project_tool(services),),
        services=services,
    )


BUILDS = KindFactory(kind=KIND, start=start)
