"""How events look: a live display on a terminal, lines, or JSON."""
