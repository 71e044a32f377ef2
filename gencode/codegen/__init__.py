"""From a prompt to validated files: plan, file writing, continuation merge, validation and secrets scan."""
