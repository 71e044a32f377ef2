"""GET /api/v1/webhook-secret: the secret with which a receiver verifies the signatures of callbacks."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from gencode.domain.errors import NotFound
from gencode.http.dependencies import get_principal, get_services
from gencode.http.operation import ErrorResponse, operation
from gencode.http.response_specs import JsonResponseSpec
from gencode.http.task_models import WebhookSecret

SECRET = JsonResponseSpec(model=WebhookSecret, description="The client's webhook signing secret")


@operation(
    "webhookSecret",
    "GET /webhook-secret",
    "The secret that signs your callbacks",
    responses=(SECRET,),
    errors=(
        ErrorResponse(
            error=NotFound,
            description="Callbacks are signed with the operator's WEBHOOK_SECRET, which is not disclosed",
        ),
    ),
)
async def get_secret(request: Request) -> Response:
    """The principal's secret; 404 if callbacks are signed with the operator's WEBHOOK_SECRET."""
    secret = get_services(request).callbacks.webhooks.secrets.disclosed_to(get_principal(request).id)
    if secret is None:
        raise NotFound("callbacks are signed with the operator's WEBHOOK_SECRET: ask the operator for it")
    return SECRET.make(WebhookSecret(secret=secret))
