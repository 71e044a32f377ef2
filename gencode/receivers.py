"""Those who are told of tasks, by the settings."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from ipaddress import ip_network

from gencode.errors import StartError
from gencode.metrics import Metrics
from gencode.settings import Settings
from gencode.stores.sqlite import SQLiteStore
from gencode.web.chat import mattermost_proof, slack_proof
from gencode.web.parts import Door, Receivers
from gencode.web.tickets import kept_key
from gencode.webhooks.address import Judge, Refused, Resolve, Resolver, Rules
from gencode.webhooks.chat import Chat
from gencode.webhooks.chat import mattermost as escape_for_mattermost
from gencode.webhooks.chat import slack as escape_for_slack
from gencode.webhooks.courier import Courier
from gencode.webhooks.post import Post, transport
from gencode.webhooks.standard import Secrets, Webhooks
from gencode.webhooks.voice import Voice

EVERYWHERE = (ip_network("0.0.0.0/0"), ip_network("::/0"))


def receivers(
    settings: Settings,
    store: SQLiteStore,
    metrics: Metrics,
    tls: ssl.SSLContext,
    resolve: Resolve | None = None,
) -> Receivers:
    """Courier and voices. `resolve`: in place of the system's."""
    resolve = resolve or Resolver()
    carrier = transport(tls)

    def posts(rules: Rules) -> Post:
        agent = f"gencode/{version('gencode')}"
        return Post(Judge(rules, resolve), carrier, agent, settings.webhook_timeout)

    secrets = Secrets(settings.webhook_secrets, kept_key(settings.data_dir / "webhook.key"))
    webhooks = Webhooks(secrets, Judge(_rules(settings), resolve), posts(_rules(settings)))
    doors = {door.chat.kind: door for door in _doors(settings, posts)}
    voices: dict[str, Voice] = {kind: door.chat for kind, door in doors.items()}
    courier = Courier(store, store, voices | {webhooks.kind: webhooks}, metrics)
    return Receivers(courier=courier, webhooks=webhooks, outbox=store, doors=doors)


def _doors(settings: Settings, post: Callable[[Rules], Post]) -> Iterator[Door]:
    if secret := settings.slack_signing_secret.get_secret_value():
        with _named("SLACK_HOOKS"):
            hooks = Chat("slack", settings.slack_hooks, escape_for_slack, post(_rules(settings)))
        yield Door(chat=hooks, prove=slack_proof(secret))
    if token := settings.mattermost_token.get_secret_value():
        url = settings.mattermost_url
        # The operator named this very address, which is often one of the own network.
        rules = Rules(networks=EVERYWHERE, http=url.startswith("http:"))
        with _named("MATTERMOST_URL"):
            room = Chat("mattermost", url, escape_for_mattermost, post(rules))
        yield Door(chat=room, prove=mattermost_proof(token))


@contextmanager
def _named(setting: str) -> Iterator[None]:
    try:
        yield
    except Refused as error:
        raise StartError(f"{setting} {error}") from None


def _rules(settings: Settings) -> Rules:
    return Rules(networks=settings.webhook_networks, http=settings.webhook_allow_http)
