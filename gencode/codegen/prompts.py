"""What the model is told. The parts that never change come first, so that providers' prompt caches hit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gencode.codegen.code_fences import split_lines
from gencode.llm.port import Message
from gencode.pipelines.generate.artifacts import Plan, PlannedFile

PLAN = """\
You are a senior software engineer planning a small, complete, working project.
Answer with one JSON object and nothing else, of this form:
{"summary": "what the project is, one sentence",
 "files": [{"path": "src/app.py", "purpose": "what the file is for",
            "exports": ["names other files may use"], "needs": ["paths of files that it uses"],
            "lines": 80}]}
Put each file after those that it needs; "lines" is how long you expect it to become.
List every file that the project needs to run, its tests, a README.md and the dependency manifest of its
language. Paths are relative, with forward slashes. Plan no binary files, no lock files and no secrets.
"""

FILE = """\
You are a senior software engineer writing one file of a planned project.
Answer with the content of that file and nothing else: no explanation before or after it, no code fence
around it. Write it whole: no placeholders, nothing left out. Use only what the plan's other files export,
the language's standard library, and dependencies that the manifest declares.
"""


OUTLINE = """\
You are a senior software engineer dividing one large file of a planned project into parts that are written
one after the other. Answer with one JSON object and nothing else, of this form:
{"parts": ["what the first part holds: imports, constants, class Store", "functions load() and save()"]}
The parts are the file from its first line to its last. Each begins and ends between whole definitions (or
sections, or entries), and names what it defines.
"""


Ledger = Mapping[str, Sequence[str]]
"""By path, the signatures that a file which is written already really has."""
MOST_SYMBOLS = 40
TOKENS_PER_LINE = 14
"""Of code, with a margin: what a file of so many lines may need of an answer."""
SEAM_LINES = 60
"""Of the part before, that the next one is shown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """The first parts of a file, and the signatures of what they define."""

    parts: int
    text: str
    symbols: Sequence[str]


def plan_messages(prompt: str, max_tokens: int) -> tuple[Message, ...]:
    """`max_tokens`: of one answer; larger files are to be planned as several."""
    lines = max_tokens // TOKENS_PER_LINE
    size = f"Plan no file of more than {lines} lines: split what is larger into several files."
    return (
        Message(role="system", content=PLAN),
        Message(role="user", content=f"{_request(prompt)}\n\n{size}"),
    )


def file_messages(prompt: str, plan: Plan, file: PlannedFile, ledger: Ledger) -> tuple[Message, ...]:
    content = f"{_request(prompt)}\n\n{_plan(plan)}\n\n{_about(plan, file, ledger)}{_write(file)}"
    return (Message(role="system", content=FILE), Message(role="user", content=content))


def outline_messages(
    prompt: str, plan: Plan, file: PlannedFile, parts: int, lines: int
) -> tuple[Message, ...]:
    """Asks for about so many `parts` of at most so many `lines`."""
    content = (
        f"{_request(prompt)}\n\n{_plan(plan)}\n\n{_about(plan, file, {})}"
        f"It is expected to have {file.lines} lines: divide it into about {parts} parts, each of at most "
        f"{lines} lines.\nDivide this file now: {file.path}"
    )
    return (Message(role="system", content=OUTLINE), Message(role="user", content=content))


def part_messages(
    prompt: str, plan: Plan, file: PlannedFile, ledger: Ledger, outline: Sequence[str], written: Written
) -> tuple[Message, ...]:
    """Asks for the part after those that are `written`."""
    listed = "".join(f"{n}. {holds}\n" for n, holds in enumerate(outline, start=1))
    number = written.parts + 1
    content = (
        f"{_request(prompt)}\n\n{_plan(plan)}\n\n{_about(plan, file, ledger)}"
        f"The file is too long for one answer. It is written in {len(outline)} parts:\n"
        f"<parts>\n{listed}</parts>\n{_before(written)}"
        f"Answer with part {number} of {len(outline)} alone, from its first line to its last, nothing before "
        f"it and nothing after it.\n{_write(file)}"
    )
    return (Message(role="system", content=FILE), Message(role="user", content=content))


def repair_messages(
    prompt: str, plan: Plan, file: PlannedFile, ledger: Ledger, text: str, faults: Sequence[str]
) -> tuple[Message, ...]:
    """Asks for the whole file anew; what went before it is as in `file_messages`, for the prompt cache."""
    listed = "\n".join(f"- {fault}" for fault in faults)
    content = (
        f"{_request(prompt)}\n\n{_plan(plan)}\n\n{_about(plan, file, ledger)}"
        f"<current>\n{text}\n</current>\nThe file has these faults:\n{listed}\n"
        f"Mend them and change nothing else; answer with the whole file.\n{_write(file)}"
    )
    return (Message(role="system", content=FILE), Message(role="user", content=content))


def _before(written: Written) -> str:
    if not written.parts:
        return ""
    end = "".join(split_lines(written.text)[-SEAM_LINES:])
    return (
        f"Parts 1 to {written.parts} are written and define:\n{_defines(written.symbols)}"
        f"They end with these lines, which your answer must not repeat:\n<before>\n{end}</before>\n"
    )


def _request(prompt: str) -> str:
    return f"<request>\n{prompt}\n</request>"


def _plan(plan: Plan) -> str:
    lines = "\n".join(_queue(file) for file in plan.files)
    return f"<plan>\n{plan.summary}\n{lines}\n</plan>"


def _write(file: PlannedFile) -> str:
    return f"Write this file now: {file.path}"


def _about(plan: Plan, file: PlannedFile, ledger: Ledger) -> str:
    neighbours = [f for f in plan.files if f.path in file.needs or file.path in f.needs]
    about = f"Purpose: {file.purpose}\n{_names('Must export', file.exports)}"
    around = "".join(f"Neighbour {_queue(f)}\n{_defines(ledger.get(f.path, ()))}" for f in neighbours)
    return f'<file path="{file.path}">\n{about}{around}</file>\n'


def _defines(signatures: Sequence[str]) -> str:
    return "".join(f"    {signature}\n" for signature in signatures[:MOST_SYMBOLS])


def _queue(file: PlannedFile) -> str:
    exports = f" (exports {', '.join(file.exports)})" if file.exports else ""
    return f"{file.path}: {file.purpose}{exports}"


def _names(label: str, names: Iterable[str]) -> str:
    listed = ", ".join(names)
    return f"{label}: {listed}\n" if listed else ""
