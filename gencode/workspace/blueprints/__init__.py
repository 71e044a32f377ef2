"""Blueprints of projects: drafts, versions, findings, differences, rendered projects."""
