"""Claude: the Messages API of Anthropic."""
