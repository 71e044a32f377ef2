"""Alembic's migrations of the workspace's tables."""
