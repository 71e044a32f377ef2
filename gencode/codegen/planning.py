"""Asking for the plan, and telling of each file as soon as its entry has been said."""

from __future__ import annotations

from collections.abc import Callable

from gencode.codegen.plan_parser import parse_plan
from gencode.codegen.plan_stream_parser import PlanStreamParser
from gencode.codegen.prompts import plan_messages
from gencode.engine.pipeline import StageUpdate
from gencode.llm.errors import LLMTruncated
from gencode.llm.port import ChatRequest
from gencode.llm.session import Answer, LLMSession, TextListener
from gencode.pipelines.generate.artifacts import KeptPlan, Plan

Hear = Callable[[Plan], None]
"""Told of the plan so far, each time an entry has become whole."""


async def make_plan(
    session: LLMSession, prompt: str, max_tokens: int, hear: Hear, *, workflows: bool, cache_key: str = ""
) -> Plan:
    """The plan, kept, and that it was made by this recipe. Raises UnsafePath or UnsafeTree while it is being
    said, LLM* errors."""
    request = ChatRequest(messages=plan_messages(prompt, max_tokens), max_tokens=max_tokens, json=True)

    def listener() -> TextListener:
        reader = PlanStreamParser(workflows=workflows)

        def listen(text: str) -> None:
            if reader.feed(text):
                hear(reader.plan())

        return listen

    def read(answer: Answer) -> KeptPlan:
        if answer.cut:
            raise LLMTruncated("the plan is longer than the model's output limit; ask for a smaller project")
        return KeptPlan(plan=parse_plan(answer.text, workflows=workflows), usage=answer.usage)

    checkpoints = await session.ask(request, "plan", read, listener)
    told = plan_progress(checkpoints, session.provider.name, cache_key)
    await session.send(told, session.used("plan", checkpoints.usage))
    return checkpoints.plan


def plan_progress(checkpoints: KeptPlan, model: str, cache_key: str = "") -> StageUpdate:
    """The `plan` event, with the part that keeps it."""
    files = [file.model_dump() for file in checkpoints.plan.files]
    data = {
        "summary": checkpoints.plan.summary,
        "files": files,
        "model": model,
        "revision": checkpoints.revision,
    }
    return StageUpdate(
        kind="plan", data=data, checkpoints={"plan": checkpoints.model_dump_json()}, cache_key=cache_key
    )
