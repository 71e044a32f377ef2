"""The secrets that are known, and their removal from text."""
