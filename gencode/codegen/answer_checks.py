"""Checks that an answer is the whole file. It passes only if all evidence agrees; in doubt the model is asked
again."""

from __future__ import annotations

import json
import re

from gencode.codegen.extraneous_text import extraneous_text
from gencode.codegen.file_extraction import read_answer
from gencode.llm.errors import LLMBadOutput, LLMBadRequest, LLMTooLarge, LLMTruncated, ProviderError
from gencode.llm.port import ChatRequest
from gencode.llm.session import Answer

MAX_LINES = 200_000
"""Most lines of a file. Parsers keep a list of lines, and 2 MiB of line ends would be two million."""
MAY_BE_EMPTY = ("__init__.py", "py.typed", ".gitkeep")
_COMPLETE = re.compile(
    r"(?:The|This|Your|That|It|Done|There|Nothing|No|I)\b[^\n]{0,150}"
    r"\b(?:complete|completed|finished|done|nothing|more|further)\b[^\n]{0,60}|[^\n]{0,40}(?:完整|完成|结束)[^\n]{0,20}",
    re.IGNORECASE,
)
_BLANKS = 1000
"""Characters of white space in a row that no JSON document needs."""
_WINDOW = re.compile(
    r"context (?:size|length|window)|maximum context|(?:prompt|input) is too long|too many (?:input )?tokens",
    re.IGNORECASE,
)
_FOR_MODEL = "Answer with the content of the file alone: no explanation, no code block, no tag, no patch."


def stopped_at_limit(answer: Answer, request: ChatRequest) -> bool:
    """Whether an answer that claims to be complete has used all tokens that it was granted. Some servers say
    "stop" when the limit has cut the text. Answers with reasoning are excluded: some servers do not count
    reasoning against the limit."""
    usage = answer.usage
    counted = usage.completion >= request.max_tokens and not usage.estimated
    return not answer.truncated and counted and not answer.has_reasoning


def check_json_whole(about: str, answer: Answer, max_tokens: int) -> None:
    """Raises for JSON that was cut, unless it is complete and only blanks followed it: LLMBadOutput if blanks
    without end follow, LLMTruncated else."""
    if answer.truncated and not _is_json(answer.text):
        raise _cut_json(about, answer, max_tokens)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _cut_json(about: str, answer: Answer, max_tokens: int) -> ProviderError:
    usage, text = answer.usage, answer.text
    if len(text) - len(text.rstrip()) >= _BLANKS:
        return LLMBadOutput(f"in place of the rest of {about}, the model wrote endless white space")
    if usage.estimated or usage.completion >= max_tokens:
        return LLMTruncated(
            f"{about} is longer than the model's output limit of {max_tokens} tokens (MAX_OUTPUT_TOKENS); "
            "ask for a smaller project"
        )
    return LLMTruncated(
        f"{about} was cut after {usage.completion} tokens, below the limit of {max_tokens}: the model's "
        "window is full. Ask for a smaller project, or choose a model with a larger window"
    )


def check_lines(path: str, text: str) -> None:
    """Raises LLMTooLarge for a text of more lines than a file may have."""
    if text.count("\n") > MAX_LINES:
        raise LLMTooLarge(f"{path} has more than {MAX_LINES} lines; ask for smaller files")


def check_window(path: str, before: str, after: str, answer: Answer) -> None:
    """Raises LLMTruncated for an answer that was cut before it added anything to the text `before`."""
    if answer.truncated and len(after.rstrip()) <= len(before.rstrip()):
        raise LLMTruncated(
            f"{path} is not complete, and the model adds nothing to its {len(before)} characters: its "
            "window is full, or it repeats itself. Ask for smaller files, or choose another model"
        )


def check_window_refusal(path: str, before: str, error: LLMBadRequest) -> None:
    """Raises LLMTruncated if the error says that a cut file, of which `before` exists, fills the window."""
    if _WINDOW.search(error.message):
        said = error.message.rpartition(". ")[0]  # without the advice, which is for a user's own prompt
        raise LLMTruncated(
            f"{path} is not complete after {len(before)} characters, and the model's window is full: {said}. "
            "Ask for smaller files, or choose a model with a larger window"
        ) from error


def check_progress(path: str, before: str, after: str, answer: Answer) -> None:
    """Raises LLMBadOutput for an answer that adds nothing to a file that was cut. If the answer
    repeats exactly the end that the model was not shown, the file is complete."""
    if answer.truncated or len(after) > len(before) or (after == before and answer.text.strip()):
        return
    raise LLMBadOutput(
        f"{path} was cut by the token limit, and asked to continue it the model added nothing",
        for_model="it added nothing to a file that is not complete. Continue the file to its end.",
    )


def check_remark(path: str, answer: Answer) -> None:
    """Raises LLMBadOutput for a remark that a file which was cut is complete."""
    if not answer.truncated and _COMPLETE.fullmatch(answer.text.strip()):
        raise LLMBadOutput(
            f"{path} was cut by the token limit, and asked to continue it the model said that it is complete",
            for_model="the file is not complete. Continue it to its end, without a remark.",
        )


def check_not_blank(path: str, text: str, answer: Answer) -> None:
    """Raises LLMTruncated for a blank answer that used up all tokens, LLMBadOutput for another blank one."""
    if text.strip() or path.endswith(MAY_BE_EMPTY):
        return
    if answer.truncated:
        raise LLMTruncated(
            f"the model used up all tokens before the first word of {path}: raise MAX_OUTPUT_TOKENS, or "
            "choose a model that reasons less or has a larger window"
        )
    raise LLMBadOutput(f"the model's answer for {path} is blank")


def check_file(path: str, text: str, asked: str = "") -> None:
    """Raises LLMBadOutput for a text that is not certainly the whole file. `asked`: what it was asked for
    with."""
    reading = read_answer(text, path)
    if doubt := reading.doubt or extraneous_text(path, reading.text, asked):
        raise LLMBadOutput(
            f"the model's answer for {path} is not surely the file: {doubt}",
            for_model=f"{doubt}. {_FOR_MODEL}",
        )
    if text.strip() and not reading.text.strip() and not path.endswith(MAY_BE_EMPTY):
        raise LLMBadOutput(f"the model's answer for {path} holds nothing but a wrapper", for_model=_FOR_MODEL)
