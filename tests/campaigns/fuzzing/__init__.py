"""Requests that are generated from the service's own OpenAPI document, and checks of every answer."""
