"""The composition root: builds the service from the settings, and runs it."""
