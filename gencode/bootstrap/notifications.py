"""The notifiers that the settings configure, and their dispatcher."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from ipaddress import ip_network
from typing import Any

import httpx

from gencode.auth.tickets import kept_key
from gencode.chatops.routes import mattermost_proof, slack_proof
from gencode.domain.errors import StartError
from gencode.domain.event import Event
from gencode.domain.task import Task
from gencode.http.services import ChatIntegration, Notifications
from gencode.notifications.chat_replies import ChatNotifier, escape_for_mattermost, escape_for_slack
from gencode.notifications.dispatcher import NotificationDispatcher
from gencode.notifications.notifier import Notifier, TaskFields, TaskLabel, TaskStages
from gencode.notifications.sender import Sender, transport
from gencode.notifications.url_policy import Resolve, Resolver, UrlPolicy, UrlRefused, UrlRules
from gencode.notifications.webhooks import SigningSecrets, WebhookNotifier
from gencode.observability.metrics import Metrics
from gencode.settings import Settings
from gencode.storage.sqlite.store import SQLiteStore

EVERY_NETWORK = (ip_network("0.0.0.0/0"), ip_network("::/0"))
_REPOSITORY_FIELDS = ("repo_url", "clone_url", "commit", "branch")


def repository_fields(task: Task, event: Event) -> Mapping[str, Any]:
    """What `generate` adds to a webhook."""
    found = {name: event.data[name] for name in _REPOSITORY_FIELDS if name in event.data}
    return {"repo_name": task.parameters.get("repo_name"), **found}


def repository_label(task: Task) -> str:
    return str(task.parameters.get("repo_name") or task.kind)


def posted_stages(_task: Task) -> Sequence[str]:
    """The stages of `generate` that a chat is told of."""
    return ("generating", "creating_repo")


def notifications(
    settings: Settings,
    store: SQLiteStore,
    metrics: Metrics,
    tls: ssl.SSLContext,
    resolve: Resolve | None = None,
    *,
    fields: TaskFields = repository_fields,
    label: TaskLabel = repository_label,
    stages: TaskStages = posted_stages,
) -> Notifications:
    """`resolve`: in place of the system's resolver. `fields`, `label`, `stages`: see
    gencode.notifications.notifier. Raises StartError."""
    resolve = resolve or Resolver()
    sender = partial(_sender, settings, transport(tls), resolve)
    rules = _rules(settings)
    secrets = SigningSecrets(settings.webhook_secrets, kept_key(settings.data_dir / "webhook.key"))
    webhooks = WebhookNotifier(secrets, UrlPolicy(rules, resolve), sender(rules), fields)
    chat = partial(ChatNotifier, label=label, stages=stages)
    integrations = {one.chat.kind: one for one in _chat_integrations(settings, sender, chat)}
    notifiers: dict[str, Notifier] = {kind: one.chat for kind, one in integrations.items()}
    dispatcher = NotificationDispatcher(store, store, notifiers | {webhooks.kind: webhooks}, metrics)
    return Notifications(dispatcher=dispatcher, webhooks=webhooks, outbox=store, doors=integrations)


def _sender(
    settings: Settings, carrier: httpx.AsyncHTTPTransport, resolve: Resolve, rules: UrlRules
) -> Sender:
    agent = f"gencode/{version('gencode')}"
    return Sender(UrlPolicy(rules, resolve), carrier, agent, settings.webhook_timeout)


def _chat_integrations(
    settings: Settings, sender: Callable[[UrlRules], Sender], chat: Callable[..., ChatNotifier]
) -> Iterator[ChatIntegration]:
    if secret := settings.slack_signing_secret.get_secret_value():
        with _error_names("SLACK_HOOKS"):
            slack = chat("slack", settings.slack_hooks, escape_for_slack, sender(_rules(settings)))
        yield ChatIntegration(chat=slack, prove=slack_proof(secret))
    if token := settings.mattermost_token.get_secret_value():
        url = settings.mattermost_url
        # The operator named this very address, which is often in the operator's own network.
        rules = UrlRules(networks=EVERY_NETWORK, http=url.startswith("http:"))
        with _error_names("MATTERMOST_URL"):
            mattermost = chat("mattermost", url, escape_for_mattermost, sender(rules))
        yield ChatIntegration(chat=mattermost, prove=mattermost_proof(token))


@contextmanager
def _error_names(setting: str) -> Iterator[None]:
    try:
        yield
    except UrlRefused as error:
        raise StartError(f"{setting} {error}") from None


def _rules(settings: Settings) -> UrlRules:
    return UrlRules(networks=settings.webhook_networks, http=settings.webhook_allow_http)
