"""Builds of blueprints: which task builds which blueprint, downloads, and what models have written."""
