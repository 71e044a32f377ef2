"""The local forge: a small Git host on loopback that gencode pushes to when no Git host is configured."""

from gencode.embedded.forge.app import forge_app

__all__ = ["forge_app"]
