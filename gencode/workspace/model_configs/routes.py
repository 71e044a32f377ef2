"""The test of a model config, beside the operations of every resource."""

from __future__ import annotations

import time

import anyio
from starlette.requests import Request
from starlette.responses import Response

from gencode.domain.errors import GencodeError, SecretFound
from gencode.http.base_models import ResponseModel
from gencode.http.common_declarations import RATE_LIMITED
from gencode.http.dependencies import get_extension, get_principal, get_services
from gencode.http.operation import operation
from gencode.http.response_specs import JsonResponseSpec
from gencode.llm.errors import LLMTimeout, ProviderError
from gencode.llm.port import ChatRequest, Message
from gencode.llm.session import Answer, LLMSession
from gencode.workspace.model_configs.gateway import ModelConfigGateway
from gencode.workspace.model_configs.resource import MODEL_CONFIGS
from gencode.workspace.parameters import ONE, id_in_path
from gencode.workspace.resources.routes import operations_of

TEST_SECONDS = 60.0
SHOWN = 200
"""Characters of the answer."""
QUESTION = ChatRequest(
    messages=(
        Message(role="system", content="You check that a connection works."),
        Message(role="user", content="Answer with the single word: ready"),
    ),
    max_tokens=1024,  # models that think first need some hundred
)


class ModelTestError(ResponseModel):
    """`code`: see docs/errors.md."""

    code: str
    message: str


class ModelTestUsage(ResponseModel):
    """Tokens; `estimated`: the provider did not report all of them."""

    prompt: int
    completion: int
    cached: int
    estimated: bool


class ModelTestResult(ResponseModel):
    """latency_ms  of the whole call, also of a failed one
    text        the beginning of the answer
    usage       null if the call failed
    cost        as text; null without a price
    """

    ok: bool
    latency_ms: int
    text: str | None
    usage: ModelTestUsage | None
    cost: str | None
    error: ModelTestError | None


TESTED = JsonResponseSpec(model=ModelTestResult, description="What the model answered, or why it did not")


@operation(
    "testModelConfig",
    "POST /ai/models/{id:uuid}/test",
    "Call the model of a config with a small prompt; the call is charged",
    traits=(ONE, RATE_LIMITED),
    responses=(TESTED,),
)
async def check_model_config(request: Request) -> Response:
    principal = get_principal(request).id
    gateway = get_extension(request, ModelConfigGateway)
    session = await gateway.session_for_test(id_in_path(request), principal)
    headers = await get_services(request).rate.spend(principal, "model test")
    started = time.monotonic()
    try:
        answer = await _ask(session)
    except (ProviderError, SecretFound) as error:
        return TESTED.make(_failed(error, _since(started)), headers)
    return TESTED.make(_result(answer, session, _since(started)), headers)


async def _ask(session: LLMSession) -> Answer:
    """Raises ProviderError, SecretFound, StoreError."""
    try:
        with anyio.fail_after(TEST_SECONDS):
            return await session.ask(QUESTION, "test", lambda answer: answer)
    except TimeoutError:
        raise LLMTimeout(f"{session.provider.name} did not answer within {TEST_SECONDS:g} s.") from None


def _result(answer: Answer, session: LLMSession, milliseconds: int) -> ModelTestResult:
    cost, usage = session.budget_tracker.cost(answer.usage), answer.usage
    return ModelTestResult(
        ok=True,
        latency_ms=milliseconds,
        text=answer.text[:SHOWN],
        usage=ModelTestUsage(
            prompt=usage.prompt,
            completion=usage.completion,
            cached=usage.cached,
            estimated=usage.estimated,
        ),
        cost=None if cost is None else f"{cost:f}",
        error=None,
    )


def _failed(error: GencodeError, milliseconds: int) -> ModelTestResult:
    told = ModelTestError(code=error.code, message=error.message)
    return ModelTestResult(ok=False, latency_ms=milliseconds, text=None, usage=None, cost=None, error=told)


def _since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)


MODEL_CONFIG_OPERATIONS = (*operations_of(MODEL_CONFIGS), check_model_config)
