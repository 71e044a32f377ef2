"""What servers add to the text of an answer, and what only looks like it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from gencode.llm.errors import LLMBadOutput
from gencode.llm.openai.think_block import UnopenedReasoning
from gencode.llm.port import ChatRequest, Message
from tests.unit.llm.openai.decoding import ASK, DONE, JSON, STOP, Decoded, decode, event, text

CONTINUE = replace(ASK, prefix="line 1\nline 2\n")


def answer(
    content: str, request: ChatRequest = ASK, size: int = 1000, finish: str = "stop", **options: bool
) -> Decoded:
    """An answer in events of `size` characters."""
    pieces = [content[at : at + size] for at in range(0, len(content), size)]
    return decode(*map(text, pieces), event({}, finish), DONE, request=request, **options)


def in_all_sizes(content: str, request: ChatRequest = ASK, finish: str = "stop", **habits: bool) -> Decoded:
    """The one answer that results however the content is cut."""
    answers = [answer(content, request, size, finish, **habits) for size in (1, 2, 3, 7, 1000)]
    assert len({(made.text, made.reasoning) for made in answers}) == 1
    return answers[0]


# --- cumulative text ------------------------------------------------------------------------------


def cumulative(content: str, size: int) -> Iterator[bytes]:
    return (text(content[: at + size]) for at in range(0, len(content), size))


@pytest.mark.parametrize("size", [1, 3, 10])
def test_cumulative_text_is_delivered_once(size: int) -> None:
    content = "FROM python:3.12\nCOPY . .\nCMD python app.py\n"
    assert decode(*cumulative(content, size), STOP).text == content
    assert decode(*cumulative(content, size), text(content, "stop"), DONE).text == content


def test_an_incomplete_character_in_cumulative_text_is_replaced_by_the_whole_one() -> None:
    texts = ["你", "你好\ufffd", "你好世", "你好世界\ufffd", "你好世界！a", "你好世界！ab"]
    assert decode(*map(text, texts), STOP).text == texts[-1]


def test_cumulative_reasoning_is_not_counted_twice() -> None:
    thoughts = [event({"reasoning_content": "think"[:n]}) for n in range(1, 6)]
    assert decode(*thoughts, event({"reasoning_content": "."}), text("x"), STOP).reasoning == "think."


@pytest.mark.parametrize(
    "texts",
    [
        ["a", "ab", "b"],
        ["x\n", "x\n", "x\n", "x\n"],
        ["-", "--", "---", "\n"],
        ["ha", "ha"],
        ["\n", "\n\n", "x"],
        ["1", "\n", "12", "\n", "123", "\n", "1234", "\n"],
        ["ab", "cd", "abcd"],
    ],
)
def test_text_that_repeats_itself_is_left_alone(texts: list[str]) -> None:
    assert decode(*map(text, texts), STOP).text == "".join(texts)


@pytest.mark.parametrize(
    "texts",
    [
        ["a", "ab"],
        ["a", "ab", "abc"],
        ["-", "--", "---", "----"],
        ["a", "ab", "abc", "abcd", "x"],
        ["a", "b", "c", "d", "abcd"],
        ["a", "b", "c", "d", "abcde"],
    ],
)
def test_what_may_be_either_is_refused(texts: list[str]) -> None:
    with pytest.raises(LLMBadOutput, match="repeat"):
        decode(*map(text, texts), STOP)


def test_increments_are_certain_at_the_second_event() -> None:
    assert decode(text("a"), text("b"), text("c"), STOP).chunks[:3] == ["a", "b", "c"]


# --- reasoning ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "tags", [("<think>", "</think>"), ("<Thinking>", "</thinking>"), ("◁think▷", "◁/think▷")]
)
@pytest.mark.parametrize("space", ["", "\n", "\n\n", " \r\n"])
def test_a_leading_block_is_reasoning(tags: tuple[str, str], space: str) -> None:
    made = in_all_sizes(f"\n{tags[0]}a\n</b> c{tags[1]}{space}FROM x\n\n<think>y</think>\n")
    assert (made.text, made.reasoning) == ("FROM x\n\n<think>y</think>\n", "a\n</b> c")


def test_indentation_after_a_block_is_kept() -> None:
    assert in_all_sizes("<think>a</think>\n\n    b").text == "    b"


def test_a_tag_that_the_reasoning_quotes_does_not_end_it() -> None:
    assert in_all_sizes('<think>strip "</think>" and `</think>`.</think>\nx').text == "x"
    assert in_all_sizes('<think>say "x"</think>\nx').text == "x"


@pytest.mark.parametrize(
    "content",
    [
        "# Title\n<think>\nx\n</think>\n",
        'x = a.split("</think>")[-1]\n',
        "a <think> b",
        "<thin",
        "<html>\n",
        "The user guide\n\nText.\n",
        "Ten tables.\n\n</b>\n",
        "FROM python:3.12",
        "I",
        "",
    ],
)
def test_a_file_that_mentions_tags_or_begins_like_reasoning_stays_whole(content: str) -> None:
    assert in_all_sizes(content).text == content


@pytest.mark.parametrize(
    "thought", ["Okay, the user wants a file.\n", "首先，写文件。", "Let me plan:\n{x: 1}\n<b>"]
)
def test_reasoning_without_an_opening_tag_is_cut_if_it_reads_as_prose(thought: str) -> None:
    made = in_all_sizes(f"{thought}</think>\n\nFROM x\n")
    assert (made.text, made.reasoning) == ("FROM x\n", thought)


def test_a_draft_of_the_plan_in_the_reasoning_is_no_plan() -> None:
    draft = 'draft: {"files": [{"path": "wrong.py"}]}\n</think>\n{"files": []}'
    assert in_all_sizes(draft, JSON).text == '{"files": []}'
    assert in_all_sizes('{"files": []}', JSON).text == '{"files": []}'


def test_other_reasoning_without_an_opening_tag_is_refused_and_cut_when_it_is_expected() -> None:
    content = "plan of the file\n</think>\nFROM x\n"
    with pytest.raises(UnopenedReasoning):
        answer(content)
    assert in_all_sizes(content, reasons_in_text=True).text == "FROM x\n"
    with pytest.raises(UnopenedReasoning):
        answer("import os\n</think>\n", reasons_in_text=True)
    with pytest.raises(UnopenedReasoning):
        answer("x\n</think>\ny\n", replace(CONTINUE, prefix="<think>closed</think>\n"), native_prefix=True)


def test_a_second_leading_block_is_reasoning_unless_the_request_is_about_such_tags() -> None:
    made = in_all_sizes("<think>a</think>\n\n<think>b</think>c")
    assert (made.text, made.reasoning) == ("c", "ab")
    about = replace(ASK, messages=(*ASK.messages, Message(role="user", content="Explain <think>.")))
    with pytest.raises(LLMBadOutput, match="begins with <think>"):
        answer("<think>a</think><think>b</think>c", about)


@pytest.mark.parametrize("content", ["<think>a</think><", "<think>a</think>\n<th"])
def test_what_may_have_become_a_tag_after_a_block_is_text(content: str) -> None:
    assert in_all_sizes(content).text == content.partition("</think>")[2].lstrip()


@pytest.mark.parametrize("content", ["<", "  ", "<|im_start|>assistant", "<|im_start|>user\nx"])
def test_what_may_have_become_a_token_is_text(content: str) -> None:
    assert in_all_sizes(content).text == content


def test_a_file_that_begins_with_a_colon_stays_whole_after_reasoning() -> None:
    content = ":title: A page\n"
    assert in_all_sizes(f"<think>a</think>{content}").text == content
    reasoning = event({"reasoning_content": "a"})
    assert decode(reasoning, text(content, "stop"), DONE).text == content


@pytest.mark.parametrize(
    "before", ["<|assistant|>: ", "<|assistant|> :\n", "<|assistant|>\n", "[/INST] \n\n"]
)
def test_blank_lines_and_one_colon_after_a_token_belong_to_it(before: str) -> None:
    assert in_all_sizes(f"\n{before}:a: b\n").text == ":a: b\n"


def test_a_request_about_template_tokens_keeps_them() -> None:
    about = replace(
        ASK, messages=(*ASK.messages, Message(role="user", content="a file with <|im_start|>assistant"))
    )
    assert in_all_sizes("<|im_start|>assistant\nx\n", about).text == "<|im_start|>assistant\nx\n"


@pytest.mark.parametrize("content", ["<think>a", "<think>a</think>", "<think>a</think>\n\n"])
@pytest.mark.parametrize("finish", ["stop", "length"])
def test_reasoning_alone_is_no_answer(content: str, finish: str) -> None:
    with pytest.raises(LLMBadOutput, match="only reasoned"):
        answer(content, finish=finish)


@pytest.mark.parametrize("native", [True, False])
def test_a_block_before_a_continuation_is_reasoning(native: bool) -> None:
    made = in_all_sizes("<think>go on</think>\n\n\nline 3\n", CONTINUE, native_prefix=native)
    assert (made.text, made.reasoning) == ("\nline 3\n", "go on")


@pytest.mark.parametrize(
    "request_",
    [
        replace(CONTINUE, prefix="<think>\nx\n</think>\n"),
        replace(CONTINUE, messages=(Message(role="user", content="Write a parser of <think> blocks."),)),
    ],
)
def test_a_block_that_may_be_the_files_own_is_kept_natively_and_else_refused(request_: ChatRequest) -> None:
    content = "<think>\ny\n</think>\n"
    assert in_all_sizes(content, request_, native_prefix=True).text == content
    with pytest.raises(LLMBadOutput, match="begins with <think>"):
        answer(content, request_, native_prefix=False)
    with pytest.raises(LLMBadOutput, match="begins with <think>"):
        answer(content, request_, native_prefix=True, thinks=True)


def test_a_continuation_within_a_block_of_the_file_is_kept() -> None:
    request = replace(CONTINUE, prefix="<think>\nx\n")
    assert in_all_sizes("y\n</think>\nz\n", request, native_prefix=True).text == "y\n</think>\nz\n"


# --- end tokens -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "token", ["<|im_end|>", "<｜end▁of▁sentence｜>", "</s>", "<|eot_id|>", "<end_of_turn>", "<|EOT|>"]
)
@pytest.mark.parametrize("after", ["", "\n", "\n\n"])
def test_a_trailing_end_token_is_dropped(token: str, after: str) -> None:
    assert in_all_sizes(f"FROM x\n{token}{after}").text == "FROM x\n"
    assert in_all_sizes(f"FROM x\n{token}{token}\n</s>{after}").text == "FROM x\n"


@pytest.mark.parametrize(
    "content",
    [
        "<|im_end|>\nx\n",
        "a <|im_end|> b",
        "<s>old</s>",
        "<|im_start|>user\nx<|im_end|>\n<|im_start|>system\n<|im_end|>",
        "x <",
        "x <|im_e",
        "<p>\n",
    ],
)
def test_a_token_within_a_file_or_in_a_pair_is_kept(content: str) -> None:
    assert in_all_sizes(content).text == content


def test_the_pair_may_begin_in_the_text_that_is_continued() -> None:
    request = replace(CONTINUE, prefix="<|im_start|>user\n")
    assert in_all_sizes("x<|im_end|>", request).text == "x<|im_end|>"
    assert in_all_sizes("x<|im_end|><|im_end|>", request).text == "x<|im_end|>"


def test_a_token_that_may_be_the_files_own_is_refused() -> None:
    with pytest.raises(LLMBadOutput, match="<eos>"):
        answer("a <eos> b\n<eos>")


@pytest.mark.parametrize("end", ["<|im_end|>", "<|im_", "<", "\ud83d", "</s>\n"])
def test_what_a_cut_answer_ends_with_is_left_to_the_continuation_if_it_may_be_half_a_token(end: str) -> None:
    assert in_all_sizes(f"x{end}", finish="length").text == "x"


@pytest.mark.parametrize("begin", ["<thi", "\n<", "Le"])
def test_half_an_opening_tag_is_no_text(begin: str) -> None:
    assert answer(begin, finish="length").text == ""


def test_reasoning_that_the_limit_cuts_is_no_text_of_a_model_that_reasons_without_an_opening_tag() -> None:
    content = "Okay, the user wants a file."
    assert answer(content, finish="length").text == content
    with pytest.raises(LLMBadOutput, match="only reasoned"):
        answer(content, finish="length", reasons_in_text=True)
    assert answer("plan", CONTINUE, finish="length", reasons_in_text=True, native_prefix=True).text == ""
    rest = "x = 1\ny"
    assert answer(rest, CONTINUE, finish="length", reasons_in_text=True, native_prefix=True).text == rest


def test_an_endless_row_of_end_tokens_is_refused() -> None:
    with pytest.raises(LLMBadOutput, match="repeats the token"):
        answer("x" + "<|im_end|>" * 1000, size=10)
