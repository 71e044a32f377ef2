"""The prompts. The source is data of a stranger: it stands between marks, after all instructions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from gencode.llm.port import Message
from gencode.pipelines.test_generation.artifacts import Given, TargetGroup
from gencode.pipelines.test_generation.frameworks import is_test_file, language_of

PURPOSE = "test_generation"
SOURCE_CHARACTERS, EXAMPLE_CHARACTERS, NEIGHBOUR_CHARACTERS = 40_000, 6_000, 12_000
SYSTEM = f"""\
Task: {PURPOSE}
You are a senior software engineer writing one file of unit tests for functions that exist.
Answer with the content of that test file and nothing else: no explanation, no code fence around it.
Rules:
- Test only what the code, its documentation and the requirements say; cover limits and errors.
- Each test has assertions that would fail if the function were wrong. No test without an assertion, none that
  is skipped or expected to fail, none that repeats the implementation or reads its source text.
- Tests are independent of each other and of their order, change no global state, need no network, no time
  and no randomness, and leave no files behind.
- Use the named framework and the standard library only; import the tested functions from the named module.
- A test of a requirement has the requirement's id in its name (with _ for other characters) or docstring.
"""


def messages(group: TargetGroup, given: Given) -> tuple[Message, ...]:
    parts = [
        f"Request: {json.dumps(_request(group, given), ensure_ascii=False)}",
        *_requirements(given.requirements),
        *_example(group, given),
        *_neighbours(group, given),
        _shown("source", group.source, _excerpt(group, given.files[group.source])),
        f"Write this file now: {group.test_path}",
    ]
    return (Message(role="system", content=SYSTEM), Message(role="user", content="\n\n".join(parts)))


def repair_messages(
    group: TargetGroup, given: Given, text: str, faults: Sequence[str]
) -> tuple[Message, ...]:
    listed = "\n".join(f"- {fault}" for fault in faults[:50])
    request = f"The file has these faults:\n{listed}\nWrite the whole file again without them."
    return (
        *messages(group, given),
        Message(role="assistant", content=text),
        Message(role="user", content=request),
    )


def _request(group: TargetGroup, given: Given) -> Mapping[str, object]:
    return {
        "test_file": group.test_path,
        "framework": group.framework,
        "module": group.module,
        "functions": [function.name for function in group.functions],
        "requirements": list(given.requirements),
    }


def _requirements(requirements: Mapping[str, str]) -> list[str]:
    listed = "\n".join(f"{name}: {text}" for name, text in requirements.items())
    return [f"<requirements>\n{listed}\n</requirements>"] if listed else []


def _example(group: TargetGroup, given: Given) -> list[str]:
    """An existing test file, for its style."""
    found = [
        path
        for path in given.files
        if is_test_file(path) and language_of(path) == group.language and path != group.test_path
    ]
    return [_shown("example", path, given.files[path][:EXAMPLE_CHARACTERS]) for path in sorted(found)[:1]]


def _neighbours(group: TargetGroup, given: Given) -> list[str]:
    """Other files of the language, as far as there is room: the source may import them."""
    shown, room = [], NEIGHBOUR_CHARACTERS
    for path, text in given.files.items():
        if path != group.source and not is_test_file(path) and language_of(path) == group.language:
            room -= len(text)
            if room < 0:
                break
            shown.append(_shown("neighbour", path, text))
    return shown


def _excerpt(group: TargetGroup, text: str) -> str:
    """The whole file, or its beginning and the functions."""
    if len(text) <= SOURCE_CHARACTERS:
        return text
    lines, room = text.splitlines(keepends=True), SOURCE_CHARACTERS
    kept: list[str] = []
    for first, last in ((1, 60), *((one.first, one.last) for one in group.functions)):
        part = "".join(lines[first - 1 : last])[:room]
        room -= len(part)
        kept.append(part)
    return "...\n".join(kept)


def _shown(tag: str, path: str, text: str) -> str:
    return f'<{tag} path="{path}">\n{text}\n</{tag}>'
