"""The local forge: a small Git host on loopback that gencode pushes to when no Git host is configured."""
