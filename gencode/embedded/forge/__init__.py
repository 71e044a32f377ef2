"""A small Git host for one machine: what gencode pushes to when no GitHub is configured."""

from gencode.embedded.forge.app import forge

__all__ = ["forge"]
