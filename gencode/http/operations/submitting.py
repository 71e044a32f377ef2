"""What submits a prompt, and what belongs to that."""

from __future__ import annotations

from gencode.http.operations.pieces import (
    OPEN,
    Part,
    body,
    header,
    limit_headers,
    operation,
    problem,
    ref,
    text,
)


def generate() -> Part:
    accepted = body("Accepted", "The task is stored", limit_headers() | _link_header())
    more = {"413": "Larger than MAX_BODY_BYTES", "415": "Not JSON", "422": "A rule is broken"}
    more |= {"429": "More than RATE_LIMIT", "503": "Too many tasks wait, or the store refuses"}
    return operation(
        "generate",
        "Submit a prompt",
        {"202": accepted} | {code: problem(words) for code, words in more.items()},
        parameters=[
            header("Idempotency-Key", "The same key and body: the first answer", r"^[ -~]{1,255}$"),
            header("Accept-Language", "en or zh: the language of messages"),
        ],
        requestBody={
            "required": True,
            "content": {"application/json": {"schema": ref("GenerateRequest")}},
        },
    )


def _link_header() -> Part:
    """And whether an idempotency key was known."""
    return {
        "Location": text("The task's address"),
        "Idempotency-Replayed": {
            "description": "Whether the key was known",
            "schema": {"enum": ["true", "false"]},
        },
    }


def estimate() -> Part:
    answers = {
        "200": body("EstimateView", "Nothing was stored, no model was asked"),
        "413": problem("Larger than MAX_BODY_BYTES"),
        "415": problem("Not JSON"),
        "422": problem("A rule is broken"),
    }
    asked = {"required": True, "content": {"application/json": {"schema": ref("GenerateRequest")}}}
    return operation("estimate", "What a prompt would probably cost", answers, requestBody=asked)


def chat(name: str) -> Part:
    form = {"type": "object", "properties": {"text": {"type": "string"}, "response_url": {"type": "string"}}}
    answers = {
        "200": body("Said", "What is told to who gave the command"),
        "400": problem("Not what the chat sends"),
        "401": problem("Not proven to come from the chat")
        | {"headers": {"WWW-Authenticate": text("Bearer")}},
        "404": problem("The chat is not configured"),
        "413": problem("Larger than MAX_BODY_BYTES"),
        "default": problem("Another problem: see its code"),
    }
    return {
        "operationId": name.lower(),
        "summary": f"A command of {name}",
        "security": OPEN,
        "requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": form}}},
        "responses": answers,
    }


def webhook_secret() -> Part:
    answers = {"200": body("WebhookSecret", "Yours"), "404": problem("The operator's signs for everybody")}
    return operation("webhookSecret", "What your callbacks are signed with", answers)
