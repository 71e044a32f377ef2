"""Traces as a collector receives them: the tree of a task, across a restart, without any secret."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import anyio
import pytest
from pydantic import SecretStr

from gencode.domain.errors import StartError
from gencode.observability import tracing_setup
from gencode.outbound.transport import Outbound
from tests.servers.calls import BODY, FILES, client, get, post, submit
from tests.servers.collector import Collected, collector
from tests.servers.github import github_server
from tests.servers.model import http_error, model_server, plan_and_files
from tests.servers.ports import closed_port
from tests.servers.service import environment, running_app, service, settings
from tests.servers.stream import events, subscribed

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"
STAGES = ("generating", "merging_files", "creating_repo", "pushing")


def traced(collected: Collected, **more: object) -> dict[str, object]:
    return {"otel_exporter_otlp_endpoint": collected.endpoint, **more}


async def test_a_job_is_one_tree_below_its_caller_s_span(tmp_path: Path) -> None:
    async with (
        collector() as collected,
        model_server(plan_and_files(FILES)) as model,
        github_server(tmp_path / "github") as github,
    ):
        chosen = settings(tmp_path, model, github, **traced(collected, otel_service_name="ours"))
        async with running_app(chosen) as app:
            answer = await post(app.url, "/generate", BODY, traceparent=PARENT)
            task_id = answer.json()["task_id"]
            await events(app.url, task_id)
            await get(app.url, f"/api/v1/task/{task_id}")
            await get(app.url, "/livez")
        (request,) = collected.named("POST")
        (task,) = collected.named("task ")
        assert (request.name, request.trace, request.parent) == (
            "POST /api/v1/generate",
            TRACE,
            PARENT[36:52],
        )
        assert request.attributes["http.response.status_code"] == 202
        assert (task.trace, task.parent) == (TRACE, request.id)
        assert task.attributes["gencode.task.id"] == task_id
        assert task.attributes["gencode.task.status"] == "completed"
        above = [request.name, "task generate"]
        assert {span.name for span in collected.named("stage ")} == {f"stage {stage}" for stage in STAGES}
        for span in collected.named("stage "):
            assert collected.path(span) == [*above, span.name]
        chats = collected.named("chat ")
        assert len(chats) == 1 + len(FILES)
        for chat in chats:
            assert collected.path(chat) == [*above, "stage generating", "chat scripted/m"]
            assert chat.attributes["gen_ai.usage.input_tokens"] == 100
            assert chat.attributes["gen_ai.response.finish_reasons"] == ["stop"]
        (create,), (push,) = collected.named("host create"), collected.named("host push")
        assert collected.path(create) == [*above, "stage creating_repo", "host create"]
        assert (create.attributes["gencode.host"], push.attributes["gencode.host"]) == ("github", "github")
        assert collected.path(push) == [*above, "stage pushing", "host push"]
        assert {span.name for span in collected.named("GET")} == {
            "GET /api/v1/status/{task_id}",
            "GET /api/v1/task/{task_id}",
        }
        assert collected.resource["service.name"] == "ours"


async def test_a_trace_contains_no_text_of_prompts_files_keys_or_answers(tmp_path: Path) -> None:
    """Nor of a task that fails because of the model's answer."""
    secret = "canary-4711"
    refusal = http_error(400, {"message": f"you said {secret}"})
    async with collector() as collected, model_server(lambda body: refusal) as model:
        keys = SecretStr(f"alice={secret}-key")
        headers = SecretStr(f"authorization=Bearer%20{secret}-collector")
        chosen = settings(
            tmp_path, model, **traced(collected, api_keys=keys, otel_exporter_otlp_headers=headers)
        )
        async with running_app(chosen) as app:
            body = BODY | {"prompt": f"write {secret}"}
            answer = await post(app.url, "/generate", body, **{"X-API-Key": f"{secret}-key"})
            task_id = answer.json()["task_id"]
            ticket = await post(app.url, f"/task/{task_id}/ticket", **{"X-API-Key": f"{secret}-key"})
            await events(app.url, task_id, ticket=ticket.json()["ticket"])
            async with client(app.url) as http:
                await http.get(f"/api/v1/{secret}?{secret}")
                await http.request(secret.upper(), "/")
        (task,) = collected.named("task ")
        assert task.failed
        assert task.attributes["error.type"] == "LLM_BAD_REQUEST"
        assert collected.named("chat ")[0].failed
        assert all(header["authorization"] == f"Bearer {secret}-collector" for header in collected.headers)
        said = b"".join(collected.bodies)
        assert secret.encode() not in said.lower()
        assert ticket.json()["ticket"].encode() not in said


async def test_a_trace_is_continued_by_the_next_process(tmp_path: Path) -> None:
    gate = anyio.Event()
    async with (
        collector() as collected,
        model_server(plan_and_files(FILES, gates={"app.py": gate})) as model,
    ):
        variables = environment(model, OTEL_EXPORTER_OTLP_ENDPOINT=collected.endpoint)
        async with service(tmp_path, variables) as process:
            answer = await post(process.url, "/generate", BODY, traceparent=PARENT)
            task_id = answer.json()["task_id"]
            async with subscribed(process.url, task_id) as reader:
                await reader.until("plan")
                await process.kill()
            await process.start()
            gate.set()
            await events(process.url, task_id)
            assert await process.terminate() == 0
        (task,) = collected.named("task ")  # the killed process could not send its own
        assert (task.trace, task.attributes["gencode.task.status"]) == (TRACE, "completed")


async def test_the_trace_header_is_sent_only_to_configured_hosts(tmp_path: Path) -> None:
    async with (
        collector() as collected,
        model_server(plan_and_files(FILES)) as model,
        github_server(tmp_path / "github") as github,
    ):
        for name, hosts in (("told", "127.0.0.1"), ("untold", "example.com")):
            chosen = settings(tmp_path / name, model, github, **traced(collected, trace_hosts=hosts))
            async with running_app(chosen) as app:
                await events(app.url, await submit(app.url, name))
        told = ["traceparent" in seen.headers for seen in model.requests]
        assert told == [True] * 3 + [False] * 3
        traces = {span.trace for span in collected.named("task ")}
        assert {seen.headers["traceparent"][3:35] for seen in model.requests[:3]} < traces
        assert {"traceparent" in seen.headers for seen in github.requests} == {True, False}


@pytest.mark.campaign
async def test_an_unreachable_collector_disturbs_nothing(tmp_path: Path) -> None:
    away = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{closed_port()}"}
    async with service(tmp_path, away) as process:
        heard = await events(process.url, await submit(process.url))
        assert heard[-1].data["status"] == "completed"
        assert await process.terminate() == 0


@pytest.mark.campaign
async def test_without_a_collector_opentelemetry_is_not_imported(tmp_path: Path) -> None:
    code = (
        "import sys, anyio\n"
        "from pathlib import Path\n"
        "from gencode.bootstrap.app import create_app\n"
        "from gencode.settings import Settings\n"
        "async def main():\n"
        f"    app = create_app(Settings.model_construct(data_dir=Path({str(tmp_path)!r}), server_port=0))\n"
        "    async with app.router.lifespan_context(app): pass\n"
        "anyio.run(main)\n"
        "assert not [name for name in sys.modules if name.startswith('opentelemetry')]\n"
    )
    done = await anyio.run_process([sys.executable, "-c", code], stderr=subprocess.STDOUT, check=False)
    assert done.returncode == 0, done.stdout.decode()


async def test_a_missing_package_is_reported_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name="opentelemetry")

    monkeypatch.setattr(tracing_setup.importlib, "import_module", missing)
    with pytest.raises(StartError, match=r"pip install '\.\[otel\]'"):
        async with tracing_setup.configured_tracer("http://127.0.0.1:4318", {}, "gencode", "1", Outbound()):
            pass
