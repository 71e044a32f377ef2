"""The prompts. Their constant parts come first, so that the prompt caches of providers can be used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gencode.codegen.code_fences import split_lines
from gencode.codegen.plan import Plan, PlannedFile
from gencode.llm.port import Message

PLAN_INSTRUCTIONS = """\
You are a senior software engineer planning a small, complete, working project.
Answer with one JSON object and nothing else, of this form:
{"summary": "what the project is, one sentence",
 "files": [{"path": "src/app.py", "purpose": "what the file is for",
            "exports": ["names other files may use"], "needs": ["paths of files that it uses"],
            "lines": 80}]}
Put each file after those that it needs; "lines" is how long you expect it to become.
List every file that the project needs to run, its tests, a README.md and the dependency manifest of its
language. Paths are relative, with forward slashes, and name files, not directories. Plan no binary files
(pictures, fonts, archives, databases), no lock files and no secrets.
"""
NO_WORKFLOWS = (
    "Plan no files that a Git host would run (.github/workflows, .gitlab-ci.yml and the like): they are"
    " switched off here."
)

FILE_INSTRUCTIONS = """\
You are a senior software engineer writing one file of a planned project.
Answer with the content of that file and nothing else: no explanation before or after it, no code fence
around it. Write it whole: no placeholders, nothing left out. Use only what the plan's other files export,
the language's standard library, and dependencies that the manifest declares.
"""

OUTLINE_INSTRUCTIONS = """\
You are a senior software engineer dividing one large file of a planned project into parts that are written
one after the other. Answer with one JSON object and nothing else, of this form:
{"parts": ["what the first part holds: imports, constants, class Store", "functions load() and save()"]}
The parts are the file from its first line to its last. Each begins and ends between whole definitions (or
sections, or entries), and names what it defines.
"""

WrittenSymbols = Mapping[str, Sequence[str]]
"""The signatures that the written files define, by path."""
MAX_SYMBOLS = 40
"""Signatures of one file in a prompt."""
TOKENS_PER_LINE = 14
"""Tokens of an answer that a planned line of code may take, with a margin."""
CONTEXT_LINES = 60
"""Last lines of the previous part, shown to the model with the request for the next one."""
CONTEXT_CHARACTERS = 8000
"""Most characters of those lines."""
PLAN_CHARACTERS = 24_000
"""Most characters of the plan in a prompt. Every call repeats it; a larger plan is shown in less detail."""
NEIGHBOUR_CHARACTERS = 24_000
"""Most characters of the part of a prompt about the files that a file uses, and those that use it."""
SHORT_PURPOSE = 100
MAX_FAULTS = 50
"""Most findings in one request for a repair."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WrittenParts:
    """The first `count` parts of a file, and the signatures that they define."""

    count: int
    text: str
    symbols: Sequence[str]


def plan_messages(prompt: str, max_tokens: int, *, workflows: bool = False) -> tuple[Message, ...]:
    """Asks for the plan. `max_tokens`: of one answer; the model is asked to split larger files. `workflows`:
    whether workflow files may be planned."""
    lines = max_tokens // TOKENS_PER_LINE
    rules = [f"Plan no file of more than {lines} lines: split what is larger into several files."]
    rules += [] if workflows else [NO_WORKFLOWS]
    return (
        Message(role="system", content=PLAN_INSTRUCTIONS),
        Message(role="user", content="\n".join([f"{_request(prompt)}\n", *rules])),
    )


def file_messages(prompt: str, plan: Plan, file: PlannedFile, symbols: WrittenSymbols) -> tuple[Message, ...]:
    """Asks for one file. `symbols`: of the files that are complete."""
    content = f"{_request(prompt)}\n\n{_plan(plan)}\n\n{_file_context(plan, file, symbols)}{_write(file)}"
    return (Message(role="system", content=FILE_INSTRUCTIONS), Message(role="user", content=content))


def outline_messages(
    prompt: str, plan: Plan, file: PlannedFile, parts: int, lines: int
) -> tuple[Message, ...]:
    """Asks for a division of the file into about `parts` parts of at most `lines` lines each."""
    content = (
        f"{_request(prompt)}\n\n{_plan(plan)}\n\n{_file_context(plan, file, {})}"
        f"It is expected to have {file.lines} lines: divide it into about {parts} parts, each of at most "
        f"{lines} lines.\nDivide this file now: {file.path}"
    )
    return (Message(role="system", content=OUTLINE_INSTRUCTIONS), Message(role="user", content=content))


def part_messages(
    prompt: str,
    plan: Plan,
    file: PlannedFile,
    symbols: WrittenSymbols,
    outline: Sequence[str],
    written: WrittenParts,
) -> tuple[Message, ...]:
    """Asks for the part that follows the `written` parts."""
    listed = "".join(f"{n}. {holds}\n" for n, holds in enumerate(outline, start=1))
    number = written.count + 1
    content = (
        f"{_request(prompt)}\n\n{_plan(plan)}\n\n{_file_context(plan, file, symbols)}"
        f"The file is too long for one answer. It is written in {len(outline)} parts:\n"
        f"<parts>\n{listed}</parts>\n{_previous_parts(written)}"
        f"Answer with part {number} of {len(outline)} alone, from its first line to its last, nothing before "
        f"it and nothing after it.\n{_write(file)}"
    )
    return (Message(role="system", content=FILE_INSTRUCTIONS), Message(role="user", content=content))


def repair_messages(
    prompt: str, plan: Plan, file: PlannedFile, symbols: WrittenSymbols, text: str, faults: Sequence[str]
) -> tuple[Message, ...]:
    """Asks for a corrected version of the whole file. The prompt begins as in `file_messages`, for the
    provider's prompt cache."""
    listed = "\n".join(f"- {fault}" for fault in faults[:MAX_FAULTS])
    content = (
        f"{_request(prompt)}\n\n{_plan(plan)}\n\n{_file_context(plan, file, symbols)}"
        f"<current>\n{text}\n</current>\nValidation reports these findings:\n{listed}\n"
        f"Fix them and change nothing else; answer with the whole file.\n{_write(file)}"
    )
    return (Message(role="system", content=FILE_INSTRUCTIONS), Message(role="user", content=content))


def asked_for(messages: Sequence[Message]) -> str:
    """The user's request and the plan in messages that ask for a file: what the file may be about."""
    texts = (message.content.partition("</plan>")[0] for message in messages if message.role == "user")
    return "\n".join(texts).replace("<request>", "").replace("</request>", "").replace("<plan>", "")


def _previous_parts(written: WrittenParts) -> str:
    if not written.count:
        return ""
    last_lines = "".join(split_lines(written.text)[-CONTEXT_LINES:])[-CONTEXT_CHARACTERS:]
    return (
        f"Parts 1 to {written.count} are written and define:\n{_listed(written.symbols)}"
        f"They end with these lines, which your answer must not repeat:\n<before>\n{last_lines}</before>\n"
    )


def _request(prompt: str) -> str:
    return f"<request>\n{prompt}\n</request>"


def _plan(plan: Plan) -> str:
    """The same for every file of the plan, in as much detail as PLAN_CHARACTERS permit."""
    for describe in (_plan_line, _short_plan_line, _plan_path):
        listed = [describe(file) for file in plan.files]
        if sum(map(len, listed)) + len(listed) <= PLAN_CHARACTERS:
            break
    shown = _within(listed, PLAN_CHARACTERS)
    more = [f"... and {len(listed) - len(shown)} more files"] if len(shown) < len(listed) else []
    lines = "\n".join([plan.summary, *shown, *more])
    return f"<plan>\n{lines}\n{_left_out(plan)}</plan>"


def _left_out(plan: Plan) -> str:
    """What files must do without: a model that planned a picture would refer to it."""
    paths = [entry.path for entry in plan.left_out if entry.reason != "directory"]
    listed = ", ".join(_within(paths, PLAN_CHARACTERS))
    return f"Not part of the project, do without: {listed}\n" if listed else ""


def _within(lines: Iterable[str], characters: int) -> list[str]:
    """The first lines, up to a total number of characters."""
    shown: list[str] = []
    for line in lines:
        characters -= len(line) + 1
        if characters < 0:
            break
        shown.append(line)
    return shown


def _write(file: PlannedFile) -> str:
    return f"Write this file now: {file.path}"


def _file_context(plan: Plan, file: PlannedFile, symbols: WrittenSymbols) -> str:
    neighbours = [f for f in plan.files if f.path in file.needs or file.path in f.needs]
    about = f"Purpose: {file.purpose}\n{_names('Must export', file.exports)}"
    described = [f"Neighbour {_plan_line(f)}\n{_listed(symbols.get(f.path, ()))}" for f in neighbours]
    around = "".join(_within(described, NEIGHBOUR_CHARACTERS))
    return f'<file path="{file.path}">\n{about}{around}</file>\n'


def _listed(signatures: Sequence[str]) -> str:
    return "".join(f"    {signature}\n" for signature in signatures[:MAX_SYMBOLS])


def _plan_line(file: PlannedFile) -> str:
    exports = f" (exports {', '.join(file.exports)})" if file.exports else ""
    return f"{file.path}: {file.purpose}{exports}"


def _short_plan_line(file: PlannedFile) -> str:
    return f"{file.path}: {file.purpose[:SHORT_PURPOSE]}"


def _plan_path(file: PlannedFile) -> str:
    return file.path


def _names(label: str, names: Iterable[str]) -> str:
    listed = ", ".join(names)
    return f"{label}: {listed}\n" if listed else ""
