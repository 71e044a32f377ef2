"""What requests to all APIs have in common."""

from __future__ import annotations

CONTINUE_INSTRUCTION = (
    "Your answer was cut off. Go on exactly where it stopped, even in the middle of a line or a word. "
    "Repeat nothing of it, explain nothing, and open no code fence."
)
MIN_TOKENS = 64
"""A limit below is no answer worth asking for."""
