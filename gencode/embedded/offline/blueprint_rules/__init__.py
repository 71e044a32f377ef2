"""Blueprints by rules, for the offline model."""
