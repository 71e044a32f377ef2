"""Rows 17-26 of the fault table as whole tasks: the pushed files after each behaviour of a model."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from gencode.llm.openai.quirks import Quirks
from tests.servers.generate_harness import INSTRUCTED, NATIVE, generate_harness
from tests.servers.model import (
    Body,
    Reply,
    call_of,
    chunk,
    http_error,
    json_answer,
    plan_and_files,
    prefix_of,
    stream,
    text,
)

SOURCE = "".join(
    f'def number_{n}(value: int) -> int:\n    """Adds {n}."""\n    return value + {n}\n\n\n'
    for n in range(60)
)
PAGE = "<ul>\n" + "".join(f'  <li id="i{n}">entry {n} 项目</li>\n' for n in range(80)) + "</ul>\n"
LINE = json.dumps({f"key{n}": n for n in range(300)})
FILES = {"app.py": SOURCE, "index.html": PAGE, "data.json": LINE}


def as_bytes(files: dict[str, str]) -> dict[str, bytes]:
    return {path: content.encode() for path, content in files.items()}


@pytest.mark.fault(17)
@pytest.mark.parametrize("quirks", [NATIVE, INSTRUCTED], ids=["native prefix", "instructed"])
async def test_truncated_answers_are_continued_and_joined_exactly(tmp_path: Path, quirks: Quirks) -> None:
    """Row 17."""
    async with generate_harness(tmp_path, plan_and_files(FILES, cut_at=700), quirks=quirks) as harness:
        task = await harness.run()
        assert task.status == "completed"
        assert await harness.pushed() == as_bytes(FILES)
        assert harness.calls() > 3 * len(FILES)
        calls = {event.data["path"]: event.data["calls"] for event in await harness.events(task, "file")}
        assert calls == {path: harness.model.started["file", path] for path in FILES}


@pytest.mark.fault(18)
@pytest.mark.parametrize("quirks", [NATIVE, INSTRUCTED], ids=["native prefix", "instructed"])
async def test_a_file_that_never_ends_fails_the_task(tmp_path: Path, quirks: Quirks) -> None:
    """Row 18."""
    answers = 0

    def script(body: Body) -> Reply | None:
        nonlocal answers
        if call_of(body)[0] != "file":
            return None
        answers += 1
        return text("".join(f"more_{answers}_{n} = {n}\n" for n in range(20)), "length")

    files = plan_and_files({"a.py": ""}, replace=script)
    async with generate_harness(tmp_path, files, quirks=quirks) as harness:
        assert await harness.code() == "LLM_TRUNCATED"
        assert (harness.calls(), harness.waits) == (12, [])
        assert not harness.github.writes


def repeating(lines: int) -> Callable[[str, str], str]:
    def answer(whole: str, prefix: str) -> str:
        repeated = prefix.splitlines(keepends=True)[-lines:]
        return "".join(repeated) + whole[len(prefix) :]

    return answer


REPETITIONS: dict[str, Callable[[str, str], str]] = {
    "the last line": repeating(1),
    "the last ten lines": repeating(10),
    "everything": lambda whole, prefix: whole,
    "a sentence and lines": lambda whole, prefix: "Here is the rest:\n\n" + repeating(3)(whole, prefix),
    "a fence": lambda whole, prefix: "```\n" + whole[len(prefix) :] + "```\n",
    "a fence and lines": lambda whole, prefix: "```python\n" + repeating(5)(whole, prefix) + "```\n",
}


@pytest.mark.fault(19)
async def test_text_that_a_continuation_repeats_is_removed(tmp_path: Path) -> None:
    """Row 19."""
    files = {"app.py": SOURCE, "index.html": PAGE}

    def script_of(repeat: Callable[[str, str], str]) -> Callable[[Body], Reply | None]:
        def script(body: Body) -> Reply | None:
            kind, path = call_of(body)
            prefix = prefix_of(body)
            if kind != "file" or not prefix:
                return None
            assert files[path].startswith(prefix)
            return text(repeat(files[path], prefix))

        return script

    async with generate_harness(tmp_path, plan_and_files(files), quirks=INSTRUCTED) as harness:
        for n, (name, repeat) in enumerate(REPETITIONS.items()):
            harness.model.script = plan_and_files(files, cut_at=1000, replace=script_of(repeat))
            task = await harness.run(repo_name=f"r{n}")
            assert task.status == "completed", name
            assert await harness.pushed(f"r{n}") == as_bytes(files), name


@pytest.mark.fault(19)
async def test_a_recognisable_restart_is_not_delivered(tmp_path: Path) -> None:
    """Row 19: the model starts again with a different file, whose place cannot be determined."""

    def script(body: Body) -> Reply | None:
        prefix = prefix_of(body)
        restart = prefix[:200].replace("+", "-") + "# another\n" + SOURCE[:2000].replace("+", "-")
        return text(restart) if prefix else None

    files = plan_and_files({"app.py": SOURCE}, cut_at=1000, replace=script)
    async with generate_harness(tmp_path, files, quirks=INSTRUCTED) as harness:
        assert await harness.code() == "LLM_BAD_OUTPUT"
        assert (harness.calls(), len(harness.waits)) == (1 + 3, 2)
        assert not harness.github.writes


@pytest.mark.fault(22)
@pytest.mark.parametrize("blank", ["", "   \n \t ", " " * 5000])
@pytest.mark.parametrize("kind", ["plan", "file"])
async def test_a_blank_answer_is_requested_twice_more(tmp_path: Path, kind: str, blank: str) -> None:
    """Row 22."""
    files = plan_and_files(
        {"a.py": "x = 1\n"}, replace=lambda body: text(blank) if call_of(body)[0] == kind else None
    )
    async with generate_harness(tmp_path, files) as harness:
        task = await harness.run()
        assert task.failure is not None
        assert (task.failure.code, task.failure.retryable) == ("LLM_BAD_OUTPUT", True)
        assert (harness.calls(kind), len(harness.waits)) == (3, 2)
        assert [event.data["code"] for event in await harness.events(task, "retry")] == ["LLM_BAD_OUTPUT"] * 2
        assert not harness.github.writes


async def test_some_files_may_be_blank(tmp_path: Path) -> None:
    files = {"pkg/__init__.py": "", "pkg/py.typed": "\n", "a.py": "x = 1\n"}
    async with generate_harness(tmp_path, plan_and_files(files)) as harness:
        await harness.run()
        assert await harness.pushed() == as_bytes(files)


PLAN = json.dumps({"summary": "s", "files": [{"path": "a.py", "purpose": "p"}]})


@pytest.mark.fault(23)
async def test_a_plan_among_prose_and_fences_is_parsed(tmp_path: Path) -> None:
    """Row 23."""
    answers = [
        f"Of course!\n\n```json\n{PLAN}\n```\nShall I begin?",
        f"```\n{PLAN}\n```",
        f"{PLAN}\n\n{PLAN}",
    ]
    async with generate_harness(tmp_path, text("")) as harness:
        for n, answer in enumerate(answers):
            harness.model.script = plan_and_files({"a.py": "x = 1\n"}, replace=answering_plans(answer))
            assert (await harness.run(repo_name=f"r{n}")).status == "completed"
            assert await harness.pushed(f"r{n}") == {"a.py": b"x = 1\n"}


@pytest.mark.fault(23)
async def test_an_answer_without_a_plan_is_requested_twice_more(tmp_path: Path) -> None:
    """Row 23."""
    answers = [
        "I would write a small Flask application with a few files.",
        '{"summary": "s", "files": NaN}',
        json.dumps([f"f{n}.py" for n in range(3000)]),
        PLAN[:-3],
        '{"files": "a.py"}',
    ]
    async with generate_harness(tmp_path, text("")) as harness:
        for n, answer in enumerate(answers):
            harness.waits.clear()
            harness.model.script = plan_and_files({"a.py": "x = 1\n"}, replace=answering_plans(answer))
            assert await harness.code(repo_name=f"r{n}") == "LLM_BAD_OUTPUT", answer
            assert len(harness.waits) == 2
        assert harness.calls("plan") == 3 * len(answers)
        assert not harness.github.writes


@pytest.mark.fault(23)
async def test_a_plan_in_the_third_answer_is_used(tmp_path: Path) -> None:
    """Row 23."""
    answers = ["no plan", "{}", PLAN]
    script = plan_and_files(
        {"a.py": "x = 1\n"}, replace=lambda body: text(answers.pop(0)) if call_of(body)[0] == "plan" else None
    )
    async with generate_harness(tmp_path, script) as harness:
        assert (await harness.run()).status == "completed"


def answering_plans(answer: str) -> Callable[[Body], Reply | None]:
    return lambda body: text(answer, size=2000) if call_of(body)[0] == "plan" else None


README = "# Title\n\n```bash\nmake\n```\n\nText.\n\n~~~\nplain\n~~~\n"
BOTH_ENDS = "```bash\npip install x\n```\n\n# Title\n\nUse it:\n\n```python\nimport x\n```\n"
DOCTEST = 'def f() -> None:\n    """Use it so:\n\n    ```python\n    f()\n    ```\n    """\n'


@pytest.mark.fault(24)
async def test_fences_inside_a_file_stay_and_one_around_it_is_removed(tmp_path: Path) -> None:
    """Row 24."""
    files = {
        "README.md": README,
        "docs/both.md": BOTH_ENDS,
        "a.py": DOCTEST,
        "docs/wrapped.md": README,
        "wrapped.py": DOCTEST,
        "announced.py": DOCTEST,
        "script.sh": "cat <<EOF\n```\n$x\n```\nEOF\n",
    }
    answers = files | {
        "docs/wrapped.md": f"```markdown\n{README}```",
        "wrapped.py": f"```python\n{DOCTEST}```\n",
        "announced.py": f"Here is announced.py:\n\n```python\n{DOCTEST}```\n\nIt does what you asked.\n",
    }
    async with generate_harness(tmp_path, plan_and_files(answers)) as harness:
        assert (await harness.run()).status == "completed"
        assert await harness.pushed() == as_bytes(files)


@pytest.mark.fault(24)
@pytest.mark.parametrize("quirks", [NATIVE, INSTRUCTED], ids=["native prefix", "instructed"])
async def test_a_fence_around_a_truncated_file_is_removed(tmp_path: Path, quirks: Quirks) -> None:
    """Row 24, with row 17."""
    readme = "# Title\n\n" + "".join(f"## Part {n}\n\n```bash\nmake part{n}\n```\n\n" for n in range(40))
    answers = {"README.md": f"```markdown\n{readme}```\n", "app.py": f"```python\n{SOURCE}```"}
    async with generate_harness(tmp_path, plan_and_files(answers, cut_at=600), quirks=quirks) as harness:
        assert (await harness.run()).status == "completed"
        assert await harness.pushed() == {"README.md": readme.encode(), "app.py": SOURCE.encode()}


@pytest.mark.fault(25)
async def test_reasoning_without_an_answer_fails_after_three_attempts(tmp_path: Path) -> None:
    """Row 25."""
    reasoning = stream(*[chunk({"reasoning_content": "hm"}) for _ in range(5)], chunk({}, "stop"))
    files = plan_and_files(
        {"a.py": "x"}, replace=lambda body: reasoning if call_of(body)[0] == "file" else None
    )
    async with generate_harness(tmp_path, files) as harness:
        assert await harness.code() == "LLM_BAD_OUTPUT"
        assert (harness.calls(), len(harness.waits)) == (3, 2)


@pytest.mark.fault(26)
async def test_an_answer_over_the_size_limit_fails_the_task_at_once(tmp_path: Path) -> None:
    """Row 26."""
    flood = plan_and_files({"a.py": "x" * 300_000})
    async with generate_harness(tmp_path, flood, max_bytes=100_000) as harness:
        assert await harness.code() == "LLM_TOO_LARGE"
        assert (harness.calls(), harness.waits) == (1, [])
        assert not harness.github.writes


@pytest.mark.fault(7)
async def test_a_model_that_recovers_in_time_completes_the_task(tmp_path: Path) -> None:
    """Row 7, for a whole task: the retries are published and the task continues."""
    errors = [http_error(503), http_error(500)]
    script = plan_and_files({"a.py": "x = 1\n"}, replace=lambda body: errors.pop() if errors else None)
    async with generate_harness(tmp_path, script) as harness:
        task = await harness.run()
        assert task.status == "completed"
        retries = [event.data for event in await harness.events(task, "retry")]
        assert [data["code"] for data in retries] == ["LLM_UNAVAILABLE"] * 2
        assert [data["wait_seconds"] for data in retries] == [round(wait, 1) for wait in harness.waits]


async def test_an_emoji_split_over_two_events_is_one_character_in_the_file(tmp_path: Path) -> None:
    """Surrogate halves as JSON escapes in two events."""
    assert await pushed_of(tmp_path, ["x = '\ud83d", "\ude00'\n"]) == {"a.py": "x = '😀'\n".encode()}


async def test_a_file_with_half_a_character_is_not_delivered(tmp_path: Path) -> None:
    assert await pushed_of(tmp_path, ["x = '\ud83d", " 1'\n"]) == "LLM_BAD_OUTPUT"


async def pushed_of(tmp_path: Path, parts: Sequence[str]) -> Mapping[str, bytes] | str:
    """What is delivered when the model's one file comes in these parts, else the error code of the task."""
    events = [json.dumps(chunk({"content": part})) for part in parts] + [json.dumps(chunk({}, "stop"))]
    halves = stream(*[f"data: {event}\n\n".encode() for event in events])
    files = plan_and_files({"a.py": ""}, replace=lambda body: halves if call_of(body)[0] == "file" else None)
    async with generate_harness(tmp_path, files) as harness:
        task = await harness.run()
        return task.failure.code if task.failure else await harness.pushed()


async def test_an_answer_as_one_json_body_is_accepted(tmp_path: Path) -> None:
    files = plan_and_files(
        {"a.py": ""}, replace=lambda body: json_answer("x = 1\n") if call_of(body)[0] == "file" else None
    )
    async with generate_harness(tmp_path, files) as harness:
        await harness.run()
        assert await harness.pushed() == {"a.py": b"x = 1\n"}
