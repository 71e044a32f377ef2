"""Makes the webhooks and the chat integrations that the settings configure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from ipaddress import ip_network

from gencode import __version__
from gencode.bootstrap.backend import Backend
from gencode.chatops.commands import SubmitCommand
from gencode.chatops.routes import ChatIntegration, ChatOps
from gencode.chatops.verifiers import mattermost_verifier, slack_verifier
from gencode.domain.errors import StartError
from gencode.engine.ports.callback_outbox import Outbox
from gencode.notifications.chat_replies import ChatNotifier, escape_for_mattermost, escape_for_slack
from gencode.notifications.dispatcher import NotificationDispatcher
from gencode.notifications.notifier_protocol import Notifier, TaskTexts
from gencode.notifications.sender import Sender
from gencode.notifications.webhooks import SigningSecrets, WebhookNotifier
from gencode.observability.metrics import Metrics
from gencode.outbound.proxies import ProxyRules
from gencode.outbound.transport import Outbound
from gencode.outbound.url_policy import Resolve, Resolver, UrlPolicy, UrlRefused, UrlRules
from gencode.settings import Settings

MAX_CHECKED_NAMES, MAX_RESOLVED_NAMES = 8, 64
"""The most names that are resolved concurrently, for submissions and for deliveries; neither waits for the
other."""
EVERYWHERE = (ip_network("0.0.0.0/0"), ip_network("::/0"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Notifications:
    """The dispatcher and the receivers that report tasks."""

    dispatcher: NotificationDispatcher
    webhooks: WebhookNotifier
    outbox: Outbox
    chatops: ChatOps


def make_notifications(
    settings: Settings,
    backend: Backend,
    metrics: Metrics,
    outbound: Outbound,
    texts: TaskTexts,
    submit_command: SubmitCommand,
    resolve: Resolve | None = None,
) -> Notifications:
    """`resolve` replaces the system's resolver; `submit_command`: what users submit in chats."""
    checks = resolve or Resolver(MAX_CHECKED_NAMES)
    resolve = resolve or Resolver(MAX_RESOLVED_NAMES)

    def posts(rules: UrlRules) -> Sender:
        agent = f"gencode/{__version__}"
        return Sender(UrlPolicy(rules, resolve), outbound, agent, settings.webhook_timeout)

    secrets = SigningSecrets(settings.webhook_secrets, backend.signing_key("webhook"))
    webhooks = WebhookNotifier(secrets, UrlPolicy(_rules(settings), checks), posts(_rules(settings)), texts)
    integrations = {one.chat.kind: one for one in _integrations(settings, outbound.proxies, posts, texts)}
    notifiers: dict[str, Notifier] = {name: one.chat for name, one in integrations.items()}
    store = backend.store
    dispatcher = NotificationDispatcher(
        store,
        store,
        notifiers | {webhooks.kind: webhooks},
        metrics,
        now=backend.now,
        lease=backend.callback_lease,
    )
    return Notifications(
        dispatcher=dispatcher,
        webhooks=webhooks,
        outbox=store,
        chatops=ChatOps(integrations=integrations, submit_command=submit_command),
    )


def _integrations(
    settings: Settings, proxies: ProxyRules, post: Callable[[UrlRules], Sender], texts: TaskTexts
) -> Iterator[ChatIntegration]:
    """The configured chats. A proxy may resolve their names, because the operator configured their URLs."""
    if secret := settings.slack_signing_secret.get_secret_value():
        with _named("SLACK_HOOKS"):
            rules = replace(_rules(settings), by_proxy=proxies)
            hooks = ChatNotifier("slack", settings.slack_hooks, escape_for_slack, post(rules), texts)
        yield ChatIntegration(chat=hooks, verify=slack_verifier(secret))
    if token := settings.mattermost_token.get_secret_value():
        url = settings.mattermost_url
        # Only this origin is called, which is often in the internal network.
        rules = UrlRules(networks=EVERYWHERE, http=url.startswith("http:"), by_proxy=proxies)
        with _named("MATTERMOST_URL"):
            room = ChatNotifier("mattermost", url, escape_for_mattermost, post(rules), texts)
        yield ChatIntegration(chat=room, verify=mattermost_verifier(token))


@contextmanager
def _named(setting: str) -> Iterator[None]:
    try:
        yield
    except UrlRefused as error:
        raise StartError(f"{setting} {error}") from None


def _rules(settings: Settings) -> UrlRules:
    return UrlRules(networks=settings.webhook_networks, http=settings.webhook_allow_http)
