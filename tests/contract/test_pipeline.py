"""Whole runs of the generate pipeline: what was said is what is pushed, and what was paid for is kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from starlette.requests import Request
from starlette.responses import Response

from gencode.domain.task import Status, Task
from gencode.llm.openai.quirks import Quirks
from gencode.storage.memory import MemoryStore
from tests.servers.model import Body, Reply, call_of, plan_and_files, text
from tests.servers.runs import INSTRUCTED, NATIVE, house

FILES = {
    "README.md": "# Hello\n\n```bash\nmake\n```\n",
    "src/app.py": 'def main() -> None:\n    print("你好 🎉")\n\n\nmain()',
    "src/__init__.py": "",
    "web/index.html": "<!doctype html>\r\n<title>x</title>\r\n",
    "data/odd.txt": "\n\n  leading and trailing blanks  \n\n\n",
}


def as_bytes(files: dict[str, str]) -> dict[str, bytes]:
    return {path: content.encode() for path, content in files.items()}


async def test_the_happy_path_is_exact_to_the_byte(tmp_path: Path) -> None:
    async with house(tmp_path, plan_and_files(FILES)) as services:
        task = await services.run()
        assert (task.status, task.failure) == (Status.COMPLETED, None)
        assert await services.pushed() == as_bytes(FILES)
        assert task.result["repo_url"] == f"{services.github.url}/octo/hello"
        assert task.result["commit"] == await services.github.head("hello")
        assert (services.calls("plan"), services.calls(), services.waits) == (1, len(FILES), [])
        assert services.github.effects == {"create": 1, "push": 1}


async def test_what_is_told_on_the_way(tmp_path: Path) -> None:
    async with house(tmp_path, plan_and_files(FILES)) as services:
        task = await services.run()
        (plan,) = await services.events(task, "plan")
        assert [file["path"] for file in plan.data["files"]] == list(FILES)
        written = await services.events(task, "file")
        sizes = {event.data["path"]: event.data["bytes"] for event in written}
        assert sizes == {path: len(content) for path, content in as_bytes(FILES).items()}
        assert sorted(event.data["done"] for event in written) == [1, 2, 3, 4, 5]
        usage = await services.events(task, "usage")
        assert len(usage) == 1 + len(FILES)
        assert usage[-1].data["total"]["completion"] == 50 * len(usage)


async def test_deltas_are_for_those_who_listen_and_are_never_stored(tmp_path: Path) -> None:
    gate = anyio.Event()
    async with house(tmp_path, plan_and_files(FILES, gates={"": gate})) as services:
        task = await services.submit()
        await services.model.arrival("plan")
        heard: list[bytes] = []

        async def listen(deltas: bool) -> None:
            chunks = [chunk async for chunk in services.hub.subscribe(task.id, deltas=deltas)]
            heard.append(b"".join(chunks))

        async with anyio.create_task_group() as tg:
            for deltas in (True, False):
                tg.start_soon(listen, deltas)
            await anyio.wait_all_tasks_blocked()
            gate.set()
        with_deltas, without = sorted(heard, key=len, reverse=True)
        assert b"event: delta" in with_deltas
        assert b"event: delta" not in without
        ids = [line for line in with_deltas.split(b"\n") if line.startswith(b"id:")]
        assert ids == [line for line in without.split(b"\n") if line.startswith(b"id:")]
        stored = await services.store.events(task.id)
        assert len(ids) == len(stored)
        assert all(event.kind != "delta" for event in stored)


async def test_after_a_failure_what_is_under_way_is_kept_and_a_new_run_asks_for_the_rest_only(
    tmp_path: Path,
) -> None:
    """Nothing that was paid for is lost: here with a manager that is stopped in the middle of the files."""
    store, gate = MemoryStore(), anyio.Event()
    gates = {"src/app.py": gate, "web/index.html": gate}
    async with house(tmp_path, plan_and_files(FILES, gates=gates), store=store) as first:
        task = await first.submit()
        for path in gates:
            await first.model.arrival("file", path)
        while len(await first.events(task, "file")) < len(FILES) - len(gates):
            await anyio.sleep(0.005)
    async with house(tmp_path / "again", plan_and_files(FILES), store=store) as second:
        await second.heard(task)
        assert (await second.task(task)).status is Status.COMPLETED
        assert second.model.started == {("file", path): 1 for path in gates}
        assert await second.pushed() == as_bytes(FILES)


async def test_after_a_failed_file_those_under_way_are_finished_and_kept(tmp_path: Path) -> None:
    refused, writing = anyio.Event(), anyio.Event()

    def refuse() -> Iterator[bytes]:
        yield b"no"
        refused.set()

    def script(body: Body) -> Reply | None:
        refuses = call_of(body) == ("file", "README.md")
        return Reply(status=401, headers={"content-type": "text/plain"}, parts=refuse()) if refuses else None

    files = plan_and_files(FILES, gates={"src/app.py": writing}, replace=script)
    async with house(tmp_path, files) as services:
        task = await services.submit()
        await services.model.arrival("file", "src/app.py")
        await refused.wait()
        writing.set()
        await services.heard(task)
        ended = await services.task(task)
        assert ended.failure is not None
        assert ended.failure.code == "LLM_AUTH"
        assert "piece:1:src/app.py" in await services.store.checkpoints(task.id)
        assert not services.github.requests


@pytest.mark.parametrize("quirks", [NATIVE, INSTRUCTED])
@pytest.mark.parametrize("stopped_at", [1, 3])
async def test_a_cut_file_goes_on_where_an_earlier_process_stopped(
    tmp_path: Path, quirks: Quirks, stopped_at: int
) -> None:
    """The pieces are kept with their place, so that the joined file is the same."""
    content = "".join(f"line_{n} = {n * 7}\n" for n in range(120))
    store, calls = MemoryStore(), 0
    stuck = anyio.Event()

    def hold(body: Body) -> Reply | None:
        nonlocal calls
        calls += call_of(body)[0] == "file"
        return text("", gate=anyio.Event()) if calls > stopped_at and not stuck.is_set() else None

    script = plan_and_files({"a.py": content}, cut_at=500, replace=hold)
    async with house(tmp_path, script, store=store, quirks=quirks) as first:
        task = await first.submit()
        while calls <= stopped_at:
            await anyio.sleep(0.005)
    stuck.set()
    async with house(tmp_path / "again", script, store=store, quirks=quirks) as second:
        await second.heard(task)
        assert await second.pushed() == {"a.py": content.encode()}
        assert second.calls("plan") == 0


async def test_two_tasks_at_once_do_not_mix(tmp_path: Path) -> None:
    async with house(tmp_path, plan_and_files(FILES)) as services:
        tasks: list[Task] = []

        async def run(name: str) -> None:
            tasks.append(await services.run(repo_name=name))

        async with anyio.create_task_group() as tg:
            for name in ("one", "two"):
                tg.start_soon(run, name)
        assert [task.status for task in tasks] == [Status.COMPLETED] * 2
        assert await services.pushed("one") == await services.pushed("two") == as_bytes(FILES)


async def test_a_cancelled_task_hangs_up_on_the_model_and_creates_nothing(tmp_path: Path) -> None:
    async with house(tmp_path, plan_and_files(FILES, gates={"README.md": anyio.Event()})) as services:
        task = await services.submit()
        await services.model.arrival("file", "README.md")
        assert (await services.task_service.cancel(task)).status is Status.CANCELLED
        await services.model.drop("file", "README.md")
        assert not services.github.requests


async def test_a_cancelled_task_says_which_repository_it_leaves_behind(tmp_path: Path) -> None:
    async with house(tmp_path, plan_and_files(FILES)) as services:
        pushing, let_go = anyio.Event(), anyio.Event()

        async def hold(request: Request, body: bytes) -> Response:
            pushing.set()
            await let_go.wait()
            return Response("gone", 503)

        services.github.git.answer = hold  # type: ignore[method-assign]
        task = await services.submit()
        await pushing.wait()
        async with anyio.create_task_group() as tg:
            tg.start_soon(services.task_service.cancel, task)
            await anyio.wait_all_tasks_blocked()
            let_go.set()
        ended = await services.task(task)
        assert ended.status is Status.CANCELLED
        assert f"{services.github.url}/octo/hello" in ended.message
