"""Importers: what they read, what they note, and what they refuse."""
