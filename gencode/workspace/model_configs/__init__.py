"""Model configs: models that users call with their own keys."""
