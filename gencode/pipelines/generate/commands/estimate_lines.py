"""Formats estimates as lines of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def token_text(estimate: Mapping[str, Any]) -> str:
    answers = estimate["completion_tokens"]
    return f"{estimate['prompt_tokens']} of prompts, {answers['low']} to {answers['high']} of answers"


def cost_text(estimate: Mapping[str, Any]) -> str:
    cost = estimate["cost"]
    return f"{cost['low']} to {cost['high']}" if cost else "unknown: no price for this model in PRICES"


def writing_line(estimate: Mapping[str, Any]) -> str:
    """What is to come once a plan is approved."""
    return f"writing it is estimated at {token_text(estimate)} tokens; cost {cost_text(estimate)}"


def template_lines(estimate: Mapping[str, Any]) -> list[str]:
    """The template that the offline model would use, if it is not what the prompt requests."""
    if not (template := estimate.get("template")):
        return []
    nearest = f"; no template has {other}, this is the nearest" if (other := template["nearest_to"]) else ""
    return [f"result  the template {template['name']}, {template['title']['en']}{nearest}"]
