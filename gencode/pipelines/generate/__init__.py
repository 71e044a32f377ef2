"""The `generate` pipeline: from a prompt to a repository pushed to a Git host."""
