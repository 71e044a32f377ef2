"""Conversations with a model: their messages form a tree, and one of its branches is shown."""
