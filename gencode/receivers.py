"""Those who are told of tasks, by the settings."""

from __future__ import annotations

import ssl
from importlib.metadata import version

from gencode.metrics import Metrics
from gencode.settings import Settings
from gencode.stores.sqlite import SQLiteStore
from gencode.web.parts import Receivers
from gencode.web.tickets import kept_key
from gencode.webhooks.address import Judge, Resolve, Resolver, Rules
from gencode.webhooks.courier import Courier
from gencode.webhooks.post import Post, transport
from gencode.webhooks.standard import Secrets, Webhooks


def receivers(
    settings: Settings,
    store: SQLiteStore,
    metrics: Metrics,
    tls: ssl.SSLContext,
    resolve: Resolve | None = None,
) -> Receivers:
    """Courier and voices. `resolve`: in place of the system's."""
    rules = Rules(networks=settings.webhook_networks, http=settings.webhook_allow_http)
    judge = Judge(rules, resolve or Resolver())
    post = Post(judge, transport(tls), f"gencode/{version('gencode')}", settings.webhook_timeout)
    secrets = Secrets(settings.webhook_secrets, kept_key(settings.data_dir / "webhook.key"))
    webhooks = Webhooks(secrets, judge, post)
    courier = Courier(store, store, {webhooks.kind: webhooks}, metrics)
    return Receivers(courier=courier, webhooks=webhooks, outbox=store)
