"""Those who are told of tasks, by the settings."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from ipaddress import ip_network

from gencode.auth.tickets import kept_key
from gencode.chatops.routes import mattermost_proof, slack_proof
from gencode.domain.errors import StartError
from gencode.http.services import ChatIntegration, Notifications
from gencode.notifications.chat_replies import ChatNotifier
from gencode.notifications.chat_replies import mattermost as escape_for_mattermost
from gencode.notifications.chat_replies import slack as escape_for_slack
from gencode.notifications.dispatcher import NotificationDispatcher
from gencode.notifications.notifier import Notifier
from gencode.notifications.sender import Sender, transport
from gencode.notifications.url_policy import Resolve, Resolver, UrlPolicy, UrlRefused, UrlRules
from gencode.notifications.webhooks import SigningSecrets, WebhookNotifier
from gencode.observability.metrics import Metrics
from gencode.settings import Settings
from gencode.storage.sqlite.store import SQLiteStore

EVERYWHERE = (ip_network("0.0.0.0/0"), ip_network("::/0"))


def notifications(
    settings: Settings,
    store: SQLiteStore,
    metrics: Metrics,
    tls: ssl.SSLContext,
    resolve: Resolve | None = None,
) -> Notifications:
    """Courier and voices. `resolve`: in place of the system's."""
    resolve = resolve or Resolver()
    carrier = transport(tls)

    def posts(rules: UrlRules) -> Sender:
        agent = f"gencode/{version('gencode')}"
        return Sender(UrlPolicy(rules, resolve), carrier, agent, settings.webhook_timeout)

    secrets = SigningSecrets(settings.webhook_secrets, kept_key(settings.data_dir / "webhook.key"))
    webhooks = WebhookNotifier(secrets, UrlPolicy(_rules(settings), resolve), posts(_rules(settings)))
    doors = {door.chat.kind: door for door in _doors(settings, posts)}
    notifiers: dict[str, Notifier] = {kind: door.chat for kind, door in doors.items()}
    dispatcher = NotificationDispatcher(store, store, notifiers | {webhooks.kind: webhooks}, metrics)
    return Notifications(dispatcher=dispatcher, webhooks=webhooks, outbox=store, doors=doors)


def _doors(settings: Settings, post: Callable[[UrlRules], Sender]) -> Iterator[ChatIntegration]:
    if secret := settings.slack_signing_secret.get_secret_value():
        with _named("SLACK_HOOKS"):
            hooks = ChatNotifier("slack", settings.slack_hooks, escape_for_slack, post(_rules(settings)))
        yield ChatIntegration(chat=hooks, prove=slack_proof(secret))
    if token := settings.mattermost_token.get_secret_value():
        url = settings.mattermost_url
        # The operator named this very address, which is often one of the own network.
        rules = UrlRules(networks=EVERYWHERE, http=url.startswith("http:"))
        with _named("MATTERMOST_URL"):
            room = ChatNotifier("mattermost", url, escape_for_mattermost, post(rules))
        yield ChatIntegration(chat=room, prove=mattermost_proof(token))


@contextmanager
def _named(setting: str) -> Iterator[None]:
    try:
        yield
    except UrlRefused as error:
        raise StartError(f"{setting} {error}") from None


def _rules(settings: Settings) -> UrlRules:
    return UrlRules(networks=settings.webhook_networks, http=settings.webhook_allow_http)
