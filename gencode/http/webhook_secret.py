"""GET /api/v1/webhook-secret: with what a receiver of callbacks checks signatures."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from gencode.domain.errors import NotFound
from gencode.http.dependencies import get_principal, get_services
from gencode.http.operation import ErrorResponse, operation
from gencode.http.responses import JsonResponseSpec
from gencode.http.task_models import WebhookSecret

SECRET = JsonResponseSpec(model=WebhookSecret, description="Yours")


@operation(
    "webhookSecret",
    "GET /webhook-secret",
    "What your callbacks are signed with",
    responses=(SECRET,),
    errors=(ErrorResponse(error=NotFound, description="The operator's signs for everybody"),),
)
async def get_secret(request: Request) -> Response:
    """The principal's own; 404 when the operator's signs for everybody."""
    secret = get_services(request).callbacks.webhooks.secrets.disclosed_to(get_principal(request).id)
    if secret is None:
        raise NotFound("callbacks are signed with the operator's WEBHOOK_SECRET: ask the operator for it")
    return SECRET.make(WebhookSecret(secret=secret))
