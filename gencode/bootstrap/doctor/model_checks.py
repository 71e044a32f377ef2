"""Checks of model APIs: whether each accepts its key, and lists the configured model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx

from gencode.bootstrap.doctor.check_result import CheckResult, fault, note, ok
from gencode.githosts.http_client import HttpReply, exchange
from gencode.githosts.responses import error_text, json_object
from gencode.llm.openai.endpoint import endpoint, key_headers
from gencode.llm.prices import Prices, price_of
from gencode.llm.provider_catalog import ProviderConfig
from gencode.security.redaction import quoted

REQUEST_TIMEOUT = 20.0  # seconds
FREE = "it costs nothing"
PAID = "one answer of one token"


async def check_model(config: ProviderConfig, client: httpx.AsyncClient, *, paid: bool) -> CheckResult:
    """Request the list of models, which is free; with `paid`, one token of the model instead."""
    about = f"model {config.name}"
    request = _completion_request(config, client) if paid else _list_request(config, client)
    secrets = (config.api_key.get_secret_value(), *config.quirks.headers.values())
    try:
        reply = await exchange(client, request, REQUEST_TIMEOUT)
    except httpx.HTTPError as error:
        detail = quoted(str(error) or type(error).__name__, secrets)
        return fault(
            about, f"cannot be reached{detail}", "see the base URL, the network and the certificates"
        )
    return _evaluate(about, config, reply, secrets, paid)


def check_prices(models: Sequence[str], prices: Prices) -> list[CheckResult]:
    """A note on the models, given as NAME/ID, whose cost is unknown."""
    unpriced = [model for model in models if price_of(prices, model) is None]
    if not unpriced:
        return []
    message = f"none for {', '.join(unpriced)}: the cost of tasks is unknown, and max_cost is refused"
    return [note("prices", message, "set PRICES if costs are to be shown and limited")]


def _evaluate(
    about: str, config: ProviderConfig, reply: HttpReply, secrets: tuple[str, ...], paid: bool
) -> CheckResult:
    detail = quoted(_error_text(reply), secrets)
    match reply.status:
        case 200 if paid:
            return ok(about, f"{config.model} answered ({PAID} was paid)")
        case 200:
            return _evaluate_list(about, config, reply)
        case 401 | 403:
            return fault(
                about, f"the key is refused ({reply.status}){detail}", "correct the key, or make another"
            )
        case 402:
            return fault(about, f"the account is empty{detail}", "top it up at the provider")
        case 429:
            return note(
                about, f"it is asked too often, or the quota is used up{detail}", "see the account's limits"
            )
        case 404 | 405 if not paid:
            advice = f"gencode doctor --ask-models asks {config.model} itself: {PAID}"
            return note(about, "this API lists no models, so nothing could be seen for free", advice)
        case status if status >= 500:
            return note(about, f"it answers {status}{detail}", "the provider has trouble; look again later")
    return fault(about, f"it answers {reply.status}{detail}", "see the base URL and the model's name")


def _evaluate_list(about: str, config: ProviderConfig, reply: HttpReply) -> CheckResult:
    body = json_object(reply) or {}
    entries = body.get("data")
    known = (
        {str(entry.get("id")) for entry in entries if isinstance(entry, dict)}
        if isinstance(entries, list)
        else set()
    )
    if not known:
        return note(about, "the key is accepted; the list of models cannot be read", "see the base URL")
    if config.model not in known:
        some = ", ".join(sorted(known)[:8])
        advice = f"choose one of {len(known)}: {some}, ...; some APIs take names that they do not list"
        return note(about, f"the key is accepted; {config.model} is not in the list", advice)
    return ok(about, f"the key is accepted, {config.model} is there ({FREE})")


def _list_request(config: ProviderConfig, client: httpx.AsyncClient) -> httpx.Request:
    return client.build_request("GET", endpoint(config.base_url, "models"), headers=_headers(config))


def _completion_request(config: ProviderConfig, client: httpx.AsyncClient) -> httpx.Request:
    body: dict[str, Any] = {
        "model": config.model,
        "messages": [{"role": "user", "content": "Say ok."}],
        config.quirks.max_tokens_field: 1,
        **config.quirks.thinking,
    }
    return client.build_request(
        "POST", endpoint(config.base_url, "chat/completions"), headers=_headers(config), json=body
    )


def _headers(config: ProviderConfig) -> dict[str, str]:
    own = key_headers(config.base_url, config.api_key.get_secret_value())
    return own | {name.lower(): value for name, value in config.quirks.headers.items()}


def _error_text(reply: HttpReply) -> str:
    """`{"error": {"message"}}` of most APIs, else the error formats that `error_text` knows."""
    body = json_object(reply) or {}
    error = body.get("error")
    return str(error.get("message", "")) if isinstance(error, dict) else error_text(body) or str(error or "")
