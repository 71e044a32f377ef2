"""Asking for the plan, and telling of each file as soon as its entry has been said."""

from __future__ import annotations

from collections.abc import Callable

from gencode.errors import LLMTruncated
from gencode.pipeline import Progress
from gencode.pipelines.generate.artifacts import KeptPlan, Plan
from gencode.pipelines.generate.asking import Answer, Asker, Listen
from gencode.pipelines.generate.parsing import parse_plan
from gencode.pipelines.generate.plan_reader import PlanReader
from gencode.pipelines.generate.prompts import plan_messages
from gencode.provider import ChatRequest

Hear = Callable[[Plan], None]
"""Told of the plan so far, each time an entry has become whole."""


async def make_plan(
    asker: Asker, prompt: str, max_tokens: int, hear: Hear, *, workflows: bool, recipe: str = ""
) -> Plan:
    """The plan, kept, and that it was made by this recipe. Raises UnsafePath or UnsafeTree while it is being
    said, LLM* errors."""
    request = ChatRequest(messages=plan_messages(prompt, max_tokens), max_tokens=max_tokens, json=True)

    def listener() -> Listen:
        reader = PlanReader(workflows=workflows)

        def listen(text: str) -> None:
            if reader.feed(text):
                hear(reader.plan())

        return listen

    def read(answer: Answer) -> KeptPlan:
        if answer.cut:
            raise LLMTruncated("the plan is longer than the model's output limit; ask for a smaller project")
        return KeptPlan(plan=parse_plan(answer.text, workflows=workflows), usage=answer.usage)

    kept = await asker.ask(request, "plan", read, listener)
    told = plan_progress(kept, asker.provider.name, recipe)
    await asker.send(told, asker.used("plan", kept.usage))
    return kept.plan


def plan_progress(kept: KeptPlan, model: str, recipe: str = "") -> Progress:
    """The `plan` event, with the part that keeps it."""
    files = [file.model_dump() for file in kept.plan.files]
    data = {"summary": kept.plan.summary, "files": files, "model": model, "revision": kept.revision}
    return Progress(kind="plan", data=data, keep={"plan": kept.model_dump_json()}, digest=recipe)
