"""Estimates what writing the files of a plan will cost, before a user approves it."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal

from gencode.codegen.plan import Plan
from gencode.codegen.prompts import TOKENS_PER_LINE, file_messages
from gencode.llm.port import ChatRequest, Usage
from gencode.llm.token_estimate import prompt_tokens
from gencode.pipelines.generate.estimate import LONG_FILE, SHORT_FILE, CostRange, Estimate, TokenRange

FEW_PER_LINE = TOKENS_PER_LINE // 2
"""Tokens of a short line of code."""
BASIS = (
    f"a rule: the planned lines at {FEW_PER_LINE} to {TOKENS_PER_LINE} tokens each, {SHORT_FILE} to "
    f"{LONG_FILE} tokens for a file without lines; no repairs, nothing cached; without the cost of the plan"
)


def estimate_plan(
    prompt: str, plan: Plan, model: str, max_tokens: int, cost: Callable[[Usage], Decimal | None]
) -> Estimate:
    """The estimate of the calls that write the files. `max_tokens`: limit of one answer; `cost`: returns None
    without a price.

    One prompt is weighed for all files: those of the same plan differ little.
    """
    calls = sum(math.ceil(_longest(file.lines) / max_tokens) for file in plan.files)
    messages = file_messages(prompt, plan, plan.files[0], {})
    prompts = calls * prompt_tokens(ChatRequest(messages=messages, max_tokens=max_tokens))
    low = sum(file.lines * FEW_PER_LINE or SHORT_FILE for file in plan.files)
    high = sum(_longest(file.lines) for file in plan.files)
    costs = [cost(Usage(prompt=prompts, completion=tokens, estimated=True)) for tokens in (low, high)]
    texts = [f"{known:.6f}" for known in costs if known is not None]
    return Estimate(
        model=model,
        prompt_tokens=prompts,
        completion_tokens=TokenRange(low=low, high=high),
        cost=CostRange(low=texts[0], high=texts[1]) if texts else None,
        basis=BASIS,
    )


def _longest(lines: int) -> int:
    return lines * TOKENS_PER_LINE or LONG_FILE
