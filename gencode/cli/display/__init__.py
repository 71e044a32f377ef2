"""Displays of events: a live display on a terminal, lines, or JSON."""
