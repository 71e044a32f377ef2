"""Names of the kind, its stages, checkpoints and events."""

from __future__ import annotations

BLUEPRINT_KIND = "blueprint"
COLLECTING, OUTLINING, DETAILING, REPAIRING, DELIVERING = (
    "collecting",
    "outlining",
    "detailing",
    "repairing",
    "delivering",
)
SOURCE, OUTLINE, DETAILS, BLUEPRINT = "source", "outline", "details", "blueprint"
"""Checkpoints."""
ELEMENT, GROUP, FINDINGS, REPAIRED, STORED = "element", "group", "findings", "repaired", "stored"
"""Events, beside `collected` and `outline`."""
