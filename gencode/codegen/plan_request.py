"""Requests the plan from the model, and reports each file as soon as its entry has arrived."""

from __future__ import annotations

from collections.abc import Callable

from gencode.codegen.answer_checks import check_json_whole
from gencode.codegen.plan import PLAN_CHECKPOINT, Plan, PlanCheckpoint
from gencode.codegen.plan_parser import MAX_ANSWER, parse_plan
from gencode.codegen.plan_stream_parser import PlanStreamParser
from gencode.codegen.prompts import plan_messages
from gencode.engine.ports.pipeline import StageUpdate
from gencode.llm.port import ChatRequest
from gencode.llm.screened_answer_stream import OnText
from gencode.llm.session import Answer, LLMSession

OnPlan = Callable[[Plan], None]
"""Called with the plan so far, each time an entry is complete."""


async def request_plan(
    session: LLMSession,
    prompt: str,
    max_tokens: int,
    on_plan: OnPlan,
    *,
    workflows: bool,
    cache_key: str = "",
) -> Plan:
    """The model's plan, stored with the task's `cache_key`.

    Raises UnsafePath or UnsafeTree as soon as such an entry arrives, LLM* errors, BudgetExceeded.
    """
    messages = plan_messages(prompt, max_tokens, workflows=workflows)
    request = ChatRequest(messages=messages, max_tokens=max_tokens, json=True, max_text=MAX_ANSWER)

    def new_on_text() -> OnText:
        parser = PlanStreamParser(workflows=workflows)

        def on_text(text: str) -> None:
            if parser.feed(text):
                on_plan(parser.plan())

        return on_text

    def parse(answer: Answer) -> PlanCheckpoint:
        check_json_whole("the plan", answer, max_tokens)
        return PlanCheckpoint(plan=parse_plan(answer.text, workflows=workflows), usage=answer.usage)

    made = await session.ask(request, "plan", parse, new_on_text)
    update = plan_update(made, session.provider.name, cache_key)
    await session.emit(update, session.usage_update("plan", made.usage))
    return made.plan


def plan_update(made: PlanCheckpoint, model: str, cache_key: str = "") -> StageUpdate:
    """The `plan` event with the plan's checkpoint. `cache_key`: by which later tasks find this task."""
    data = {
        "summary": made.plan.summary,
        "files": [file.model_dump() for file in made.plan.files],
        "left_out": [entry.model_dump() for entry in made.plan.left_out],
        "model": model,
        "revision": made.revision,
    }
    return StageUpdate(
        kind="plan", data=data, checkpoints={PLAN_CHECKPOINT: made.model_dump_json()}, cache_key=cache_key
    )
