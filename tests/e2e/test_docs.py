"""The documents are true: their commands run, their links have targets, their tables are complete.

Each block that begins with ```sh run is executed, in the order of its document, by a separate shell, against
a service that was started like the document's.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.routing import BaseRoute, Mount, Route

from gencode import __version__
from gencode.bootstrap.app import create_app
from gencode.bootstrap.workspace import KINDS
from gencode.client import Client
from gencode.domain.errors import GencodeError, Transient
from gencode.observability.metrics import Metrics
from gencode.pipelines.generate.api.request import GenerateRequest
from gencode.pipelines.generate.kind import GENERATE
from tests.conftest import fault_rows
from tests.servers.error_modules import import_all_errors
from tests.servers.githttp import git_environment
from tests.servers.ports import reserve_port
from tests.servers.service import ROOT, running_app, service, settings
from tests.servers.stream import events

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
WORKSPACE_PAGES = (
    "accounts",
    "conversations",
    "knowledge",
    "models",
    "prompts",
    "repositories",
    "requirements",
    "review",
    "teams",
    "blueprints",
    "templates",
    "builds",
    "tests",
)
"""Pages that need WORKSPACE=true."""
BLOCK = re.compile(r"^```sh run\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PREAMBLE = f"""set -euo pipefail
curl() {{ command curl --fail-with-body "$@"; }}
gencode() {{ {shlex.quote(sys.executable)} -m gencode "$@"; }}"""
OF_DATA_DIR = pytest.mark.one_process("it has commands for DATA_DIR, such as `gencode backup`")
needs_tools = pytest.mark.skipif(
    not all(map(shutil.which, ("bash", "curl", "git"))), reason="needs bash, curl and git"
)


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def first_column(table: str, header: str) -> list[str]:
    """The first cells, without backticks, of the tables whose first header this is."""
    cells: list[str] = []
    for after in table.split(f"| {header} |")[1:]:
        rows = after.splitlines()[2:]
        cells += [row.split("|")[1].strip() for row in rows[: [*map(bool, rows), False].index(False)]]
    return [name.strip("` ") for cell in cells for name in cell.split("`, `")]


# --- commands ---------------------------------------------------------------------------------------


def marks(document: Path) -> list[pytest.MarkDecorator]:
    """`make test` runs the commands of README.md, the first that a user tries."""
    is_of_data_dir = document.name == "operations.md" or document.stem in WORKSPACE_PAGES
    weight = pytest.mark.long if document.name == "README.md" else pytest.mark.campaign
    return [weight, *([OF_DATA_DIR] if is_of_data_dir else [])]


@needs_tools
@pytest.mark.parametrize(
    "document",
    [
        pytest.param(path, marks=marks(path), id=str(path.relative_to(ROOT)))
        for path in DOCUMENTS
        if BLOCK.search(path.read_text())
    ],
)
@pytest.mark.local_forge
async def test_the_commands_of_a_document_run(document: Path, tmp_path: Path) -> None:
    forge_port = reserve_port()
    workspace = {"WORKSPACE": "true"} if document.stem in WORKSPACE_PAGES else {}
    async with service(tmp_path, {"FORGE_PORT": str(forge_port), **workspace}) as process:
        addresses = {"http://127.0.0.1:8080": process.url, "127.0.0.1:8081": f"127.0.0.1:{forge_port}"}
        for number, block in enumerate(BLOCK.findall(document.read_text(encoding="utf-8"))):
            folder = tmp_path / str(number)
            folder.mkdir()
            output = await _run(block, addresses, folder, process.data_dir)
            assert "gencode:error" not in output


async def _run(block: str, addresses: dict[str, str], folder: Path, data_dir: Path) -> str:
    for here, there in addresses.items():
        block = block.replace(here, there)
    block = block.replace(".venv/bin/gencode", "gencode")
    script = f"{PREAMBLE}\n{block}"
    environment = git_environment(data_dir.parent) | {"GENCODE_URL": addresses["http://127.0.0.1:8080"]}
    environment |= {"PYTHONPATH": str(ROOT), "LANG": "C.UTF-8", "DATA_DIR": str(data_dir)}
    with anyio.fail_after(100):
        done = await anyio.run_process(
            ["bash", "-c", script], cwd=folder, env=environment, stderr=subprocess.STDOUT, check=False
        )
    output = done.stdout.decode()
    assert done.returncode == 0, output
    return output


RUN_BY = {
    "bots.md": "test_bot.py",
    "cli.md": "test_cli.py",
    "embedding.md": "test_embedding.py",
    "mcp.md": "test_mcp_projects.py",
    "webhooks.md": "test_webhook_receiver.py",
}
"""Documents whose other programs are run by tests of their own."""
UNRUN = {
    "make run     # the": "test_make.py runs each of its lines",
    "make workspace": "test_make.py runs it",
    "git diff | .venv/bin/gencode review": "needs the workspace; review.md runs the command",
    "cp .env.example": "needs keys; test_env_example.py reads the file, test_make.py runs the command",
    "make kill-campaign": "takes long; test_campaign_slices.py runs a slice of it",
    "make cluster-campaign": "takes long; tests/cluster/test_campaign_slice.py runs a slice of it",
    "make hostile-campaign": "takes long; test_campaign_slices.py runs a slice of it",
    "make fuzz-campaign": "takes long; test_campaign_slices.py runs a slice of it",
    "make build-campaign": "takes long; certification/test_proven_builds.py runs a slice of it",
    "gencode build-environments prepare": "installs packages, as certification/test_proven_builds.py does",
    "make migration-campaign": "takes long; properties/test_migrations.py runs a slice of it",
    "git push http://any": "needs a clone with a change; test_forge_git.py pushes with the same address",
    ".venv/bin/gencode blueprint": "needs a service with a workspace; docs/blueprints.md runs the same",
    "make blueprint-campaign": "takes long; unit/blueprints/test_rendering.py runs a slice of it",
    "make import-campaign": "needs files of others; importing/test_campaign.py runs it on samples",
    "make quirks-campaign": "takes long; test_quirks.py runs a slice of it",
    "python -m tests.campaigns": "takes long; test_campaign_slices.py runs a slice of it",
    "docker build": "needs Docker; test_deploy.py checks the files",
    "sudo install -d -m 700 -o 10001": "needs Docker; test_backup.py does the same without a container",
    "docker compose": "needs Docker; test_backup.py does the same without a container",
    "mkdir -p deploy/secrets": "needs Docker; test_deploy.py checks the files",
    "python3 -m venv /opt/gencode": "needs systemd and root; test_deploy.py has systemd check the unit",
    "/opt/gencode/bin/gencode keys": "needs systemd and root",
    "kubectl exec": "needs a cluster",
    "kubectl scale": "needs a cluster; test_deploy.py checks the manifests",
    "gencode prune": "needs a stopped service; test_prune.py runs the command",
    "gencode tasks assign": "needs a stopped service; test_assign.py runs the command",
    "sudo systemctl stop gencode": "needs systemd and a database; test_migrate.py runs the command",
    "pg_dump": "needs a database; test_cluster_commands.py runs the commands",
    '@operation("changePlan"': "an excerpt of gencode/http/plan.py",
    "DATA_DIR=/var/lib/gencode": "never ends; test_examples.py starts such a one",
    "BODY='command=/gencode": "needs a secret in the settings; test_chat.py sends the same",
    "npm install --global jest": "installs packages; .ci/run does the same",
    "apt-get install bubblewrap": "installs a package; tests/unit/sandbox uses it",
    "SANDBOX='container:docker run": "needs Docker; sandbox/test_container.py has a client of its own",
    "curl -s http://127.0.0.1:8080/api/v1/pipelines/test-generation": (
        "needs a repository; test_test_branches.py sends the same"
    ),
}
"""Blocks that no test runs as they stand, by how they begin, and why not."""
RUNNABLE = {"sh", "bash", "python", "js", "go", "html"}


def fences(text: str) -> Iterator[tuple[str, str]]:
    """The text behind the opening mark of each block, and its content."""
    parts = re.split(r"^```(.*)\n", text, flags=re.MULTILINE)
    return zip(parts[1::4], parts[2::4], strict=True)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_block_is_run_or_has_a_reason_why_not(path: Path) -> None:
    for info, block in fences(path.read_text(encoding="utf-8")):
        language, _, mark = info.partition(" ")
        if language not in RUNNABLE or mark == "run":
            continue
        if found := RUN_BY.get(path.name):
            assert path.name in (ROOT / "tests/e2e" / found).read_text(encoding="utf-8")
        else:
            assert any(block.startswith(start) for start in UNRUN), f"{path.name}: {block[:60]!r}"


def test_every_document_can_be_reached_from_the_readme() -> None:
    found, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        found.add(page)
        links = re.findall(r"\]\(([^)#\s]+\.md)", page.read_text(encoding="utf-8"))
        waiting += {(page.parent / link).resolve() for link in links if "://" not in link} - found
    assert set(DOCUMENTS) <= found
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    assert {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"} <= set(
        re.findall(r"\((\w+\.md)\)", index)
    )


# --- links ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_resolve(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        if re.match(r"https?://", target):
            continue
        name, _, anchor = target.partition("#")
        file = (path.parent / name).resolve() if name else path
        assert file.is_file(), f"{path.name}: {target}"
        assert not anchor or anchor in _anchors(file), f"{path.name}: {target}"


def _anchors(file: Path) -> set[str]:
    """As GitHub derives them from headings."""
    headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


# --- names ------------------------------------------------------------------------------------------


TOLD = [
    *(path for path in DOCUMENTS if path.name != "CHANGELOG.md"),
    *(ROOT / name for name in ("Makefile", ".env.example", "pyproject.toml", ".ci")),
    *(ROOT / name for name in ("deploy", "gencode", "tests/fixtures")),
]
"""Documents, commands, deployment files, and all messages."""
INSTALLERS = (
    r"(?:pip[x3]?|uv|poetry|pdm|conda|npm|pnpm|yarn)(?: tool| pip)? (?:install|add|run|download|wheel|i)"
    "|uvx|npx"
)
BY_NAME = re.compile(
    rf"(?:\b(?:{INSTALLERS})\b[^\n`|;&]*?[ '\"=]gencode(?:[-_]service)?(?![-/.\w])"
    r"|\bgencode(?:[-_]service)?\[[a-z]+\]"
    r"|docker pull [^\n]*gencode|(?:ghcr\.io|docker\.io|quay\.io)/[^\s]*gencode|uses: [^\s]*gencode)[^\n]*"
)


def texts(path: Path) -> Iterator[str]:
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file() and "__pycache__" not in file.parts:
            yield file.read_bytes().decode("utf-8", "replace")


@pytest.mark.parametrize("path", TOLD, ids=lambda path: path.name)
def test_no_text_installs_gencode_by_name(path: Path) -> None:
    """On PyPI, `gencode` is another project, and nothing of this one is published anywhere."""
    found = [match[0] for text in texts(path) for match in BY_NAME.finditer(text)]
    extras = {f"gencode-service[{extra}]" for extra in ("otel", "test", "workspace")}
    own = extras if path.name == "pyproject.toml" else set()
    assert [line for line in found if "--no-index" not in line and line.strip('",') not in own] == []


@pytest.mark.parametrize(
    "line",
    [
        "pip install gencode",
        "pip3 install -U gencode==0.1.0",
        "python -m pip install --quiet gencode fastapi",
        "pip install 'gencode[otel]'",
        'pip install "gencode>=0.1"',
        "pip install gencode-service",
        "pipx install gencode",
        "pipx run gencode serve",
        "uv tool install gencode",
        "uv pip install gencode",
        "uvx gencode",
        "uvx --from gencode-service gencode",
        "poetry add gencode",
        "npm install gencode",
        "npx gencode",
        "needs gencode[otel]",
        "docker pull gencode:0.1.0",
        "image: ghcr.io/acme/gencode:1",
        "uses: gencode/setup@v1",
    ],
)
def test_a_text_that_installs_by_name_is_found(line: str) -> None:
    assert BY_NAME.search(f"Type {line} .")


@pytest.mark.parametrize(
    "line",
    [
        "pip install .",
        "pip install '.[otel]'",
        "pip install PATH_OF_THE_CHECKOUT fastapi uvicorn",
        "/opt/gencode/bin/pip install --require-hashes --requirement deploy/requirements.lock",
        "pip install dist/gencode_service-0.1.0-py3-none-any.whl",
        "pip install /src/gencode/",
        "docker build --tag gencode:0.1.0 .",
    ],
)
def test_a_text_that_installs_a_checkout_or_a_wheel_is_not(line: str) -> None:
    assert not BY_NAME.search(f"Type {line} .")


def test_the_distribution_has_a_name_of_its_own() -> None:
    project = tomllib.loads(read("pyproject.toml"))["project"]
    assert project["name"] == "gencode-service"
    assert list(project["scripts"]) == ["gencode"]


def test_documents_and_manifests_name_the_same_image() -> None:
    """A tag that only a local build makes: no registry of ours exists."""
    places = [
        "docs/deployment.md",
        "deploy/Dockerfile",
        "deploy/compose.yaml",
        "deploy/kubernetes/sidecar.yaml",
        "deploy/kubernetes/restore.yaml",
    ]
    tags = [
        tag
        for place in places
        for tag in re.findall(r"(?:--tag|image:|keys\.env) +(\S*gencode\S*)", read(place))
    ]
    assert len(tags) >= 3
    assert set(tags) == {f"gencode:{__version__}"}


# --- tables -----------------------------------------------------------------------------------------


def error_classes() -> Iterator[type[GencodeError]]:
    import_all_errors()
    waiting: list[type[GencodeError]] = [GencodeError]
    while waiting:
        found = waiting.pop()
        if found.__module__.startswith("gencode."):  # tests define others
            yield found
        waiting.extend(found.__subclasses__())


def test_every_error_code_is_explained_once() -> None:
    assert sorted(first_column(read("docs/errors.md"), "Code")) == sorted({c.code for c in error_classes()})


def test_transient_and_permanent_errors_are_distinguished() -> None:
    """In the table too: "No" stands exactly for errors that are not Transient."""
    rows = re.findall(r"^\| `(\w+)` \|.*?\| (Service|You|No) \|", read("docs/errors.md"), re.MULTILINE)
    passing = {c.code for c in error_classes() if issubclass(c, Transient)} - {GencodeError.code}
    assert {code for code, again in rows if again != "No"} == passing


def test_whether_a_retry_of_the_task_helps_is_as_the_errors_declare() -> None:
    rows = re.findall(r"^\| `(\w+)` (?:\|[^|]*){2}\| ([^|]*) \|", read("docs/errors.md"), re.MULTILINE)
    declared: dict[str, set[str]] = {code: set() for code, _ in rows}
    for error in (error for factory in (GENERATE, *KINDS) for error in factory.kind.errors):
        declared[error.code] |= {error.retry_helps.value, *error.retry_fields}
    assert {code: set(re.findall(r"`(\w+)`", cell)) for code, cell in rows} == declared


def test_every_route_is_documented(tmp_path: Path) -> None:
    documented = first_column(read("docs/api.md"), "Route")
    assert sorted(documented) == sorted(_routes(create_app(settings(tmp_path)).routes))


def _routes(routes: list[BaseRoute], prefix: str = "") -> Iterator[str]:
    for route in routes:
        if isinstance(route, Mount):
            yield from _routes(route.routes, prefix + route.path)
        elif isinstance(route, Route):
            yield from (
                f"{method} {prefix}{route.path_format}" for method in (route.methods or set()) - {"HEAD"}
            )


def test_every_route_of_the_workspace_is_documented(tmp_path: Path) -> None:
    with_workspace = create_app(settings(tmp_path, workspace=True))
    more = set(_routes(with_workspace.routes)) - set(_routes(create_app(settings(tmp_path)).routes))
    documented = [
        route for name in WORKSPACE_PAGES for route in first_column(read(f"docs/{name}.md"), "Route")
    ]
    assert sorted(documented) == sorted(more)


def test_every_field_of_a_request_is_documented() -> None:
    assert first_column(read("docs/api.md"), "Field") == list(GenerateRequest.model_fields)


async def test_every_event_of_a_task_is_documented(tmp_path: Path) -> None:
    """With all its fields, for those of a task without faults."""
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \|", read("docs/api.md").split("| Event |")[1], re.MULTILINE)
    documented: dict[str, set[str]] = {}
    for kind, fields in rows:
        documented.setdefault(kind, set()).update(re.findall(r"`(\w+)`", fields))
    async with running_app(settings(tmp_path)) as app:
        task_id = await _submitted(app.url)
        heard = await events(app.url, task_id, include="delta")
    assert {event.kind for event in heard} <= set(documented)
    for event in heard:
        assert set(event.data) <= documented[event.kind], event


async def _submitted(url: str) -> str:
    async with Client(url) as client:
        return str((await client.submit("a static page", "page"))["task_id"])


def test_every_metric_is_documented() -> None:
    documented = set(first_column(read("docs/operations.md"), "Metric"))
    counted = {
        family.name: family.type for family in text_string_to_metric_families(Metrics().render().decode())
    }
    named = {f"{name}_total" if kind == "counter" else name for name, kind in counted.items()}
    of_tasks = {"gencode_tasks_held", "gencode_tasks_running", "gencode_tasks_waiting"}
    of_disk = {"gencode_data_dir_bytes", "gencode_disk_free_bytes"}
    gauges = {*of_tasks, *of_disk, "gencode_streams_open", "gencode_queue_age_seconds"}
    assert {name for name in named if not name.endswith("_created")} | gauges == documented


def test_every_row_of_the_fault_table_has_a_number_of_its_own() -> None:
    numbers = re.findall(r"^\| *(\d+) *\|", read("docs/faults.md"), re.MULTILINE)
    assert len(numbers) == len(set(numbers)) == len(fault_rows())


def test_every_fault_marker_names_a_row_of_the_fault_table() -> None:
    files = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py")]
    marked = {int(row) for text in files for row in re.findall(r"mark\.fault\((\d+)\)", text)}
    assert marked <= set(fault_rows())
